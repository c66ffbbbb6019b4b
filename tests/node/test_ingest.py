"""Scenarios of transactions on their way in, from clients and from peers that may lie."""

import pytest

from harness.core_city import CHAIN_ID, START_MS, document, forged
from harness.orders import check_order, checked
from moyai.ledger.mempool import Mempool
from moyai.ledger.recent import RecentIds
from moyai.node import ingest as ingest_module
from moyai.node.bodies import Bodies
from moyai.node.ingest import SLICE_SIGNATURES, Admissible, Ingest, Submitted, Verified
from moyai.primitives.ids import NetworkKey, TimeMs
from moyai.primitives.parameters import Parameters

HONEST, LIAR = NetworkKey(b"\x01" * 32), NetworkKey(b"\x02" * 32)
PARAMETERS = Parameters(account_pending_max=20)


class Desk:
    """An ingest with the real pool, final ids and bodies."""

    def __init__(self) -> None:
        self.pool = Mempool(PARAMETERS)
        self.final_ids = RecentIds(PARAMETERS.tx_window_ms)
        self.bodies = Bodies(parameters=PARAMETERS, pool=self.pool, final_ids=self.final_ids)
        self.reports: list[tuple[NetworkKey, str]] = []
        self.ingest = Ingest(
            admissible=Admissible(CHAIN_ID, PARAMETERS.tx_window_ms),
            mempool=self.pool,
            is_final=self.final_ids.__contains__,
            is_wanted=self.bodies.wants,
            misbehaved=lambda peer, reason: self.reports.append((peer, reason)),
        )

    def submit(self, *raws: bytes) -> list[list[Submitted]]:
        """Return the list in which the answer will appear, once."""
        answers: list[list[Submitted]] = []
        self.ingest.submit(raws, START_MS, answers.append)
        return answers

    def receive(self, sender: NetworkKey, *raws: bytes) -> None:
        self.ingest.receive(sender, raws, START_MS)

    def verify(self) -> Verified:
        found = self.verify_ready()
        assert not self.ingest.backlog
        return found

    def verify_ready(self) -> Verified:
        found = Verified([], [], [], [])
        while self.ingest.ready:
            part = self.ingest.verify_slice()
            found.pooled.extend(part.pooled)
            found.own.extend(part.own)
            found.wanted.extend(part.wanted)
            found.forged.extend(part.forged)
        return found

    def want(self, number: int) -> None:
        """Let a body wait for document `number`."""
        assert self.bodies.check(check_order([checked(number)])) is None


@pytest.fixture
def desk() -> Desk:
    return Desk()


def code(outcome: Submitted) -> str:
    return outcome.refusal.code if outcome.refusal is not None else ""


def test_an_empty_list_is_answered_at_once(desk: Desk) -> None:
    assert desk.submit() == [[]]


def test_outcomes_come_once_and_in_the_order_of_the_list(desk: Desk) -> None:
    raws = [
        document(1),
        b"\xc1 no transaction",
        forged(document(2)),
        document(3, chain_id="elsewhere"),
        document(4, valid_until_ms=START_MS),
        document(5, valid_until_ms=START_MS + PARAMETERS.tx_window_ms + 1),
        document(1),
    ]
    answers = desk.submit(*raws)
    assert answers == []
    desk.verify()
    (outcomes,) = answers
    assert outcomes[0] == outcomes[6] == Submitted(checked(1).id, None)
    assert [code(outcome) for outcome in outcomes[2:6]] == [
        "bad_signature",
        "wrong_chain",
        "expired",
        "too_far_ahead",
    ]
    assert code(outcomes[1])


def test_own_transactions_are_passed_on_and_those_of_peers_are_not(desk: Desk) -> None:
    desk.submit(document(1))
    desk.receive(HONEST, document(2))
    found = desk.verify()
    assert found.pooled == [checked(1), checked(2)]
    assert found.own == [checked(1)]
    assert desk.reports == []


def test_a_client_who_hands_in_what_a_peer_sent_a_moment_ago_makes_it_our_own(desk: Desk) -> None:
    desk.receive(LIAR, document(1))
    answers = desk.submit(document(1))
    assert desk.verify().own == [checked(1)]
    assert answers == [[Submitted(checked(1).id, None)]]


def test_what_is_pooled_or_final_is_known(desk: Desk) -> None:
    desk.submit(document(1))
    desk.verify()
    desk.final_ids.add_block(TimeMs(START_MS), [checked(2).id])
    (outcomes,) = desk.submit(document(1), document(2))
    assert [outcome.known for outcome in outcomes] == [True, True]
    desk.receive(HONEST, document(1), document(2))
    assert not desk.ingest.backlog


def test_what_becomes_final_while_it_is_queued_is_known_and_not_pooled(desk: Desk) -> None:
    answers = desk.submit(document(1))
    desk.final_ids.add_block(TimeMs(START_MS), [checked(1).id])
    assert desk.verify() == Verified([], [], [], [])
    assert answers == [[Submitted(checked(1).id, None, known=True)]]


def test_forged_copies_sent_before_the_good_one_do_not_keep_it_out(desk: Desk) -> None:
    desk.receive(LIAR, forged(document(1)))
    desk.receive(HONEST, document(1))
    answers = desk.submit(document(1))
    assert desk.verify().pooled == [checked(1)]
    assert [peer for peer, _ in desk.reports] == [LIAR]
    assert answers == [[Submitted(checked(1).id, None)]]


def test_forged_copies_of_what_a_body_wants_do_not_complete_it(desk: Desk) -> None:
    desk.want(1)
    desk.receive(LIAR, forged(document(1)))
    assert desk.verify().wanted == []
    desk.receive(HONEST, document(1))
    assert desk.verify().wanted == [checked(1)]


def test_what_no_transaction_is_ends_the_batch_of_a_liar(desk: Desk) -> None:
    desk.receive(LIAR, b"", document(1))
    assert [peer for peer, _ in desk.reports] == [LIAR]
    assert not desk.ingest.backlog


def test_an_honest_peer_with_another_clock_is_not_reported(desk: Desk) -> None:
    desk.receive(HONEST, document(1, valid_until_ms=START_MS), document(2, chain_id="elsewhere"))
    assert desk.reports == []
    assert not desk.ingest.backlog


def test_what_a_body_wants_is_taken_although_it_is_over_or_the_pool_refuses_it(desk: Desk) -> None:
    for number in range(PARAMETERS.account_pending_max):
        desk.submit(document(100 + number))
    desk.verify()
    over = checked(1, valid_until_ms=START_MS)
    assert desk.bodies.check(check_order([over])) is None
    desk.want(2)
    desk.receive(HONEST, over.raw, document(2), document(3))
    found = desk.verify()
    assert found.wanted == [checked(2), over]
    assert found.pooled == []


def test_a_refusal_of_the_pool_is_told_to_the_client_and_is_not_known(desk: Desk) -> None:
    for number in range(PARAMETERS.account_pending_max):
        desk.submit(document(100 + number))
    answers = desk.submit(document(1))
    desk.verify()
    ((outcome,),) = answers
    assert code(outcome) == "account_busy"
    assert not outcome.known


def test_what_a_body_wants_is_checked_before_everything_else(desk: Desk) -> None:
    for number in range(2 * SLICE_SIGNATURES):
        desk.receive(LIAR, document(100 + number))
    desk.receive(HONEST, document(1))
    desk.want(1)
    desk.want(2)
    desk.receive(HONEST, document(1), document(2))
    backlog = desk.ingest.backlog
    assert desk.ingest.verify_slice().wanted == [checked(2), checked(1)]
    assert desk.ingest.backlog == backlog - SLICE_SIGNATURES
    assert desk.verify().wanted == []
    assert not desk.ingest.backlog


def test_what_is_here_and_unchecked_is_hurried_instead_of_asked_for(desk: Desk) -> None:
    for number in range(2 * SLICE_SIGNATURES):
        desk.receive(HONEST, document(100 + number))
    desk.receive(HONEST, document(1))
    desk.want(1)
    absent = desk.ingest.expedite([checked(1).id, checked(2).id])
    assert absent == (checked(2).id,)
    assert desk.ingest.verify_slice().wanted == [checked(1)]


def test_a_forged_copy_is_named_so_that_the_good_one_is_asked_for(desk: Desk) -> None:
    desk.receive(LIAR, forged(document(1)))
    desk.want(1)
    assert desk.ingest.expedite([checked(1).id]) == ()
    assert desk.verify().forged == [checked(1).id]
    assert desk.ingest.expedite([checked(1).id]) == (checked(1).id,)


def test_a_node_that_is_behind_lays_the_newest_of_its_peers_aside_unchecked(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest_module, "ASIDE_MAX", 3)
    desk.receive(HONEST, document(1))
    desk.ingest.give_way(behind=True)
    desk.receive(HONEST, *(document(number) for number in range(2, 6)))
    desk.want(6)
    desk.receive(HONEST, document(6))
    found = desk.ingest.verify_slice()
    assert (found.pooled, desk.ingest.ready, desk.ingest.backlog) == ([checked(6)], 0, 3)
    desk.ingest.became_final([checked(4).id])
    desk.ingest.give_way(behind=False)
    assert desk.verify().pooled == [checked(3), checked(5)]


def test_what_was_laid_aside_is_checked_when_a_body_or_a_client_waits_for_it(desk: Desk) -> None:
    desk.ingest.give_way(behind=True)
    desk.receive(HONEST, document(1), document(2), document(3))
    assert desk.ingest.verify_slice() == Verified([], [], [], [])
    desk.want(1)
    assert desk.ingest.expedite([checked(1).id]) == ()
    answers = desk.submit(document(2))
    assert desk.ingest.verify_slice().pooled == [checked(1), checked(2)]
    assert answers == [[Submitted(checked(2).id, None)]]
    assert (desk.ingest.ready, desk.ingest.backlog) == (0, 1)


def test_a_node_that_is_behind_takes_few_of_its_clients_and_asks_the_others_to_come_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest_module, "BEHIND_QUEUE_MAX", 2)
    desk.ingest.give_way(behind=True)
    desk.receive(HONEST, document(4))
    desk.ingest.verify_slice()
    answers = desk.submit(document(1), document(2), document(3), document(4))
    assert desk.verify_ready().own == [checked(1), checked(2)]
    assert [code(outcome) for outcome in answers[0]] == ["", "", "busy", "busy"]
    assert desk.ingest.backlog == 1


def test_a_client_hears_that_what_it_waits_for_became_final_before_it_was_checked(
    desk: Desk,
) -> None:
    answers = desk.submit(document(1))
    desk.ingest.became_final([checked(1).id])
    assert answers == [[Submitted(checked(1).id, None, known=True)]]
    assert desk.verify() == Verified([], [], [], [])


def test_the_queue_is_bounded_for_clients_for_peers_and_for_what_is_wanted(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest_module, "VERIFY_QUEUE_MAX", 2)
    monkeypatch.setattr(ingest_module, "WANTED_QUEUE_MAX", 3)
    desk.receive(LIAR, document(1), document(2), document(3))
    assert desk.ingest.backlog == 2
    ((busy,),) = desk.submit(document(4))
    assert code(busy) == "busy"
    desk.want(5)
    desk.receive(LIAR, forged(document(5)), document(5))
    assert desk.ingest.backlog == 3
    desk.verify()
    desk.receive(HONEST, document(5))
    assert desk.verify().wanted == [checked(5)]


def test_the_queue_is_bounded_in_bytes_too(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest_module, "VERIFY_BYTES_MAX", len(document(1)) + 1)
    monkeypatch.setattr(ingest_module, "WANTED_BYTES_MAX", len(document(1)) + 1)
    desk.want(9)
    desk.receive(LIAR, document(1), document(2), document(3), document(9))
    assert desk.ingest.backlog == 2
    ((busy,),) = desk.submit(document(4))
    assert code(busy) == "busy"
    desk.verify()
    desk.receive(HONEST, document(9))
    assert desk.verify().wanted == [checked(9)]
