"""Nodes that begin with a state instead of a chain: a disk lost, far behind, through past epochs.

Real stores, cores and keys; the links in between are in memory.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from harness.core_city import GENESIS, MEMBERS, CoreCity, CoreNode, document
from harness.council import Council, reach_epoch
from harness.store_links import Lie, StoreLinks
from moyai.consensus.messages import VoteMessage
from moyai.node.bootstrap import ClosingGap, Ending, TakingOver
from moyai.node.gap import Gap, Goal
from moyai.node.state_place import adopt, import_place
from moyai.node.take_over import TakeOver
from moyai.node.tip import end_of_epoch
from moyai.p2p.messages import WireMessage
from moyai.p2p.snapshot_messages import SnapshotPartAnswer, SnapshotPartRequest
from moyai.p2p.snapshot_search import SearchPlan
from moyai.primitives.genesis import genesis_digest
from moyai.primitives.ids import Height
from moyai.primitives.operations_governance import ParameterSetting, SetParameters
from moyai.primitives.state_snapshot import SnapshotDescription
from moyai.storage.chain import ChainStore
from moyai.storage.journal import Journal
from moyai.storage.snapshot_import import SnapshotImport
from moyai.storage.snapshot_maker import make_snapshot, newest_attested
from moyai.storage.state_snapshots import SnapshotFolder

BLOCKS = 12


def make_blocks(city: CoreCity, first: int, count: int = BLOCKS) -> None:
    for number in range(first, first + count):
        raw = document(number, valid_until_ms=city.wall_ms + 60_000)
        (outcome,) = city.nodes[0].submit(raw)
        assert outcome.refusal is None
        city.run(partial(city.nodes[0].is_final, outcome))


def make_snapshots(city: CoreCity) -> Height:
    """Let every running node make the snapshot of the newest height that all attest."""
    city.run_for(2_000)
    made = set()
    for node in city.running:
        with node.chain.snapshot() as snapshot:
            wanted = newest_attested(snapshot)
        assert wanted is not None
        folder = SnapshotFolder(node.folder / "snapshots")
        made.add(make_snapshot(node.chain, folder, wanted).description)
    assert len({one.header.height for one in made}) == 1
    assert len(made) == 1, "the same on every node"
    return made.pop().header.height


def wipe(node: CoreNode) -> None:
    """Lose the disk; the key is kept, and a journal made anew that knows that it is."""
    node.kill()
    for name in ("chain", "journal"):
        shutil.rmtree(node.folder / name)
    own = node.identity.journal_key
    network = genesis_digest(GENESIS)
    map_bytes = node.city.map_bytes
    Journal.create_abstaining(node.folder / "journal", own, network, map_bytes=map_bytes).close()


def taking_over(late: CoreNode, links: StoreLinks, above: int = 0) -> tuple[TakeOver, TakingOver]:
    def open_import(description: SnapshotDescription) -> SnapshotImport:
        place = import_place(late.folder)
        return SnapshotImport.open(place, GENESIS, description, late.city.map_bytes)

    others = tuple(node.key for node in late.city.nodes[:MEMBERS] if node is not late)
    plan = SearchPlan(validators=others, above=Height(above), wanted=None)
    run = TakeOver(GENESIS, plan, open_import=open_import, transport=links, now_ms=links.now_ms)
    phase = TakingOver(run, or_genesis=True)
    phase.links_changed(links.connected(), links.now_ms)
    return run, phase


def begin_from_state(late: CoreNode, links: StoreLinks, above: int = 0) -> None:
    """Take over a state and close its gap, as a process does before consensus runs."""
    run, phase = taking_over(late, links, above)
    links.drive(phase)
    assert phase.ending is Ending.DONE
    taken = run.taken
    assert taken is not None
    assert isinstance(run.state_import, SnapshotImport)
    run.state_import.finish(taken.epoch_ends, taken.recent)
    assert adopt(late.folder, late.folder / "chain")
    chain = ChainStore.open(late.folder / "chain", GENESIS, map_bytes=late.city.map_bytes)
    offer = taken.offer.offer
    keys = tuple(node.key for node in late.city.nodes[:MEMBERS])
    gap = ClosingGap(Gap(chain, Goal(offer.certificate, offer.headers), links, keys), 0)
    gap.links_changed(links.connected(), links.now_ms)
    links.drive(gap)
    assert gap.ending is Ending.DONE
    chain.close()


def follows(city: CoreCity, late: CoreNode) -> bool:
    return late.chain.committed_height == city.nodes[0].chain.committed_height


def assert_same_state(city: CoreCity, late: CoreNode) -> None:
    city.run(partial(follows, city, late))
    assert late.chain.states.root == city.nodes[0].chain.states.root
    base = late.chain.base
    assert base > 0
    own, others = late.chain, city.nodes[0].chain
    with own.snapshot() as here, others.snapshot() as there:
        for height in range(base, here.height + 1):
            assert here.header(height) == there.header(height)
            assert here.executed(height) == there.executed(height)


def voted(late: CoreNode) -> bool:
    return any(isinstance(message, VoteMessage) for message in late.sent)


def test_a_validator_that_lost_its_disk_follows_and_votes_when_it_is_safe(city: CoreCity) -> None:
    late = city.nodes[3]
    make_blocks(city, 0)
    wipe(late)
    make_blocks(city, 100)
    height = make_snapshots(city)
    make_blocks(city, 200, 4)
    late.sent.clear()
    begin_from_state(late, StoreLinks(city.nodes[:3]))
    late.restart()
    assert late.chain.base == height + 1
    assert late.core is not None
    assert late.core.machine.status().abstaining
    assert not voted(late)
    make_blocks(city, 300, 20)
    assert_same_state(city, late)
    city.run(lambda: late.core is not None and not late.core.machine.status().abstaining)
    city.nodes[2].kill()
    make_blocks(city, 400, 3)
    assert voted(late), "three of four need it"


@pytest.mark.parametrize("is_bad", [False, True], ids=["on good links", "on bad ones"])
def test_past_epochs_are_proven_from_genesis_on(city: CoreCity, is_bad: bool) -> None:
    late, council = city.nodes[3], Council(city)
    wipe(late)
    for epoch in range(1, 4):
        if is_bad and epoch == 2:
            city.weather = type(city.weather)(delay_ms_max=150, lost_percent=20)
        council.decide(SetParameters((ParameterSetting("delta_ms", 250 + epoch),)))
        reach_epoch(city, epoch)
        city.weather = type(city.weather)()
    make_blocks(city, 0)
    make_snapshots(city)
    begin_from_state(late, StoreLinks(city.nodes[:3]))
    late.restart()
    assert late.core is not None
    assert late.core.config.validators.epoch == 3
    make_blocks(city, 100, 4)
    assert_same_state(city, late)
    with late.chain.snapshot() as here, city.nodes[0].chain.snapshot() as there:
        for epoch in range(3):
            assert end_of_epoch(here, epoch) is not None
            assert end_of_epoch(there, epoch) is not None


def test_what_was_forgotten_in_this_epoch_is_not_excused_by_epochs_before_it(
    city: CoreCity,
) -> None:
    late, council = city.nodes[3], Council(city)
    for epoch in (1, 2):
        council.decide(SetParameters((ParameterSetting("delta_ms", 250 + epoch),)))
        reach_epoch(city, epoch)
    make_blocks(city, 0, 4)
    wipe(late)
    ChainStore.create(late.folder / "chain", GENESIS, map_bytes=city.map_bytes).close()
    city.nodes[2].kill()
    late.sent.clear()
    late.restart()
    city.run(partial(follows, city, late))
    assert late.core is not None
    assert late.core.config.validators.epoch == 2
    city.run_for(5_000)
    assert is_silent(late), "one of the three others has not said where it was"
    assert not voted(late)
    city.nodes[2].restart()
    make_blocks(city, 100, 20)
    city.run(lambda: not is_silent(late))


def test_what_was_imported_before_a_kill_is_not_asked_again(city: CoreCity) -> None:
    late = city.nodes[3]
    make_blocks(city, 0)
    wipe(late)
    make_snapshots(city)
    links = StoreLinks(city.nodes[:3])
    run, phase = taking_over(late, links)
    while not run.state_import or list(run.state_import.missing()):
        links.drive(phase, turns=1)
    run.close()
    again = StoreLinks(city.nodes[:3])
    begin_from_state(late, again)
    asked = [one for one in again.asked if isinstance(one, SnapshotPartRequest)]
    assert len(asked) <= 1, "at most the one that says how far back"
    late.restart()
    make_blocks(city, 100, 4)
    assert_same_state(city, late)


def wrong_leaves(message: WireMessage) -> WireMessage:
    if isinstance(message, SnapshotPartAnswer):
        return SnapshotPartAnswer(
            message.height, message.part, message.position, message.leaves[1:], message.more
        )
    return message


def silent(_: WireMessage) -> None:
    return None


@pytest.mark.parametrize("lie", [wrong_leaves, silent])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_of_three_lies(city: CoreCity, lie: Lie, place: int) -> None:
    late = city.nodes[3]
    make_blocks(city, 0)
    wipe(late)
    make_snapshots(city)
    liar = city.nodes[place].key
    links = StoreLinks(city.nodes[:3], {liar: lie})
    begin_from_state(late, links)
    assert set(links.reports) <= {liar}
    late.restart()
    make_blocks(city, 100, 4)
    assert_same_state(city, late)


def test_a_repeated_transaction_from_before_the_state_is_known(city: CoreCity) -> None:
    late = city.nodes[3]
    make_blocks(city, 0, 3)
    raw = document(77, valid_until_ms=city.wall_ms + 60_000)
    (outcome,) = city.nodes[0].submit(raw)
    city.run(partial(city.nodes[0].is_final, outcome))
    wipe(late)
    make_blocks(city, 100, 3)
    make_snapshots(city)
    begin_from_state(late, StoreLinks(city.nodes[:3]))
    late.restart()
    (again,) = late.submit(raw)
    assert again.known


def test_a_chain_that_is_too_old_gives_way_to_a_state_above_it(city: CoreCity) -> None:
    late = city.nodes[3]
    make_blocks(city, 0, 3)
    late.kill()
    old = late.folder / "chain"
    assert old.exists()
    make_blocks(city, 100)
    make_snapshots(city)
    begin_from_state(late, StoreLinks(city.nodes[:3]), above=3)
    late.restart()
    make_blocks(city, 200, 20)
    assert_same_state(city, late)
    assert late.reports == []


def test_a_second_node_can_begin_from_one_that_began_so_itself(city: CoreCity) -> None:
    first, second = city.nodes[3], city.nodes[2]
    make_blocks(city, 0)
    wipe(first)
    make_snapshots(city)
    begin_from_state(first, StoreLinks(city.nodes[:3]))
    first.restart()
    make_blocks(city, 100, 30)
    city.run(lambda: first.core is not None and not first.core.machine.status().abstaining)
    make_snapshots(city)
    wipe(second)
    begin_from_state(second, StoreLinks([first]))
    second.restart()
    make_blocks(city, 200, 4)
    assert_same_state(city, second)


def test_a_new_member_begins_from_a_state_says_that_it_is_ready_and_votes(city: CoreCity) -> None:
    council = Council(city)
    make_blocks(city, 0)
    make_snapshots(city)
    bank = CoreNode(city, city.nodes[0].folder.parent / "4", 4)
    shutil.rmtree(bank.folder / "chain")
    city.nodes.append(bank)
    begin_from_state(bank, StoreLinks(city.nodes[:3]))
    council.add(4)
    bank.restart()
    assert bank.chain.base > 0
    reach_epoch(city, 1)
    assert bank.core is not None
    assert bank.core.config.index is not None
    city.nodes[3].kill()
    make_blocks(city, 300, 3)
    assert voted(bank), "four of five need it"
    assert_same_state(city, bank)


def test_a_restored_backup_is_silent_until_it_is_safe(city: CoreCity) -> None:
    late = city.nodes[3]
    make_blocks(city, 0, 4)
    late.kill()
    copies = {name: late.folder / f"{name}-copy" for name in ("chain", "journal")}
    for name, copy in copies.items():
        shutil.copytree(late.folder / name, copy)
    late.restart()
    make_blocks(city, 100)
    late.kill()
    for name, copy in copies.items():
        shutil.rmtree(late.folder / name)
        copy.rename(late.folder / name)
    with opened_journal(late) as journal:
        journal.mark_abstaining()
    late.sent.clear()
    late.restart()
    city.run_for(1_000)
    assert is_silent(late)
    assert not voted(late)
    make_blocks(city, 200, 20)
    city.run(lambda: not is_silent(late))
    city.nodes[2].kill()
    make_blocks(city, 300, 3)
    assert voted(late), "three of four need it"


def test_when_more_are_wiped_than_may_fail_only_the_operators_can_go_on(city: CoreCity) -> None:
    make_blocks(city, 0, 4)
    make_snapshots(city)
    wiped = city.nodes[2:]
    for late in wiped:
        wipe(late)
    for late in wiped:
        begin_from_state(late, StoreLinks(city.nodes[:2]))
        late.restart()
    raw = document(100, valid_until_ms=city.wall_ms + 60_000)
    (outcome,) = city.nodes[0].submit(raw)
    assert outcome.refusal is None
    city.run_for(20_000)
    assert not city.nodes[0].is_final(outcome)
    assert all(is_silent(late) for late in wiped)
    for late in wiped:
        late.kill()
        with opened_journal(late) as journal:
            journal.assume_safe()
        late.restart()
    city.run(lambda: all(node.is_final(outcome) for node in city.nodes))


@contextmanager
def opened_journal(node: CoreNode) -> Iterator[Journal]:
    """Open the journal of a stopped node, as the commands for operators do."""
    key, network = node.identity.journal_key, genesis_digest(GENESIS)
    journal = Journal.open(node.folder / "journal", key, network, map_bytes=node.city.map_bytes)
    try:
        yield journal
    finally:
        journal.close()


def is_silent(node: CoreNode) -> bool:
    return node.core is not None and node.core.machine.status().abstaining
