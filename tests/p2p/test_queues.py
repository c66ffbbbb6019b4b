"""Scenarios of the send queues: what goes first, what gives way, when a peer is cut."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from moyai.p2p import limits
from moyai.p2p.messages import MessageClass
from moyai.p2p.queues import QUEUE_LIMITS, Outgoing, Queued, SendQueues


def an(queue: MessageClass, size: int = 100, view: int | None = None) -> Outgoing:
    return Outgoing(int(queue) + 1, queue, bytes(size), view)


def test_the_most_urgent_class_goes_first_and_each_keeps_its_order() -> None:
    queues = SendQueues(Counter())
    for queue in reversed(MessageClass):
        for size in (10, 20):
            assert queues.push(an(queue, size)) is Queued.QUEUED
    taken = [(message.queue, len(message.payload)) for message in queues.take(10_000)]
    assert taken == [(queue, size) for queue in MessageClass for size in (10, 20)]
    assert (queues.unsent_bytes, queues.unsent_messages) == (0, 0)


def test_a_take_is_about_as_large_as_asked_and_never_empty_handed() -> None:
    queues = SendQueues(Counter())
    for _ in range(3):
        queues.push(an(MessageClass.SYNC, 1_000))
    assert len(queues.take(1)) == 1
    assert len(queues.take(1_500)) == 2
    assert queues.take(1_500) == []


def test_batches_and_sync_are_dropped_when_their_queue_is_full() -> None:
    for queue in (MessageClass.TRANSACTIONS, MessageClass.SYNC):
        drops: Counter[str] = Counter()
        queues = SendQueues(drops)
        room = QUEUE_LIMITS[queue].bytes_max // limits.MEBIBYTE
        for _ in range(room):
            assert queues.push(an(queue, limits.MEBIBYTE)) is Queued.QUEUED
        assert queues.push(an(queue)) is Queued.DROPPED
        assert drops == {f"sending_{queue.name.lower()}": 1}
        assert queues.push(an(MessageClass.VOTES)) is Queued.QUEUED


def test_votes_of_old_views_give_way_to_a_newer_one() -> None:
    drops: Counter[str] = Counter()
    queues = SendQueues(drops)
    for number in range(QUEUE_LIMITS[MessageClass.VOTES].messages_max):
        queues.push(an(MessageClass.VOTES, view=5 if number % 2 else None))
    assert queues.push(an(MessageClass.VOTES, view=6)) is Queued.QUEUED
    left = {message.view for message in queues.take(limits.UNSENT_BYTES_MAX)}
    assert left == {None, 6}, "certificates stay, votes of view 5 are gone"
    assert drops["sending_votes"] == 2_048


def test_a_peer_whose_votes_pile_up_in_one_view_is_cut() -> None:
    queues = SendQueues(Counter())
    for _ in range(QUEUE_LIMITS[MessageClass.VOTES].messages_max):
        queues.push(an(MessageClass.VOTES, view=5))
    assert queues.push(an(MessageClass.VOTES, view=5)) is Queued.CUT
    assert queues.push(an(MessageClass.VOTES, view=None)) is Queued.CUT


def test_a_peer_that_takes_no_proposals_is_cut() -> None:
    queues = SendQueues(Counter())
    for _ in range(QUEUE_LIMITS[MessageClass.PROPOSALS].messages_max):
        assert queues.push(an(MessageClass.PROPOSALS)) is Queued.QUEUED
    assert queues.push(an(MessageClass.PROPOSALS)) is Queued.CUT


def test_bulk_gives_way_when_the_budget_of_the_peer_is_spent() -> None:
    queues = SendQueues(Counter())
    for queue in (MessageClass.TRANSACTIONS, MessageClass.SYNC):
        for _ in range(4):
            assert queues.push(an(queue, limits.MEBIBYTE)) is Queued.QUEUED
    assert queues.unsent_bytes == limits.UNSENT_BYTES_MAX
    assert queues.push(an(MessageClass.VOTES, view=1)) is Queued.QUEUED
    assert queues.unsent_bytes == 100


@given(
    st.lists(
        st.tuples(
            st.sampled_from(MessageClass), st.integers(0, 3 * limits.MEBIBYTE), st.integers(0, 9)
        ),
        max_size=40,
    ),
    st.data(),
)
def test_no_bound_is_ever_passed(
    pushes: list[tuple[MessageClass, int, int]], data: st.DataObject
) -> None:
    queues = SendQueues(Counter())
    blank = bytes(3 * limits.MEBIBYTE)
    for queue, size, view in pushes:
        queues.push(Outgoing(1, queue, blank[:size], view if queue == 0 else None))
        if data.draw(st.integers(0, 3)) == 0:
            queues.take(limits.WRITE_BYTES)
        assert 0 <= queues.unsent_bytes <= limits.UNSENT_BYTES_MAX
    left = queues.take(limits.UNSENT_BYTES_MAX + 1)
    assert queues.unsent_messages == 0
    assert queues.unsent_bytes == 0
    assert sum(len(message.payload) for message in left) <= limits.UNSENT_BYTES_MAX
