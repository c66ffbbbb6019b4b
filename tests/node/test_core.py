"""Scenarios of four cores on real stores and real keys, joined by a network in memory."""

from functools import partial

import pytest

from harness.core_city import CoreCity, Weather, document, forged
from harness.orders import checked, header_of
from moyai.consensus.effects import DropBlock
from moyai.consensus.messages import CertificateRequest, Status
from moyai.node import core as core_module
from moyai.node.core import INBOX_MAX, INBOX_PER_PEER_MAX
from moyai.p2p.messages import TransactionBatch
from moyai.primitives.block import header_digest
from moyai.primitives.errors import MoyaiError
from moyai.primitives.ids import Epoch, Height, View


def test_a_transaction_of_any_node_becomes_final_on_all_with_one_state(city: CoreCity) -> None:
    outcomes = [
        outcome for place, node in enumerate(city.nodes) for outcome in node.submit(document(place))
    ]
    assert all(outcome.refusal is None for outcome in outcomes)
    city.run(lambda: all(node.is_final(one) for node in city.nodes for one in outcomes))
    for node in city.nodes:
        with node.chain.snapshot() as snapshot:
            for outcome in outcomes:
                assert outcome.id is not None
                receipt = snapshot.receipt(outcome.id)
                assert receipt is not None
                assert receipt.code == 0


def test_the_roots_are_attested_and_then_the_chain_rests(city: CoreCity) -> None:
    city.nodes[0].submit(document(1))
    city.run(lambda: all(node.chain.tip_header.executed.height > 0 for node in city.nodes))
    heights = [node.chain.height for node in city.nodes]
    city.run_for(30_000)
    assert [node.chain.height for node in city.nodes] == heights


def test_with_one_dead_blocks_go_on_and_it_catches_up_after_a_restart(city: CoreCity) -> None:
    city.nodes[3].kill()
    outcomes = []
    for number in range(40):
        outcomes += city.nodes[number % 3].submit(document(number))
        city.run(partial(city.nodes[0].is_final, outcomes[-1]))
    city.nodes[3].restart()
    city.run(lambda: all(city.nodes[3].is_final(outcome) for outcome in outcomes))
    (last,) = city.nodes[3].submit(document(99))
    city.run(lambda: all(node.is_final(last) for node in city.nodes))


def test_all_killed_at_once_lose_nothing_and_go_on(city: CoreCity) -> None:
    (first,) = city.nodes[0].submit(document(1))
    city.run(lambda: city.nodes[1].is_final(first))
    for node in city.nodes:
        node.close()
    city.start()
    city.run(lambda: all(node.is_final(first) for node in city.nodes))
    (second,) = city.nodes[2].submit(document(2))
    city.run(lambda: all(node.is_final(second) for node in city.nodes))


def test_a_repeated_transaction_is_known_and_a_bad_signature_refused(city: CoreCity) -> None:
    (first,) = city.nodes[0].submit(document(1))
    city.run(lambda: city.nodes[0].is_final(first))
    (again,) = city.nodes[0].submit(document(1))
    assert again.known
    assert again.id == first.id
    (bad,) = city.nodes[0].submit(forged(document(2)))
    assert isinstance(bad.refusal, MoyaiError)
    assert bad.refusal.code == "bad_signature"


def test_one_peer_that_floods_does_not_crowd_out_the_votes_of_another(city: CoreCity) -> None:
    node, flooding, honest = city.nodes[:3]
    core = node.core
    assert core is not None
    status = Status(Epoch(9), View(0), View(0), Height(0), View(0), View(0), False, None)
    dropped = ("dropped", "inbox full")
    for _ in range(2 * INBOX_MAX):
        core.receive(flooding.key, status)
    assert node.counts.count(dropped) == 2 * INBOX_MAX - INBOX_PER_PEER_MAX
    core.receive(honest.key, status)
    assert node.counts.count(dropped) == 2 * INBOX_MAX - INBOX_PER_PEER_MAX
    (first,) = node.submit(document(1))
    city.run(lambda: node.is_final(first))


@pytest.mark.parametrize("delay_ms_max", [1, 20, 60])
def test_without_faults_no_view_is_given_up_and_no_block_is_invalid(
    city: CoreCity, delay_ms_max: int
) -> None:
    city.weather = Weather(delay_ms_max=delay_ms_max)
    city.run_for(2_000)
    outcomes = []
    for number in range(60):
        outcomes += city.nodes[number % 4].submit(document(number))
        city.run_for(city.random.randrange(100))
    city.run(lambda: all(node.is_final(one) for node in city.nodes for one in outcomes))
    city.run_for(5_000)
    counts = [count for node in city.nodes for count in node.counts]
    assert [count for count in counts if count[0] in {"nullified", "invalid_block"}] == []


def test_when_all_is_final_nobody_thinks_that_something_waits(city: CoreCity) -> None:
    (outcome,) = city.nodes[0].submit(document(1))
    city.run(lambda: all(node.is_final(outcome) for node in city.nodes))
    for node in city.nodes:
        assert node.core is not None
        assert not node.core.turn()
        assert not node.core.machine._core.work.pending


def test_a_transaction_that_comes_back_is_offered_to_the_leader_at_once(city: CoreCity) -> None:
    core = city.nodes[0].core
    assert core is not None
    while core.turn():
        pass
    digest = header_digest(header_of([checked(1)]))
    core.bodies.hold(digest, [checked(1)])
    core.performer.settle(DropBlock(digest))
    core.turn()
    assert core.machine._core.work.pending


def test_more_messages_than_the_inbox_holds_are_dropped_and_counted(
    city: CoreCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(core_module, "INBOX_MAX", 3)
    node = city.nodes[0]
    assert node.core is not None
    city.run_for(500)
    for view in range(5):
        node.core.receive(city.nodes[1].key, CertificateRequest(Epoch(0), View(view), View(view)))
    assert node.counts.count(("dropped", "inbox full")) == 2


def test_a_lost_batch_is_sent_again_until_it_arrives(city: CoreCity) -> None:
    """Nobody hears of it at first: the leader is another, and every batch is lost."""
    city.run_for(1_000)
    node = city.nodes[0]
    node.falsify = lambda message: None if isinstance(message, TransactionBatch) else message
    (outcome,) = node.submit(document(1))
    city.run_for(500)
    node.falsify = lambda message: message
    city.run(lambda: all(each.is_final(outcome) for each in city.nodes))


def test_a_transaction_that_only_the_leader_has_is_fetched_from_it(city: CoreCity) -> None:
    for node in city.nodes:
        node.falsify = lambda message: None if isinstance(message, TransactionBatch) else message
    outcomes = [
        one for place, node in enumerate(city.nodes) for one in node.submit(document(place))
    ]
    city.run(lambda: all(node.is_final(one) for node in city.nodes for one in outcomes))
