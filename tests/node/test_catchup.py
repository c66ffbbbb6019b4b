"""Scenarios of catching up: from the honest, from liars, from the silent; a chain that differs."""

from functools import partial

import pytest

from harness.core_city import CoreCity, CoreNode, CrashAt, document, forged
from harness.orders import checked, header_of
from harness.watched_journal import COMMITS_AND_WRITES
from moyai.node import catchup as catchup_module
from moyai.node.halt import NodeHalted
from moyai.node.ingest import Submitted
from moyai.p2p.messages import (
    BodiesAnswer,
    HeadersAnswer,
    TargetAnswer,
    TransactionBatch,
    WireMessage,
)
from moyai.primitives.transaction import CheckedTransaction, Transaction, verify_signatures

BLOCKS = 24


def cut(city: CoreCity, node: CoreNode) -> None:
    node.is_cut = True
    city.links_changed()


def heal(city: CoreCity, node: CoreNode) -> None:
    node.is_cut = False
    city.links_changed()


def make_blocks(city: CoreCity, count: int = BLOCKS, first: int = 0) -> list[Submitted]:
    """Let the first node make blocks final, one document each."""
    outcomes: list[Submitted] = []
    for number in range(first, first + count):
        outcomes += city.nodes[0].submit(document(number))
        city.run(partial(city.nodes[0].is_final, outcomes[-1]))
    return outcomes


def caught_up(node: CoreNode, outcomes: list[Submitted]) -> bool:
    return node.core is not None and all(node.is_final(outcome) for outcome in outcomes)


def has_caught_up_by_sync(node: CoreNode) -> bool:
    return ("note", "catching_up") in node.counts


def invalid_blocks(city: CoreCity) -> list[str]:
    counts = [count for node in city.nodes for count in node.counts]
    return [reason for counter, reason in counts if counter == "invalid_block"]


def test_a_node_that_was_cut_off_forgets_what_became_final_without_it(city: CoreCity) -> None:
    late = city.nodes[3]
    raws = [document(number) for number in range(BLOCKS)]
    late.submit(*raws)
    cut(city, late)
    outcomes = make_blocks(city)
    assert late.core is not None
    assert len(late.core.mempool) == BLOCKS
    heal(city, late)
    city.run(lambda: caught_up(late, outcomes))
    assert has_caught_up_by_sync(late)
    city.run(lambda: late.core is not None and not late.core.catch_up.active)
    assert len(late.core.mempool) == 0
    assert len(late.core._dissemination) == 0
    more = make_blocks(city, first=100)
    city.run(lambda: caught_up(late, more))
    assert invalid_blocks(city) == []


def test_while_it_catches_up_the_others_go_on_and_it_loses_no_block(city: CoreCity) -> None:
    late = city.nodes[3]
    cut(city, late)
    outcomes = make_blocks(city)
    heal(city, late)
    outcomes += make_blocks(city, first=100)
    city.run(lambda: caught_up(late, outcomes))
    city.run(lambda: len({node.chain.committed_height for node in city.nodes}) == 1)
    assert late.history() == city.nodes[0].history()


def test_afterwards_no_body_stays_behind(city: CoreCity) -> None:
    late = city.nodes[3]
    cut(city, late)
    outcomes = make_blocks(city)
    heal(city, late)
    city.run(lambda: caught_up(late, outcomes))
    city.run_for(5_000)
    assert late.core is not None
    assert late.core.bodies._held == {}
    assert late.core.bodies._waiting == {}


@pytest.mark.parametrize("where", COMMITS_AND_WRITES)
def test_a_crash_in_the_middle_of_catching_up(city: CoreCity, where: CrashAt) -> None:
    late = city.nodes[3]
    cut(city, late)
    outcomes = make_blocks(city)
    late.crash(where)
    heal(city, late)
    city.run(lambda: late.core is None)
    late.restart()
    outcomes += make_blocks(city, first=100)
    city.run(lambda: caught_up(late, outcomes))
    city.run(lambda: len({node.chain.committed_height for node in city.nodes}) == 1)
    assert late.history() == city.nodes[0].history()
    assert late.reports == []


def lie_in_bodies(message: WireMessage) -> WireMessage:
    """The right ids under signatures that are none."""
    if not isinstance(message, BodiesAnswer):
        return message
    bodies = tuple(tuple(forged(raw) for raw in body) for body in message.bodies)
    return BodiesAnswer(message.first, message.position, bodies)


def lie_in_headers(message: WireMessage) -> WireMessage:
    if not isinstance(message, HeadersAnswer):
        return message
    return HeadersAnswer(message.target, message.first, message.headers[::-1], message.path)


def say_nothing(message: WireMessage) -> WireMessage | None:
    return None if isinstance(message, TargetAnswer | HeadersAnswer | BodiesAnswer) else message


@pytest.mark.parametrize("lie", [lie_in_bodies, lie_in_headers])
@pytest.mark.parametrize("liar", [0, 1, 2])
def test_one_liar_is_found_out_and_the_others_are_asked(
    city: CoreCity, lie: object, liar: int
) -> None:
    late = city.nodes[3]
    cut(city, late)
    outcomes = make_blocks(city)
    assert callable(lie)
    city.nodes[liar].falsify = lie
    heal(city, late)
    city.run(lambda: caught_up(late, outcomes))
    assert {peer for peer, _ in late.reports} <= {city.nodes[liar].key}
    assert bool(late.reports) == bool(city.nodes[liar].lies)
    assert late.history()[: BLOCKS + 1] == city.nodes[0].history()[: BLOCKS + 1]


def test_two_who_say_nothing_hold_it_up_but_not_for_ever(city: CoreCity) -> None:
    late = city.nodes[3]
    cut(city, late)
    outcomes = make_blocks(city)
    for silent in city.nodes[:2]:
        silent.falsify = say_nothing
    heal(city, late)
    for number in range(100, 130):
        outcomes += city.nodes[0].submit(document(number))
        city.run_for(100)
    city.run(lambda: caught_up(late, outcomes))


def test_a_final_block_of_its_own_that_nobody_else_has_halts_it(city: CoreCity) -> None:
    late = city.nodes[3]
    cut(city, late)
    make_blocks(city)
    assert late.core is not None
    stranger = header_of([checked(999)])
    assert late.core.executor.synced(stranger, (checked(999),), None)
    heal(city, late)
    with pytest.raises(NodeHalted, match="another block at height 1"):
        city.run(lambda: False)


def test_what_peers_pass_on_waits_unchecked_behind_the_blocks(city: CoreCity) -> None:
    late = city.nodes[3]
    cut(city, late)
    outcomes = make_blocks(city)
    heal(city, late)
    assert late.core is not None
    city.run(lambda: late.core is not None and late.core.catch_up.active)
    final_elsewhere = [document(number) for number in range(BLOCKS)]
    waiting = [document(number) for number in range(1_000, 1_100)]
    late.core.receive(city.nodes[0].key, TransactionBatch((*final_elsewhere, *waiting)))
    while late.core.catch_up.active:
        assert len(late.core.mempool) == 0
        city.step()
    assert caught_up(late, outcomes)
    city.run(lambda: late.core is not None and not late.core.ingest.backlog)
    assert len(late.core.mempool) <= len(waiting)
    ids = [checked(number).id for number in range(1_000, 1_100)]
    city.run(lambda: late.core is not None and all(each in late.core.final_ids for each in ids))


def test_a_signature_that_was_checked_before_is_not_checked_again_in_a_block(
    city: CoreCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = city.nodes[3]
    late.submit(*(document(number) for number in range(BLOCKS)))
    checks: list[bytes] = []

    def counted(transaction: Transaction) -> CheckedTransaction:
        checks.append(transaction.id)
        return verify_signatures(transaction)

    monkeypatch.setattr(catchup_module, "verify_signatures", counted)
    cut(city, late)
    outcomes = make_blocks(city, BLOCKS + 2)
    heal(city, late)
    city.run(lambda: caught_up(late, outcomes))
    assert has_caught_up_by_sync(late)
    assert set(checks) <= {outcome.id for outcome in outcomes[BLOCKS:]}
