"""Own roots against claimed ones, and the number of blocks that wait for execution."""

from hypothesis import given
from hypothesis import strategies as st

from harness.consensus.playbook import Made, Stage
from moyai.consensus.execution import Attested, Execution
from moyai.consensus.tree import Block, BlockTree
from moyai.primitives.ids import Epoch, Height

STAGE = Stage()


def grow(loads: list[bool]) -> tuple[BlockTree, list[Block], list[Made]]:
    tree = BlockTree(STAGE.config.tip, Epoch(0))
    made: list[Made] = []
    for view, loaded in enumerate(loads, 1):
        made.append(STAGE.make(view, made[-1] if made else None, ids=1 if loaded else 0))
        tree.add(Block(made[-1].header, made[-1].digest, made[-1].ids, 0))
    blocks = [tree.get(each.digest) for each in made]
    return tree, [each for each in blocks if each is not None], made


@given(st.lists(st.booleans(), min_size=1, max_size=12), st.data())
def test_the_lag_counts_blocks_with_transactions(loads: list[bool], data: st.DataObject) -> None:
    tree, blocks, _ = grow(loads)
    execution = Execution(STAGE.config.tip)
    final = data.draw(st.integers(0, len(loads) - 1))
    for block in blocks[:final]:
        execution.finalize(block)
    if final:
        tree.advance(blocks[final - 1])
    executed = data.draw(st.integers(0, len(loads)))
    parent = data.draw(st.integers(max(final, executed), len(loads)))
    top = blocks[parent - 1] if parent else tree.tip
    assert execution.lag(top, Height(executed)) == sum(loads[executed:parent])


def test_roots_are_unknown_until_executed_here() -> None:
    execution = Execution(STAGE.config.tip)
    child = STAGE.make(2, STAGE.make(1, ids=1), executed=STAGE.roots(1))
    assert execution.attests(child.header) is Attested.UNKNOWN
    execution.executed(STAGE.roots(1), None)
    assert execution.attests(child.header) is Attested.SAME
    wrong = STAGE.make(2, STAGE.make(1, ids=1), executed=STAGE.roots(1, b"\x06"))
    assert execution.attests(wrong.header) is Attested.DIFFERENT


def test_a_claim_of_a_final_header_is_compared_when_execution_comes() -> None:
    execution = Execution(STAGE.config.tip)
    _, blocks, _ = grow([True])
    assert execution.finalize(blocks[0]) is None
    claiming = STAGE.make(2, executed=STAGE.roots(1))
    assert execution.finalize(Block(claiming.header, claiming.digest, (), 0)) is None
    assert execution.executed(STAGE.roots(1, b"\x06"), None) == STAGE.roots(1)


def test_a_claim_is_compared_at_once_when_execution_was_first() -> None:
    execution = Execution(STAGE.config.tip)
    execution.executed(STAGE.roots(1), None)
    wrong = STAGE.make(2, executed=STAGE.roots(1, b"\x06"))
    assert execution.finalize(Block(wrong.header, wrong.digest, (), 0)) == 1


def test_only_blocks_with_transactions_are_worth_attesting() -> None:
    execution = Execution(STAGE.config.tip)
    _, blocks, _ = grow([False, True])
    for block in blocks:
        execution.finalize(block)
    execution.executed(STAGE.roots(1), None)
    assert execution.unattested_height == 0
    execution.executed(STAGE.roots(2), None)
    assert execution.unattested_height == 2


def test_a_proposer_behind_its_parent_repeats_the_parents_pair() -> None:
    execution = Execution(STAGE.config.tip)
    parent = STAGE.make(3, executed=STAGE.roots(2))
    block = Block(parent.header, parent.digest, (), 0)
    assert execution.executed_for(block) == STAGE.roots(2)
    execution.executed(STAGE.roots(4), None)
    assert execution.executed_for(block) == STAGE.roots(4)


def test_what_lies_below_the_attested_height_is_forgotten() -> None:
    execution = Execution(STAGE.config.tip)
    for height in range(1, 6):
        execution.executed(STAGE.roots(height), None)
    execution.prune(STAGE.make(9, executed=STAGE.roots(4)).header)
    old = STAGE.make(9, executed=STAGE.roots(3))
    assert execution.attests(old.header) is Attested.UNKNOWN
    assert execution.attests(STAGE.make(9, executed=STAGE.roots(4)).header) is Attested.SAME
