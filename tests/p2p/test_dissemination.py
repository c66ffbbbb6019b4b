"""Scenarios of dissemination: batches leave in time, what is not settled is sent again."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from moyai.p2p import limits
from moyai.p2p.dissemination import Dissemination, pack
from moyai.p2p.messages import PAYLOAD_BYTES_MAX, TransactionBatch, encode_message
from moyai.primitives.ids import TransactionId, View
from moyai.primitives.limits import BLOCK_TRANSACTIONS_MAX, TRANSACTION_BYTES_MAX


def an_id(number: int) -> TransactionId:
    return TransactionId(number.to_bytes(32, "big"))


def raws(batches: list[TransactionBatch]) -> list[bytes]:
    return [raw for batch in batches for raw in batch.transactions]


def test_a_batch_leaves_five_milliseconds_after_its_first_transaction() -> None:
    node = Dissemination()
    assert node.due_ms() is None
    node.accept(an_id(1), b"one", 1_000)
    node.accept(an_id(2), b"two", 1_003)
    assert node.due_ms() == 1_005
    assert node.step(1_004, View(1)) == []
    assert node.step(1_005, View(1)) == [TransactionBatch((b"one", b"two"))]
    assert node.due_ms() is None


def test_a_full_batch_leaves_at_once() -> None:
    node = Dissemination()
    node.accept(an_id(1), bytes(limits.BATCH_BYTES), 1_000)
    assert node.due_ms() == 1_000
    assert len(node.step(1_000, View(1))) == 1


def test_the_same_transaction_is_taken_once() -> None:
    node = Dissemination()
    for _ in range(2):
        node.accept(an_id(1), b"one", 0)
    assert raws(node.step(5, View(1))) == [b"one"]
    assert len(node) == 1


def test_what_is_not_settled_is_sent_again_later_and_later() -> None:
    node = Dissemination()
    node.accept(an_id(1), b"one", 0)
    sent_ms = [now for now in range(0, 24_000, 5) if node.step(now, View(1))]
    waits = [later - earlier for earlier, later in pairwise(sent_ms)]
    assert waits == [1_000, 2_000, 4_000, 8_000, 8_000]
    node.settle([an_id(1)])
    assert not any(node.step(now, View(1)) for now in range(24_000, 64_000, 100))
    assert len(node) == 0


def test_three_views_are_enough_but_not_within_milliseconds() -> None:
    node = Dissemination()
    node.accept(an_id(1), b"one", 0)
    node.step(5, View(10))
    assert not node.step(254, View(13))
    assert not node.step(300, View(12))
    assert raws(node.step(300, View(13))) == [b"one"]


def test_a_backlog_is_sent_again_one_batch_at_a_time() -> None:
    node = Dissemination()
    for number in range(400):
        node.accept(an_id(number), bytes([number % 256]) * 1_000, 0)
    assert len(raws(node.step(5, View(1)))) == 400
    again = [node.step(2_000 + now, View(1)) for now in range(10)]
    assert all(len(batches) <= 1 for batches in again)
    assert all(
        len(encode_message(batch)) <= limits.BATCH_BYTES + 2_000 for one in again for batch in one
    )
    assert sum(len(raws(batches)) for batches in again) == 400, "the longest waiting go first"


def test_the_number_that_is_waited_for_is_bounded() -> None:
    node = Dissemination()
    for number in range(limits.WAITING_TRANSACTIONS_MAX + 10):
        node.accept(an_id(number), b"x", 0)
    assert len(node) == limits.WAITING_TRANSACTIONS_MAX


@given(
    st.lists(st.integers(1, TRANSACTION_BYTES_MAX), max_size=60),
    st.integers(limits.BATCH_BYTES, limits.BATCH_BYTES_MAX),
)
def test_parts_keep_the_order_and_fit_their_message(sizes: list[int], bytes_max: int) -> None:
    blank = bytes(TRANSACTION_BYTES_MAX)
    parts = list(pack((blank[:size] for size in sizes), bytes_max))
    assert [len(raw) for part in parts for raw in part] == sizes
    for part in parts:
        assert 1 <= len(part) <= BLOCK_TRANSACTIONS_MAX
        assert len(encode_message(TransactionBatch(part))) <= PAYLOAD_BYTES_MAX[20]


def test_many_small_transactions_fit_as_well() -> None:
    parts = list(pack((b"x" for _ in range(10_000)), limits.BATCH_BYTES_MAX))
    assert [len(part) for part in parts] == [4_096, 4_096, 1_808]
