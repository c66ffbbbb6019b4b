"""The header check, field by field: each wrong field is named, the right header passes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.consensus.playbook import Made, Stage
from moyai.consensus.execution import Execution
from moyai.consensus.headers import clock_fault, ids_fault, own_fault, parent_fault
from moyai.consensus.tree import Block, BlockTree
from moyai.primitives.block import Executed
from moyai.primitives.ids import ZERO_DIGEST, Epoch, Height, TimeMs, View
from moyai.primitives.merkle import EMPTY_ROOT

STAGE = Stage()
PARENT = STAGE.make(1, ids=1)


def fault(child: Made, parent: Made = PARENT) -> str:
    tree = BlockTree(STAGE.config.tip, Epoch(0))
    tree.add(Block(parent.header, parent.digest, parent.ids, 0))
    block = Block(child.header, child.digest, child.ids, 0)
    assert tree.add(block) == [block]
    execution = Execution(STAGE.config.tip)
    return parent_fault(block, parent.view, execution, STAGE.parameters)


def test_the_right_header_passes() -> None:
    assert fault(STAGE.make(2, PARENT, ids=3)) == ""


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"height": Height(3)}, "height"),
        ({"parent_view": View(0)}, "parent_view"),
        ({"time_ms": PARENT.header.time_ms}, "time is not after"),
        ({"log_root": EMPTY_ROOT}, "log_root"),
        ({"executed": STAGE.roots(2)}, "no ancestor's"),
        ({"executed": STAGE.roots(0)}, "differ from the parent's"),
    ],
)
def test_each_wrong_field_is_named(fields: dict[str, object], said: str) -> None:
    assert said in fault(STAGE.make(2, PARENT, ids=1, **fields))


def test_the_executed_height_never_goes_back() -> None:
    parent = STAGE.make(3, executed=STAGE.roots(0))
    ahead = STAGE.make(4, parent, executed=STAGE.roots(1))
    assert fault(ahead, parent) == ""
    tree = BlockTree(STAGE.config.tip, Epoch(0))
    back = STAGE.make(5, ahead, executed=GENESIS_EXECUTED)
    for made in (parent, ahead, back):
        tree.add(Block(made.header, made.digest, made.ids, 0))
    block = tree.get(back.digest)
    assert block is not None
    execution = Execution(STAGE.config.tip)
    assert "goes back" in parent_fault(block, ahead.view, execution, STAGE.parameters)


GENESIS_EXECUTED: Executed = STAGE.genesis.header.executed


def test_execution_may_lag_by_so_many_loaded_blocks_and_empty_ones_never_lag() -> None:
    tree = BlockTree(STAGE.config.tip, Epoch(0))
    execution = Execution(STAGE.config.tip)
    limit = STAGE.parameters.execution_lag_max
    made: Made | None = None
    faults = []
    for view in range(1, limit + 3):
        child = STAGE.make(view, made, ids=1)
        block = Block(child.header, child.digest, child.ids, 0)
        tree.add(block)
        view_before = made.view if made else View(0)
        faults.append(parent_fault(block, view_before, execution, STAGE.parameters))
        made = child
    assert faults == [""] * (limit + 1) + ["too far ahead of execution"]
    empty = STAGE.make(limit + 3, made)
    block = Block(empty.header, empty.digest, (), 0)
    tree.add(block)
    assert made is not None
    assert parent_fault(block, made.view, execution, STAGE.parameters) == ""


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"filler_of": ZERO_DIGEST}, "more than that"),
        ({"filler_of": ZERO_DIGEST, "epoch_end": ZERO_DIGEST}, "more than that"),
        ({"tx_count": 4_097}, "too many transactions"),
        ({"tx_bytes": 2**21}, "too many bytes"),
        ({"tx_count": 0, "tx_bytes": 1}, "bytes without transactions"),
    ],
)
def test_sizes_and_epoch_ends(fields: dict[str, object], said: str) -> None:
    assert said in own_fault(STAGE.make(2, PARENT, ids=1, **fields).header, STAGE.parameters)


def test_ids_are_checked_against_count_and_root() -> None:
    made = STAGE.make(2, PARENT, ids=3)
    assert ids_fault(made.header, made.ids) == ""
    assert "tx_count" in ids_fault(made.header, made.ids[:2])
    assert "twice" in ids_fault(made.header, (made.ids[0], made.ids[0], made.ids[1]))
    assert "tx_root" in ids_fault(made.header, made.ids[::-1])


@given(st.integers(0, 10_000), st.integers(0, 10_000), st.integers(0, 10_000))
def test_the_parents_time_and_a_millisecond_is_never_refused(
    parent: int, wall: int, later: int
) -> None:
    above = STAGE.make(1, time_ms=TimeMs(parent)).header
    header = STAGE.make(2, PARENT, time_ms=TimeMs(parent + 1 + later)).header
    refused = bool(clock_fault(header, above, TimeMs(wall)))
    assert refused == (later > 0 and header.time_ms > wall + 2_000)
