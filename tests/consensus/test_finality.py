"""R7: a finalization makes its block and all ancestors final, once they are here."""

import msgspec
import pytest

from harness.consensus.playbook import Stage
from moyai.consensus.effects import CatchUp, DropBlock, Finalized, Halt
from moyai.consensus.inputs import BlockChecked, BodyVerdict, Synced, Timer
from moyai.consensus.limits import CATCH_UP_VIEWS, FETCH_TRIES_MAX
from moyai.consensus.messages import BlockMessage, BlockRequest, CertificateMessage
from moyai.consensus.records import BlockRecord, FloorRecord


def heights(stage: Stage) -> list[list[int]]:
    final = [e for e in stage.effects if isinstance(e, Finalized)]
    return [[header.height for header in each.headers] for each in final]


def test_a_block_and_its_ancestors_become_final_together_oldest_first() -> None:
    stage = Stage.following(1, 2)
    one = stage.make(1, ids=1)
    two = stage.make(2, one, ids=1)
    stage.propose(one)
    stage.hear(stage.others[0], stage.notarization(one))
    stage.propose(two)
    stage.hear(stage.others[0], stage.finalization(two))
    assert heights(stage) == [[1, 2]]
    floor = next(r for r in stage.records() if isinstance(r, FloorRecord))
    assert [header.height for header in floor.headers] == [2, 1]
    assert floor.frontier == two.frontier
    assert stage.machine.status().view == 3


def test_the_bodies_are_durable_before_the_block_is_final() -> None:
    stage = Stage(me=None)
    stage.start()
    block = stage.make(1, ids=1)
    stage.propose(block)
    stage.hear(0, stage.finalization(block))
    records = [type(record) for record in stage.records()]
    assert records == [BlockRecord, FloorRecord]


def test_x6_a_block_never_seen_is_fetched_by_the_digest_of_its_certificate() -> None:
    stage = Stage.following(1)
    shown, real = stage.make(1, ids=1), stage.make(1, ids=2)
    stage.propose(shown)
    effects = stage.hear(stage.others[0], stage.finalization(real))
    assert BlockRequest(real.digest) in stage.said(effects)
    stage.hear(stage.others[1], BlockMessage(real.header, real.ids))
    stage.body(real)
    assert heights(stage) == [[1]]
    assert [e.digest for e in stage.effects if isinstance(e, DropBlock)] == [shown.digest]


def test_a_missing_parent_is_fetched_down_to_the_last_final_block() -> None:
    stage = Stage(me=None)
    stage.start()
    one = stage.make(1)
    two = stage.make(2, one)
    three = stage.make(3, two)
    stage.hear(0, stage.finalization(three))
    for made in (three, two):
        stage.hear(0, BlockMessage(made.header, made.ids))
        assert BlockRequest(made.header.parent) in stage.said()
    stage.hear(0, BlockMessage(one.header, one.ids))
    assert heights(stage) == [[1, 2, 3]]


def test_a_long_distance_is_left_to_catch_up() -> None:
    stage = Stage(me=None)
    stage.start()
    one = stage.make(1, ids=1)
    far = stage.make(CATCH_UP_VIEWS + 2, one)
    stage.hear(0, stage.finalization(far))
    assert len(stage.of(CatchUp)) == 1
    farther = stage.make(CATCH_UP_VIEWS + 9, far)
    stage.hear(0, stage.finalization(farther))
    assert stage.of(CatchUp) == []
    assert stage.machine.status().catching_up
    assert stage.machine.status().view == CATCH_UP_VIEWS + 10


def test_what_cannot_be_fetched_is_left_to_catch_up_as_well() -> None:
    stage = Stage(me=None)
    stage.start()
    stage.hear(0, stage.finalization(stage.make(1, ids=1)))
    asked = []
    for _ in range(FETCH_TRIES_MAX):
        assert not stage.of(CatchUp)
        asked += [m for m in stage.said(stage.fire(Timer.FETCH)) if isinstance(m, BlockRequest)]
    assert len(asked) == FETCH_TRIES_MAX
    assert len(stage.of(CatchUp)) == 1


def test_after_catch_up_it_goes_on_from_the_new_tip() -> None:
    stage = Stage.following(1, 2)
    one = stage.make(1, ids=1)
    two = stage.make(2, one, ids=1, executed=stage.roots(1))
    stage.propose(two)
    stage.act(Synced(stage.tip_after(one)))
    assert stage.machine.status().final_view == 1
    assert [r.certificate.view for r in stage.records() if isinstance(r, FloorRecord)] == [1]
    stage.body(two)
    stage.hear(stage.others[0], stage.finalization(two))
    assert heights(stage) == [[2]]


def test_an_answer_of_catch_up_that_is_old_changes_nothing() -> None:
    stage = Stage.following(1)
    one = stage.make(1, ids=1)
    tip = stage.tip_after(one)
    stage.act(Synced(tip))
    stage.act(Synced(tip))
    assert stage.records() == []


def test_other_roots_than_those_of_a_final_header_stop_the_node() -> None:
    stage = Stage.following(1, 2)
    one = stage.make(1, ids=1)
    two = stage.make(2, one, executed=stage.roots(1))
    stage.propose(one)
    stage.hear(stage.others[0], stage.finalization(one), stage.proposal(two))
    stage.hear(stage.leader(2), stage.proposal(two))
    stage.hear(stage.others[0], stage.finalization(two))
    effects = stage.executed(one, b"\x66")
    halts = [e.reason for e in effects if isinstance(e, Halt)]
    assert len(halts) == 1
    assert "height 1" in halts[0]
    assert "0505" in halts[0]
    assert "6666" in halts[0]


@pytest.mark.parametrize("first", [True, False])
def test_two_final_blocks_at_one_height_stop_the_node(*, first: bool) -> None:
    stage = Stage(me=None)
    stage.start()
    one, other = stage.make(1, ids=1), stage.make(2, ids=2)
    stage.propose(one)
    stage.hear(0, stage.finalization(one))
    if first:
        stage.hear(stage.leader(2), stage.proposal(other))
    stage.hear(0, stage.finalization(other))
    if not first:
        stage.hear(0, BlockMessage(other.header, other.ids))
    assert stage.machine.status().halted


def test_x7_a_real_block_with_a_forged_finalization_is_not_stored() -> None:
    stage = Stage.following(1)
    block = stage.make(1, ids=1)
    stage.propose(block)
    good = stage.finalization(block).certificate
    forged = msgspec.structs.replace(good, signatures=(bytes(64), *good.signatures[1:]))
    stage.hear(stage.others[0], CertificateMessage(forged))
    assert heights(stage) == []
    assert not any(isinstance(r, FloorRecord) for r in stage.records(stage.all_effects))
    stage.hear(stage.others[0], CertificateMessage(good))
    assert heights(stage) == [[1]]


def test_a_final_block_that_is_invalid_here_stops_the_node() -> None:
    stage = Stage.following(1)
    block = stage.make(1, ids=1)
    stage.hear(stage.leader(1), stage.proposal(block))
    stage.act(BlockChecked(block.digest, BodyVerdict.INVALID, "it repeats a transaction"))
    finalization = stage.finalization(block)
    stage.hear(stage.others[0], finalization)
    (halt,) = stage.of(Halt)
    assert "invalid here at height 1: it repeats a transaction" in halt.reason
    assert halt.certificates == (finalization.certificate,)
    assert heights(stage) == []
