"""Scenarios of fetching: the leader is asked first, then the others, until nothing is missing."""

import pytest

from harness.peer_nodes import network_key
from moyai.p2p import limits
from moyai.p2p.fetch import Fetcher, Question, answer_transactions
from moyai.p2p.messages import (
    PAYLOAD_BYTES_MAX,
    TransactionRequest,
    decode_message,
    encode_message,
)
from moyai.primitives.ids import Digest, TransactionId
from moyai.primitives.limits import BLOCK_TRANSACTIONS_MAX, TRANSACTION_BYTES_MAX

LEADER, SECOND = network_key(1), network_key(2)
GRACE, WAIT = limits.FETCH_GRACE_MS, limits.FETCH_MS


def an_id(number: int) -> TransactionId:
    return TransactionId(number.to_bytes(32, "big"))


def a_block(number: int) -> Digest:
    return Digest(number.to_bytes(32, "big"))


def test_what_is_on_its_way_is_not_asked_for() -> None:
    fetcher = Fetcher()
    fetcher.want(a_block(1), [an_id(1), an_id(2)], (LEADER,), 0)
    assert fetcher.step(GRACE - 1) == []
    assert fetcher.received([an_id(2), an_id(1), an_id(9)]) == [a_block(1)]
    assert fetcher.due_ms() is None
    assert fetcher.step(10_000) == []


def test_the_sources_are_asked_in_turn_for_what_is_left() -> None:
    fetcher = Fetcher()
    fetcher.want(a_block(1), [an_id(1), an_id(2)], (LEADER, SECOND), 0)
    assert fetcher.due_ms() == GRACE
    both = TransactionRequest((an_id(1), an_id(2)))
    assert fetcher.step(GRACE) == [Question(LEADER, both)]
    assert fetcher.step(GRACE + 1) == []
    assert fetcher.received([an_id(1)]) == []
    rest = TransactionRequest((an_id(2),))
    assert fetcher.step(GRACE + WAIT) == [Question(SECOND, rest)]
    assert fetcher.step(GRACE + 2 * WAIT) == [Question(LEADER, rest)]


def test_a_later_call_adds_sources_and_nothing_else() -> None:
    fetcher = Fetcher()
    fetcher.want(a_block(1), [an_id(1)], (), 0)
    assert fetcher.due_ms() is None
    assert fetcher.step(1_000) == []
    fetcher.want(a_block(1), [an_id(1)], (SECOND, SECOND), 1_000)
    assert [one.peer for one in fetcher.step(1_000)] == [SECOND]


def test_one_transaction_can_complete_two_blocks() -> None:
    fetcher = Fetcher()
    fetcher.want(a_block(1), [an_id(1)], (LEADER,), 0)
    fetcher.want(a_block(2), [an_id(1)], (LEADER,), 0)
    fetcher.want(a_block(3), [an_id(1)], (LEADER,), 0)
    fetcher.forget(a_block(3))
    assert fetcher.received([an_id(1)]) == [a_block(1), a_block(2)]


def test_the_oldest_block_gives_way() -> None:
    fetcher = Fetcher()
    for number in range(limits.FETCH_BLOCKS_MAX + 1):
        fetcher.want(a_block(number), [an_id(number)], (LEADER,), 0)
    assert len(fetcher.step(GRACE)) == limits.FETCH_BLOCKS_MAX
    assert fetcher.received([an_id(0)]) == []


def test_an_answer_holds_what_is_known_in_the_order_asked() -> None:
    known = {an_id(1): b"one", an_id(3): b"three"}
    request = TransactionRequest((an_id(3), an_id(2), an_id(1)))
    (answer,) = answer_transactions(request, known.get)
    assert answer.transactions == (b"three", b"one")
    assert list(answer_transactions(TransactionRequest((an_id(2),)), known.get)) == []


@pytest.mark.parametrize(("count", "size"), [(64, TRANSACTION_BYTES_MAX), (4_096, 700)])
def test_answers_are_cut_to_what_a_message_may_hold(count: int, size: int) -> None:
    assert count <= BLOCK_TRANSACTIONS_MAX
    request = TransactionRequest(tuple(an_id(number) for number in range(count)))
    answers = list(answer_transactions(request, lambda _: bytes(size)))
    assert sum(len(answer.transactions) for answer in answers) == count
    for answer in answers:
        payload = encode_message(answer)
        assert len(payload) <= PAYLOAD_BYTES_MAX[22]
        assert decode_message(22, payload) == answer


def test_a_question_is_answered_once_and_up_to_a_bound() -> None:
    looked_up: list[TransactionId] = []

    def lookup(transaction_id: TransactionId) -> bytes:
        looked_up.append(transaction_id)
        return bytes(TRANSACTION_BYTES_MAX)

    (answer,) = answer_transactions(
        TransactionRequest((an_id(1),) * BLOCK_TRANSACTIONS_MAX), lookup
    )
    assert len(answer.transactions) == len(looked_up) == 1
    everything = TransactionRequest(tuple(an_id(one) for one in range(BLOCK_TRANSACTIONS_MAX)))
    answers = list(answer_transactions(everything, lookup))
    size = sum(len(raw) for answer in answers for raw in answer.transactions)
    assert size == limits.FETCH_ANSWER_BYTES_MAX
    assert len(looked_up) == 1 + size // TRANSACTION_BYTES_MAX
