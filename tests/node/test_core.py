"""Scenarios of four cores on real stores and real keys, joined by a network in memory."""

from functools import partial

from harness.core_city import CoreCity, document, forged
from moyai.consensus.messages import Status
from moyai.node.core import INBOX_MAX, INBOX_PER_PEER_MAX
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
