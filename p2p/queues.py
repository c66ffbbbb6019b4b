"""What waits to be sent on one link: a bounded queue per message class, served by priority. Pure.

Not here: sealing and writing (`connection`). Payloads arrive encoded, so that a broadcast is
encoded once for all links.
"""

from collections import Counter, deque
from enum import Enum
from typing import Final

import msgspec

from moyai.p2p import limits
from moyai.p2p.messages import MessageClass


class Queued(Enum):
    """What became of a message that was pushed."""

    QUEUED = "queued"
    DROPPED = "dropped"
    CUT = "cut"


class Outgoing(msgspec.Struct, frozen=True):
    """An encoded message; `view` is that of a vote, none for anything else."""

    kind: int
    queue: MessageClass
    payload: bytes
    view: int | None = None


class QueueLimit(msgspec.Struct, frozen=True):
    """The bound of one class, and whether its messages are asked for again when one is dropped."""

    messages_max: int
    bytes_max: int
    droppable: bool


QUEUE_LIMITS: Final = {
    MessageClass.VOTES: QueueLimit(4_096, limits.MEBIBYTE, droppable=False),
    MessageClass.PROPOSALS: QueueLimit(64, 2 * limits.MEBIBYTE, droppable=False),
    MessageClass.FETCH: QueueLimit(1_024, 6 * limits.MEBIBYTE, droppable=False),
    MessageClass.TRANSACTIONS: QueueLimit(1_024, 4 * limits.MEBIBYTE, droppable=True),
    MessageClass.SYNC: QueueLimit(256, 4 * limits.MEBIBYTE, droppable=True),
}

_LABELS: Final = {name: f"sending_{name.name.lower()}" for name in MessageClass}


class SendQueues:
    """The queues of one link and their common budget; `drops` counts what gave way."""

    def __init__(self, drops: Counter[str]) -> None:
        self._drops = drops
        self._queues: tuple[deque[Outgoing], ...] = tuple(deque() for _ in MessageClass)
        self._bytes = [0] * len(MessageClass)
        self.unsent_bytes = 0
        self.unsent_messages = 0

    def push(self, message: Outgoing) -> Queued:
        """Queue `message`, making room by the policy of its class.

        Batches and sync give way; votes give way to votes of later views; for the rest, and for
        votes when nothing is left to give way, the peer is too slow and is to be cut.
        """
        limit = QUEUE_LIMITS[message.queue]
        if not self._fits(message, limit):
            if limit.droppable:
                self._drops[_LABELS[message.queue]] += 1
                return Queued.DROPPED
            self._make_room(message)
            if not self._fits(message, limit):
                return Queued.CUT
        self._queues[message.queue].append(message)
        self._count(message, 1)
        return Queued.QUEUED

    def take(self, bytes_max: int) -> list[Outgoing]:
        """Return the next messages to send, most urgent class first, about `bytes_max` of them.

        At least one, when there is any.
        """
        taken: list[Outgoing] = []
        left = bytes_max
        for queue in self._queues:
            while queue and left > 0:
                message = queue.popleft()
                self._count(message, -1)
                left -= len(message.payload)
                taken.append(message)
        return taken

    def _fits(self, message: Outgoing, limit: QueueLimit) -> bool:
        size = len(message.payload)
        return (
            len(self._queues[message.queue]) < limit.messages_max
            and self._bytes[message.queue] + size <= limit.bytes_max
            and self.unsent_bytes + size <= limits.UNSENT_BYTES_MAX
        )

    def _make_room(self, message: Outgoing) -> None:
        if self.unsent_bytes + len(message.payload) > limits.UNSENT_BYTES_MAX:
            self._drop(MessageClass.SYNC)
            self._drop(MessageClass.TRANSACTIONS)
        if message.view is not None:
            self._drop(MessageClass.VOTES, before_view=message.view)

    def _drop(self, name: MessageClass, before_view: int | None = None) -> None:
        queue = self._queues[name]
        kept = [] if before_view is None else [one for one in queue if _stays(one, before_view)]
        self._drops[_LABELS[name]] += len(queue) - len(kept)
        for message in queue:
            self._count(message, -1)
        queue.clear()
        for message in kept:
            queue.append(message)
            self._count(message, 1)

    def _count(self, message: Outgoing, sign: int) -> None:
        size = sign * len(message.payload)
        self._bytes[message.queue] += size
        self.unsent_bytes += size
        self.unsent_messages += sign


def _stays(message: Outgoing, before_view: int) -> bool:
    return message.view is None or message.view >= before_view
