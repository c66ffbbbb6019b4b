"""Blocks join in any order of arrival, and what does not descend from the final block is left."""

from hypothesis import given
from hypothesis import strategies as st

from harness.consensus.playbook import Made, Stage
from moyai.consensus.config import ExecutedBlock, FinalTip
from moyai.consensus.limits import FINAL_BLOCKS_KEPT
from moyai.consensus.tree import Block, BlockTree, BodyState
from moyai.primitives.ids import Epoch, Height
from moyai.primitives.merkle import Frontier

STAGE = Stage()


def chain(length: int, *, ids: int = 0) -> list[Made]:
    made: list[Made] = []
    for view in range(1, length + 1):
        made.append(STAGE.make(view, made[-1] if made else None, ids=ids))
    return made


CHAIN = chain(8, ids=1)


def new_tree() -> BlockTree:
    return BlockTree(STAGE.config.tip, Epoch(0))


def block(made: Made) -> Block:
    return Block(made.header, made.digest, made.ids, 0)


@given(st.permutations(CHAIN))
def test_the_order_of_arrival_does_not_matter(order: list[Made]) -> None:
    tree = new_tree()
    linked = [each.digest for made in order for each in tree.add(block(made))]
    assert linked == [made.digest for made in CHAIN]
    top = tree.get(CHAIN[-1].digest)
    assert top is not None
    branch = tree.branch(top)
    assert branch is not None
    assert [each.digest for each in branch] == [made.digest for made in reversed(CHAIN)]
    assert [each.frontier for each in branch[::-1]] == [made.frontier for made in CHAIN]
    assert top.loaded == len(CHAIN)


def test_a_block_whose_parent_is_missing_leads_nowhere() -> None:
    tree = new_tree()
    assert tree.add(block(CHAIN[2])) == []
    assert tree.add(block(CHAIN[3])) == []
    top = tree.get(CHAIN[3].digest)
    assert top is not None
    assert tree.branch(top) is None
    assert tree.lowest_known(top).digest == CHAIN[2].digest


def test_a_final_block_drops_other_branches_and_serves_the_recent_ones() -> None:
    tree = new_tree()
    for made in CHAIN[:4]:
        tree.add(block(made))
    fork = STAGE.make(9, CHAIN[0], ids=2)
    tree.add(block(fork))
    third = tree.get(CHAIN[2].digest)
    assert third is not None
    advance = tree.advance(third)
    assert [each.digest for each in advance.final] == [made.digest for made in CHAIN[:3]]
    assert [each.digest for each in advance.dropped] == [fork.digest]
    assert tree.final_view == 3
    assert tree.get(CHAIN[0].digest) is None
    assert tree.served(CHAIN[0].digest) is not None
    assert tree.get(CHAIN[3].digest) is not None


def test_few_final_blocks_stay_in_memory() -> None:
    tree = new_tree()
    long = chain(FINAL_BLOCKS_KEPT * 2)
    for made in long:
        tree.add(block(made))
        newest = tree.get(made.digest)
        assert newest is not None
        tree.advance(newest)
    served = [made for made in long if tree.served(made.digest) is not None]
    assert len(served) == FINAL_BLOCKS_KEPT
    assert len(tree) == 1


def test_catching_up_keeps_the_descendants_of_a_known_tip() -> None:
    tree = new_tree()
    for made in CHAIN[:5]:
        for each in tree.add(block(made)):
            each.body = BodyState.HELD
    reached = CHAIN[2]
    recent = tuple(
        ExecutedBlock(made.header, STAGE.roots(made.header.height)) for made in CHAIN[:3]
    )
    left = tree.reset(FinalTip(None, reached.frontier, recent)).left
    assert {each.digest for each in left} >= {CHAIN[0].digest, CHAIN[1].digest}
    top = tree.get(CHAIN[4].digest)
    assert top is not None
    assert top.frontier == CHAIN[4].frontier
    assert tree.branch(top) is not None
    assert tree.tip.digest == reached.digest


def test_catching_up_to_an_unknown_tip_starts_afresh() -> None:
    tree = new_tree()
    tree.add(block(CHAIN[0]))
    far = STAGE.make(40, CHAIN[7])
    recent = (ExecutedBlock(far.header, STAGE.roots(far.header.height)),)
    left = tree.reset(FinalTip(None, Frontier(), recent)).left
    assert CHAIN[0].digest in {each.digest for each in left}
    assert len(tree) == 1
    assert tree.loaded_branch(tree.tip) == ()


def test_a_block_without_a_parent_is_left_once_its_view_is_passed_whatever_its_height() -> None:
    tree = new_tree()
    unknown = STAGE.make(1, ids=9)
    lost, later = (STAGE.make(view, unknown, height=Height(2**50)) for view in (3, 5))
    for made in (*CHAIN[:4], lost, later):
        tree.add(block(made))
    final = tree.get(CHAIN[3].digest)
    assert final is not None
    advance = tree.advance(final)
    assert [each.digest for each in advance.dropped] == [lost.digest]
    assert len(tree) == 2
    executed = ExecutedBlock(CHAIN[4].header, CHAIN[4].header.executed)
    restart = tree.reset(FinalTip(None, CHAIN[4].frontier, (executed,)))
    assert later.digest in [each.digest for each in restart.left]
    assert len(tree) == 1
