"""Who waits for which transaction to end, and what ended without a block.

Woken once a committed block, not once a transaction. Not here: how a transaction stands, which is
read from a snapshot after waking (`handlers_transactions`).
"""

import asyncio
from collections.abc import Iterable
from typing import Self

from moyai.primitives.ids import TransactionId
from moyai.rpc.errors import BusyError
from moyai.rpc.limits import EXPIRED_REMEMBERED_MAX, WAITERS_MAX


class Waiter:
    """Someone who waits for one transaction; a context manager that leaves when it ends."""

    def __init__(self, waiters: "FinalityWaiters", transaction: TransactionId) -> None:
        self._waiters = waiters
        self._transaction = transaction
        self.ended = asyncio.Event()

    def __enter__(self) -> Self:
        self._waiters.join(self._transaction, self.ended)
        return self

    def __exit__(self, *_: object) -> None:
        self._waiters.leave(self._transaction, self.ended)


class FinalityWaiters:
    """All who wait at this node, and a bounded memory of expired transactions."""

    def __init__(self) -> None:
        self._waiting: dict[TransactionId, list[asyncio.Event]] = {}
        self._expired: dict[TransactionId, None] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def wait_for(self, transaction: TransactionId) -> Waiter:
        """Return a waiter to enter. Entering raises `BusyError` when too many wait."""
        return Waiter(self, transaction)

    def join(self, transaction: TransactionId, ended: asyncio.Event) -> None:
        """Add one who waits. Raises `BusyError`."""
        if self._count >= WAITERS_MAX:
            raise BusyError(
                f"{WAITERS_MAX} requests wait for transactions already",
                what=f"transaction {transaction.hex()}",
                next="ask with tx_status, or another node",
            )
        self._waiting.setdefault(transaction, []).append(ended)
        self._count += 1

    def leave(self, transaction: TransactionId, ended: asyncio.Event) -> None:
        """Take one who waits away; it may have been woken or not."""
        self._count -= 1
        waiting = self._waiting.get(transaction)
        if waiting is not None and ended in waiting:
            waiting.remove(ended)
            if not waiting:
                del self._waiting[transaction]

    def wake(self, transactions: Iterable[TransactionId]) -> None:
        """Wake whoever waits for one of these."""
        for transaction in transactions:
            for ended in self._waiting.pop(transaction, ()):
                ended.set()

    def wake_all(self) -> None:
        """Wake everyone: the node stops."""
        self.wake(list(self._waiting))

    def expire(self, transactions: Iterable[TransactionId]) -> None:
        """Remember transactions that ran out of time, and wake who waits for them."""
        for transaction in transactions:
            if len(self._expired) >= EXPIRED_REMEMBERED_MAX:
                del self._expired[next(iter(self._expired))]
            self._expired[transaction] = None
            self.wake((transaction,))

    def has_expired(self, transaction: TransactionId) -> bool:
        """Return whether the transaction is known to have run out of time."""
        return transaction in self._expired
