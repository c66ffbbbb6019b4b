"""Scenarios of what is done every second: expiries, pruning, a disk that fills up."""

import pytest

from harness.core_city import CoreCity, CoreNode, document, fast_folder
from moyai.node import core as node_core
from moyai.node import housekeeping
from moyai.node.ingest import Submitted
from moyai.storage import environment
from moyai.storage.errors import StorageFull
from moyai.storage.pruning import Pruner

LIFETIME_MS = 10_000


@pytest.fixture(autouse=True)
def prune_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "PRUNE_BLOCKS", 4)


def make_blocks(city: CoreCity, count: int, first: int = 0) -> list[Submitted]:
    outcomes: list[Submitted] = []
    for number in range(first, first + count):
        (outcome,) = city.nodes[1].submit(document(number))
        while not city.nodes[1].is_final(outcome):
            city.step()
        outcomes.append(outcome)
    return outcomes


def test_the_journal_forgets_what_is_on_disk(city: CoreCity) -> None:
    node = city.nodes[0]
    make_blocks(city, 8)
    before = len(node.journal.load().blocks)
    node.keep_house()
    assert before >= 8
    assert len(node.journal.load().blocks) <= 2
    assert len(node.journal.floors()) <= 2
    node.keep_house()


def test_what_is_on_disk_nowhere_else_is_kept_and_executed_again(city: CoreCity) -> None:
    node = city.nodes[0]
    make_blocks(city, 8)
    node.keep_house()
    node.is_disk_slow = True
    late = make_blocks(city, 3, first=50)
    city.run_for(1_000)
    unwritten = node.chain.height - node.chain.committed_height
    assert unwritten >= 3
    node.housekeeping._pruned = 0
    node.keep_house()
    assert len(node.journal.load().blocks) >= unwritten
    node.kill()
    node.is_cut, node.is_disk_slow = True, False
    node.restart()
    city.run(lambda: all(node.is_final(outcome) for outcome in late))


def test_after_pruning_a_restart_goes_on_voting(city: CoreCity) -> None:
    make_blocks(city, 8)
    for node in city.nodes:
        node.keep_house()
    for node in city.nodes:
        node.close()
    city.start()
    make_blocks(city, 2, first=50)
    assert not [
        reason for node in city.nodes for what, reason in node.counts if what == "abstaining"
    ]


def expire_later(city: CoreCity, node: CoreNode) -> Submitted:
    """Hand in a transaction of a short life to a node that is cut off."""
    node.is_cut = True
    city.links_changed()
    (outcome,) = node.submit(document(1, valid_until_ms=city.wall_ms + LIFETIME_MS))
    return outcome


def back(city: CoreCity) -> None:
    """Link everybody again, and let a block of a later time become final everywhere."""
    for node in city.nodes:
        node.is_cut = False
    city.links_changed()
    (later,) = city.nodes[1].submit(document(2))
    city.run(lambda: all(node.is_final(later) for node in city.nodes))


def test_who_waits_is_told_of_an_expiry_once_the_chain_has_passed_it(city: CoreCity) -> None:
    node = city.nodes[0]
    outcome = expire_later(city, node)
    assert node.core is not None
    assert outcome.id is not None
    city.run_for(2 * LIFETIME_MS)
    node.keep_house()
    assert len(node.core.mempool) == 0
    assert node.expired == []
    assert node.core.is_pending(outcome.id)
    back(city)
    node.keep_house()
    node.keep_house()
    assert node.expired == [outcome.id]
    assert not node.core.is_pending(outcome.id)


def test_who_is_cut_off_does_not_call_expired_what_the_others_made_final(city: CoreCity) -> None:
    node, other = city.nodes[:2]
    outcome = expire_later(city, node)
    other.submit(document(1, valid_until_ms=city.wall_ms + LIFETIME_MS))
    city.run(lambda: other.is_final(outcome))
    city.run_for(2 * LIFETIME_MS)
    node.keep_house()
    back(city)
    node.keep_house()
    assert node.is_final(outcome)
    assert node.expired == []


def test_what_the_others_made_final_so_long_ago_that_it_is_pruned_has_not_expired(
    city: CoreCity,
) -> None:
    node, other = city.nodes[:2]
    outcome = expire_later(city, node)
    other.submit(document(1, valid_until_ms=city.wall_ms + LIFETIME_MS))
    city.run(lambda: other.is_final(outcome))
    city.run_for(2 * LIFETIME_MS)
    node.keep_house()
    back(city)
    Pruner(node.chain).raise_base(node.chain.height)
    node.keep_house()
    assert node.expired == []


def test_a_node_that_is_cut_off_for_long_forgets_the_oldest_of_what_is_over(
    city: CoreCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_core, "UNSETTLED_MAX", 1)
    node = city.nodes[0]
    oldest = expire_later(city, node)
    (newer,) = node.submit(document(3, valid_until_ms=city.wall_ms + LIFETIME_MS + 1))
    assert node.core is not None
    city.run_for(2 * LIFETIME_MS)
    node.keep_house()
    assert not node.core.is_pending(oldest.id)
    assert node.core.is_pending(newer.id)
    back(city)
    node.keep_house()
    assert node.expired == [newer.id]


def test_what_is_over_in_a_block_under_way_has_not_expired(city: CoreCity) -> None:
    """Two of four cannot finish the block that they hold; with a third they do."""
    valid_until_ms = city.wall_ms + LIFETIME_MS
    for node in city.nodes[2:]:
        node.is_cut = True
    city.links_changed()
    node = city.nodes[0]
    (outcome,) = node.submit(document(1, valid_until_ms=valid_until_ms))
    city.nodes[1].submit(document(1, valid_until_ms=valid_until_ms))
    assert outcome.id is not None
    core = node.core
    assert core is not None
    city.run(lambda: core.bodies.find(outcome.id) is not None)
    city.run_for(LIFETIME_MS + 5_000)
    node.keep_house()
    assert len(core.mempool) == 0
    assert node.expired == []
    assert core.is_pending(outcome.id)
    back(city)
    node.keep_house()
    assert (node.expired == [outcome.id]) is not node.is_final(outcome)


def test_a_node_stops_before_its_disk_is_full(
    city: CoreCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    city.nodes[0].keep_house()
    monkeypatch.setattr(environment, "STOP_PERCENT", 0)
    with pytest.raises(StorageFull, match="nearly full"):
        city.nodes[0].keep_house()


def test_before_that_it_takes_no_new_transactions_and_those_in_stay() -> None:
    with fast_folder() as folder:
        city = CoreCity(folder, map_bytes=1_000_000)
        city.start()
        node = city.nodes[0]
        accepted: list[Submitted] = []
        while not accepted or accepted[-1].refusal is None:
            accepted += node.submit(*(document(len(accepted) + place) for place in range(20)))
            city.run_for(500)
        refusal = accepted[-1].refusal
        assert refusal.code == "busy"
        assert "another node" in refusal.next
        taken = [outcome for outcome in accepted if outcome.refusal is None]
        city.run(lambda: all(each.is_final(one) for each in city.nodes for one in taken))
        assert node.status.status().disk.level == "no new transactions"
        node.keep_house()
        city.close()
