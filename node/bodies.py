"""The transactions of blocks that are not final yet: what is held, what is missing, what is valid.

Pure bookkeeping, it never waits. A body is checked once, when it is complete, and stays pinned here
until its block is final or dropped. Not here: whom to ask for what is missing (`p2p.fetch`).
"""

from collections.abc import Collection, Iterable
from typing import Protocol

import msgspec

from moyai.consensus.effects import CheckBlock
from moyai.consensus.inputs import BlockChecked, BodyVerdict
from moyai.ledger.actions import cost_of
from moyai.primitives.errors import TransactionError
from moyai.primitives.ids import Digest, TransactionId
from moyai.primitives.merkle import transactions_root
from moyai.primitives.parameters import Parameters
from moyai.primitives.transaction import CheckedTransaction, check_validity_time


class TransactionSource(Protocol):
    """Where checked transactions are found by id."""

    def get(self, transaction_id: TransactionId) -> CheckedTransaction | None: ...


class FinalIds(Protocol):
    """The ids of final transactions within the window in which one could be repeated."""

    def __contains__(self, transaction_id: TransactionId) -> bool: ...


class _Waiting(msgspec.Struct):
    order: CheckBlock
    found: dict[TransactionId, CheckedTransaction]
    missing: set[TransactionId]


class Bodies:
    """Bodies by block digest."""

    def __init__(
        self,
        *,
        parameters: Parameters,
        pool: TransactionSource,
        final_ids: FinalIds,
    ) -> None:
        self._parameters = parameters
        self._pool = pool
        self._final_ids = final_ids
        self._held: dict[Digest, dict[TransactionId, CheckedTransaction]] = {}
        self._waiting: dict[Digest, _Waiting] = {}

    def follow(self, parameters: Parameters) -> None:
        """Check by other parameters from now on."""
        self._parameters = parameters

    def find(self, transaction_id: TransactionId) -> CheckedTransaction | None:
        """Return a transaction of a held body."""
        for body in self._held.values():
            if transaction_id in body:
                return body[transaction_id]
        return None

    def hold_own(
        self, digest: Digest, transaction_ids: tuple[TransactionId, ...]
    ) -> tuple[CheckedTransaction, ...]:
        """Return the body of a block that was built here, and keep it."""
        if digest not in self._held:
            found = (self._pool.get(entry) for entry in transaction_ids)
            self.hold(digest, (transaction for transaction in found if transaction is not None))
        body = tuple(self._held[digest].values())
        assert len(body) == len(transaction_ids), "an own block names only what the pool holds"
        return body

    def hold(self, digest: Digest, transactions: Iterable[CheckedTransaction]) -> None:
        """Keep a body that is known to be right: the own proposal's, or one read back at start."""
        self._held[digest] = {transaction.id: transaction for transaction in transactions}

    def drop(self, digest: Digest) -> tuple[CheckedTransaction, ...]:
        """Forget a block and return what it held."""
        self._waiting.pop(digest, None)
        return tuple(self._held.pop(digest, {}).values())

    @property
    def unfinal(self) -> tuple[int, int]:
        """Return how many transactions, and of how many bytes, blocks under way hold."""
        bodies = self._held.values()
        count = sum(len(body) for body in bodies)
        return count, sum(len(one.raw) for body in bodies for one in body.values())

    def ids_of(self, digests: Iterable[Digest]) -> set[TransactionId]:
        """Return the ids in these blocks, for questions of membership only."""
        return {entry for digest in digests for entry in self._held.get(digest, ())}

    def check(self, order: CheckBlock) -> BlockChecked | None:
        """Return the verdict on a body, or none while transactions are missing.

        Asked again about a block, it goes on with what has come in the meantime.
        """
        if order.digest in self._held:
            return BlockChecked(order.digest, BodyVerdict.VALID, "")
        reason = self._shape_error(order)
        if reason:
            return BlockChecked(order.digest, BodyVerdict.INVALID, reason)
        before = self._waiting.get(order.digest)
        found = dict(before.found) if before is not None else {}
        for entry in order.transaction_ids:
            transaction = self._pool.get(entry)
            if transaction is not None:
                found[entry] = transaction
        waiting = _Waiting(order, found, set(order.transaction_ids) - found.keys())
        if waiting.missing:
            self._waiting[order.digest] = waiting
            return None
        return self._complete(waiting)

    def missing(self, digest: Digest) -> tuple[TransactionId, ...]:
        """Return what a block still lacks, in its order."""
        waiting = self._waiting.get(digest)
        if waiting is None:
            return ()
        return tuple(entry for entry in waiting.order.transaction_ids if entry in waiting.missing)

    def waiting_for(self, transaction_ids: Collection[TransactionId]) -> list[CheckBlock]:
        """Return the orders whose bodies lack one of these transactions."""
        return [
            waiting.order
            for waiting in self._waiting.values()
            if any(entry in waiting.missing for entry in transaction_ids)
        ]

    def wants(self, transaction_id: TransactionId) -> bool:
        """Return whether a body waits for this transaction."""
        for waiting in self._waiting.values():  # noqa: SIM110 - asked for every transaction
            if transaction_id in waiting.missing:
                return True
        return False

    def arrived(self, transactions: Iterable[CheckedTransaction]) -> list[BlockChecked]:
        """Return the verdicts on the bodies that these new transactions complete."""
        if not self._waiting:
            return []
        for transaction in transactions:
            for waiting in self._waiting.values():
                if transaction.id in waiting.missing:
                    waiting.missing.discard(transaction.id)
                    waiting.found[transaction.id] = transaction
        complete = [key for key, waiting in self._waiting.items() if not waiting.missing]
        return [self._complete(self._waiting.pop(digest)) for digest in complete]

    def _shape_error(self, order: CheckBlock) -> str:
        header, ids = order.header, order.transaction_ids
        if header.tx_count != len(ids) or len(ids) > self._parameters.block_transactions_max:
            return "number of transactions"
        if header.tx_bytes > self._parameters.block_bytes_max:
            return "size"
        if header.tx_root != transactions_root(ids):
            return "transaction root"
        if len(set(ids)) != len(ids):
            return "a transaction twice"
        ancestors = self.ids_of(order.ancestors)
        if any(entry in ancestors or entry in self._final_ids for entry in ids):
            return "a transaction of an ancestor"
        return ""

    def _complete(self, waiting: _Waiting) -> BlockChecked:
        order = waiting.order
        body = tuple(waiting.found[entry] for entry in order.transaction_ids)
        reason = self._content_error(order, body)
        if reason:
            return BlockChecked(order.digest, BodyVerdict.INVALID, reason)
        self.hold(order.digest, body)
        return BlockChecked(order.digest, BodyVerdict.VALID, "")

    def _content_error(self, order: CheckBlock, body: tuple[CheckedTransaction, ...]) -> str:
        header = order.header
        if header.tx_bytes != sum(len(transaction.body_bytes) for transaction in body):
            return "size"
        if sum(len(entry.signatures) for entry in body) > self._parameters.block_signatures_max:
            return "number of signatures"
        if sum(cost_of(entry) for entry in body) > self._parameters.block_cost_max:
            return "cost"
        for transaction in body:
            if transaction.body.chain_id != header.chain_id:
                return "a transaction of another chain"
            try:
                check_validity_time(
                    transaction,
                    block_time_ms=header.time_ms,
                    window_ms=self._parameters.tx_window_ms,
                )
            except TransactionError as error:
                return f"a transaction that {error.reason}"
        return ""
