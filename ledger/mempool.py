"""Checked transactions that are not final: bounded, and fair between accounts. Pure.

Every account has a queue of its own; a block takes one transaction of each account in turn, in the
order in which the accounts came to wait. Not here: signatures, and what is already final.
"""

from collections.abc import Iterable

import msgspec

from moyai.ledger.actions import cost_of
from moyai.primitives.errors import TransactionError
from moyai.primitives.ids import AccountId, TimeMs, TransactionId
from moyai.primitives.parameters import Parameters
from moyai.primitives.transaction import CheckedTransaction

TRANSACTIONS_MAX = 50_000
BYTES_MAX = 64 * 1024 * 1024
RETRY_MS = 1_000


class MempoolFullError(TransactionError):
    """The node holds as many waiting transactions as it can."""

    code = "mempool_full"


class AccountBusyError(TransactionError):
    """The account has as many waiting transactions as one account may."""

    code = "account_busy"


class Admission(msgspec.Struct, frozen=True):
    """Whether a transaction was added; not added without a refusal means that it was known."""

    added: bool
    refusal: TransactionError | None


class BlockSpace(msgspec.Struct, frozen=True):
    """What one block may hold, and its time."""

    transactions: int
    bytes: int
    signatures: int
    cost: int
    time_ms: TimeMs
    window_ms: int

    @classmethod
    def of(cls, parameters: Parameters, *, time_ms: TimeMs) -> "BlockSpace":
        """Return the space of a whole block under the chain's parameters."""
        return cls(
            parameters.block_transactions_max,
            parameters.block_bytes_max,
            parameters.block_signatures_max,
            parameters.block_cost_max,
            time_ms,
            parameters.tx_window_ms,
        )


class Mempool:
    """Waiting transactions by id, and by account in the order in which they came."""

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters
        self._by_id: dict[TransactionId, CheckedTransaction] = {}
        self._by_account: dict[AccountId, dict[TransactionId, CheckedTransaction]] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._by_id)

    @property
    def bytes(self) -> int:
        """Return the size of all waiting transactions as they travel."""
        return self._bytes

    def get(self, transaction_id: TransactionId) -> CheckedTransaction | None:
        """Return a waiting transaction."""
        return self._by_id.get(transaction_id)

    def add(self, transaction: CheckedTransaction) -> Admission:
        """Take a checked transaction, unless it is known or a bound is reached."""
        if transaction.id in self._by_id:
            return Admission(added=False, refusal=None)
        account = transaction.body.account
        queue = self._by_account.get(account)
        refusal = self._refusal(transaction, 0 if queue is None else len(queue))
        if refusal is not None:
            return Admission(added=False, refusal=refusal)
        if queue is None:
            queue = self._by_account[account] = {}
        queue[transaction.id] = transaction
        self._by_id[transaction.id] = transaction
        self._bytes += len(transaction.raw)
        return Admission(added=True, refusal=None)

    def restore(self, transactions: Iterable[CheckedTransaction]) -> None:
        """Take back the transactions of a block that was left behind, whatever the bounds say."""
        for transaction in transactions:
            if transaction.id not in self._by_id:
                self._by_account.setdefault(transaction.body.account, {})[transaction.id] = (
                    transaction
                )
                self._by_id[transaction.id] = transaction
                self._bytes += len(transaction.raw)

    def remove(self, transaction_ids: Iterable[TransactionId]) -> None:
        """Forget transactions that are final."""
        for transaction_id in transaction_ids:
            transaction = self._by_id.pop(transaction_id, None)
            if transaction is None:
                continue
            self._bytes -= len(transaction.raw)
            account = transaction.body.account
            queue = self._by_account[account]
            del queue[transaction_id]
            if not queue:
                del self._by_account[account]

    def expire(self, time_ms: TimeMs) -> list[TransactionId]:
        """Forget what a block of this time can no longer hold, and return its ids."""
        expired = [
            transaction.id
            for transaction in self._by_id.values()
            if transaction.body.valid_until_ms <= time_ms
        ]
        self.remove(expired)
        return expired

    def take(self, space: BlockSpace, excluded: set[TransactionId]) -> list[CheckedTransaction]:
        """Return what fits a block: a turn for each account until it is full. Nothing is removed.

        `excluded` ids are in an ancestor already.
        """
        chosen: list[CheckedTransaction] = []
        room, size, signatures, cost = space.transactions, space.bytes, space.signatures, space.cost
        latest_ms = space.time_ms + space.window_ms
        turns = [iter(queue.values()) for queue in self._by_account.values()]
        while turns and room > 0:
            following = []
            for turn in turns:
                transaction = _next_fitting(turn, excluded, space.time_ms, latest_ms)
                if transaction is None:
                    continue
                size -= len(transaction.raw)
                signatures -= len(transaction.signatures)
                cost -= cost_of(transaction.body.operations)
                room -= 1
                if size < 0 or signatures < 0 or cost < 0 or room < 0:
                    return chosen
                chosen.append(transaction)
                following.append(turn)
            turns = following
        return chosen

    def _refusal(self, transaction: CheckedTransaction, waiting: int) -> TransactionError | None:
        what = f"transaction {transaction.id.hex()}"
        if waiting >= self._parameters.account_pending_max:
            return AccountBusyError(
                f"{waiting} transactions of its account wait already",
                what=what,
                next=f"send the same bytes again after {RETRY_MS} ms",
            )
        full = len(self._by_id) >= TRANSACTIONS_MAX
        if full or self._bytes + len(transaction.raw) > BYTES_MAX:
            return MempoolFullError(
                f"{len(self._by_id)} transactions wait already",
                what=what,
                next=f"send the same bytes again after {RETRY_MS} ms, or to another node",
            )
        return None


def _next_fitting(
    turn: "Iterable[CheckedTransaction]",
    excluded: set[TransactionId],
    time_ms: TimeMs,
    latest_ms: int,
) -> CheckedTransaction | None:
    for transaction in turn:
        valid = time_ms < transaction.body.valid_until_ms <= latest_ms
        if valid and transaction.id not in excluded:
            return transaction
    return None
