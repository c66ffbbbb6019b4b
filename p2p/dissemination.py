"""How the transactions a node has accepted reach every validator, and reach them again. Pure.

A transaction leaves in the batch that is open when it is accepted: after 5 ms or 64 KiB, whichever
comes first. One that is not final after three views or one second is sent again, later and later,
until it is settled: this is what wakes a resting chain that lost it. Not here: whom batches go to,
and asking for what a proposal names (`fetch`).
"""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from moyai.p2p import limits
from moyai.p2p.messages import TransactionBatch
from moyai.primitives.ids import TransactionId, View

_BYTES_PER_ITEM = 5  # the longest MessagePack head of a byte string below 2^32


class _Sent(NamedTuple):
    """When a waiting transaction was last sent."""

    id: TransactionId
    at_ms: int
    view: View


class Dissemination:
    """The open batch, and the transactions this node waits for."""

    def __init__(self) -> None:
        self._batch: list[tuple[TransactionId, bytes]] = []
        self._batch_bytes = 0
        self._batch_since_ms = 0
        self._waiting: dict[TransactionId, bytes] = {}
        self._rounds: tuple[deque[_Sent], ...] = tuple(deque() for _ in range(limits.RESEND_ROUNDS))

    def __len__(self) -> int:
        return len(self._waiting)

    def accept(self, transaction_id: TransactionId, raw: bytes, now_ms: int) -> None:
        """Take a checked transaction that this node answers for: send it, wait until it is settled.

        Beyond the bound the transaction that has waited longest is no longer sent again.
        """
        if transaction_id in self._waiting:
            return
        if not self._batch:
            self._batch_since_ms = now_ms
        self._batch.append((transaction_id, raw))
        self._batch_bytes += len(raw) + _BYTES_PER_ITEM
        self._waiting[transaction_id] = raw
        if len(self._waiting) > limits.WAITING_TRANSACTIONS_MAX:
            del self._waiting[next(iter(self._waiting))]

    def settle(self, transaction_ids: Iterable[TransactionId]) -> None:
        """These are final, refused or expired: nobody waits for them any more."""
        for transaction_id in transaction_ids:
            self._waiting.pop(transaction_id, None)

    def due_ms(self) -> int | None:
        """Return when the open batch is to leave; none when there is none."""
        if not self._batch:
            return None
        full = self._batch_bytes >= limits.BATCH_BYTES
        return self._batch_since_ms + (0 if full else limits.BATCH_MS)

    def step(self, now_ms: int, view: View) -> list[TransactionBatch]:
        """Return what every validator is to get now: new batches, and at most one sent again."""
        batches: list[TransactionBatch] = []
        due_ms = self.due_ms()
        if due_ms is not None and due_ms <= now_ms:
            batches.extend(TransactionBatch(part) for part in pack(raw for _, raw in self._batch))
            first_round = self._rounds[0]
            first_round.extend(_Sent(one, now_ms, view) for one, _ in self._batch)
            self._batch.clear()
            self._batch_bytes = 0
        again = self._again(now_ms, view)
        if again:
            batches.append(TransactionBatch(tuple(again)))
        return batches

    def _again(self, now_ms: int, view: View) -> list[bytes]:
        """Return the transactions to send again, the longest waiting first, one batch at most."""
        again: list[bytes] = []
        size = 0
        for number, sent in enumerate(self._rounds):
            following = self._rounds[min(number + 1, limits.RESEND_ROUNDS - 1)]
            while sent and size < limits.BATCH_BYTES and _is_due(sent[0], number, now_ms, view):
                transaction_id = sent.popleft().id
                raw = self._waiting.get(transaction_id)
                if raw is not None:
                    again.append(raw)
                    size += len(raw) + _BYTES_PER_ITEM
                    following.append(_Sent(transaction_id, now_ms, view))
        return again


def pack(
    transactions: Iterable[bytes], bytes_max: int = limits.BATCH_BYTES
) -> Iterator[tuple[bytes, ...]]:
    """Cut transactions into parts of about `bytes_max`, each of one at least, in order."""
    part: list[bytes] = []
    size = 0
    for raw in transactions:
        cost = len(raw) + _BYTES_PER_ITEM
        if part and (size + cost > bytes_max or len(part) == limits.BATCH_TRANSACTIONS_MAX):
            yield tuple(part)
            part, size = [], 0
        part.append(raw)
        size += cost
    if part:
        yield tuple(part)


def _is_due(sent: _Sent, number: int, now_ms: int, view: View) -> bool:
    """Return whether round `number` is over: by time, or by views but not at once.

    Under load views pass in milliseconds while a transaction rightly waits for its turn.
    """
    waited_ms = now_ms - sent.at_ms
    by_time = waited_ms >= limits.RESEND_MS << number
    by_views = view - sent.view >= limits.RESEND_VIEWS << number
    return by_time or (by_views and waited_ms >= limits.RESEND_MS_MIN << number)
