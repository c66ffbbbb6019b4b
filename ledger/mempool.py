"""Checked transactions that are not final: bounded, and fair between accounts. Pure.

Every account has a queue of its own; a block takes one transaction of each account in turn, and who
was served stands at the end of the line for the next block. Anybody can sign something in the name
of an account with a key that is not the account's: all such transactions share one queue, so that
nobody fills the queue of another or gains turns by inventing accounts. Not here: signatures, and
what is already final.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

import msgspec

from moyai.ledger.actions import cost_of
from moyai.primitives.errors import TransactionError
from moyai.primitives.ids import AccountId, TimeMs, TransactionId
from moyai.primitives.parameters import Parameters
from moyai.primitives.transaction import CheckedTransaction

TRANSACTIONS_MAX = 50_000
BYTES_MAX = 64 * 1024 * 1024
RETRY_MS = 1_000

RawTransaction: TypeAlias = bytes
ActsFor: TypeAlias = Callable[[CheckedTransaction], bool]
"""Whether a signer of a transaction is a key of its account, as far as this node has executed."""

STRANGERS = AccountId(b"")
"""Stands for whoever signs in the name of an account without a key of it."""


class MempoolFullError(TransactionError):
    """The node holds as many waiting transactions as it can."""

    code = "mempool_full"


class AccountBusyError(TransactionError):
    """The account has as many waiting transactions as one account may."""

    code = "account_busy"


class TooCostlyError(TransactionError):
    """The transaction asks for more work than a whole block may hold."""

    code = "too_costly"


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


_Queue: TypeAlias = dict[TransactionId, CheckedTransaction]


class Mempool:
    """Waiting transactions by id, and by account in the order in which they came."""

    def __init__(self, parameters: Parameters, acts_for: ActsFor = lambda _: True) -> None:
        self._parameters = parameters
        self._acts_for = acts_for
        self._by_id: _Queue = {}
        self._account_of: dict[TransactionId, AccountId] = {}
        self._by_account: dict[AccountId, _Queue] = {}
        self._expiries: list[tuple[TimeMs, TransactionId]] = []
        self._bytes = 0

    def follow(self, parameters: Parameters) -> None:
        """Admit by other parameters from now on; what waits here stays."""
        self._parameters = parameters

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
        account = self._account(transaction)
        refusal = self._refusal(transaction, account)
        if refusal is None:
            self._insert(transaction, account)
        return Admission(added=refusal is None, refusal=refusal)

    def restore(self, transactions: Iterable[CheckedTransaction]) -> None:
        """Take back the transactions of a block that was left behind, whatever the bounds say."""
        for transaction in transactions:
            if transaction.id not in self._by_id:
                self._insert(transaction, self._account(transaction))

    def remove(self, transaction_ids: Iterable[TransactionId]) -> None:
        """Forget transactions that are final."""
        for transaction_id in transaction_ids:
            transaction = self._by_id.pop(transaction_id, None)
            if transaction is None:
                continue
            self._bytes -= len(transaction.raw)
            account = self._account_of.pop(transaction_id)
            queue = self._by_account[account]
            del queue[transaction_id]
            if not queue:
                del self._by_account[account]
        if len(self._expiries) > 2 * len(self._by_id) + TRANSACTIONS_MAX:
            self._forget_gone_expiries()

    def oldest(self, bytes_max: int) -> list[RawTransaction]:
        """Return waiting transactions as they travel, oldest first, about `bytes_max` in all."""
        found: list[RawTransaction] = []
        size = 0
        for transaction in self._by_id.values():
            size += len(transaction.raw)
            if found and size > bytes_max:
                break
            found.append(transaction.raw)
        return found

    def expire(self, time_ms: TimeMs) -> list[TransactionId]:
        """Forget what a block of this time can no longer hold, and return its ids."""
        expired = []
        while self._expiries and self._expiries[0][0] <= time_ms:
            _, transaction_id = heapq.heappop(self._expiries)
            if transaction_id in self._by_id:
                expired.append(transaction_id)
        self.remove(expired)
        return expired

    def take(self, space: BlockSpace, excluded: set[TransactionId]) -> list[CheckedTransaction]:
        """Return what fits a block: a turn for each account until it is full. Nothing is removed.

        `excluded` ids are in an ancestor already.
        """
        chosen: list[CheckedTransaction] = []
        size, signatures, cost = space.bytes, space.signatures, space.cost
        for transaction in self._in_turns(space, excluded):
            size -= len(transaction.raw)
            signatures -= len(transaction.signatures)
            cost -= cost_of(transaction)
            if size < 0 or signatures < 0 or cost < 0 or len(chosen) == space.transactions:
                break
            chosen.append(transaction)
        for account in dict.fromkeys(self._account_of[transaction.id] for transaction in chosen):
            self._by_account[account] = self._by_account.pop(account)
        return chosen

    def _in_turns(
        self, space: BlockSpace, excluded: set[TransactionId]
    ) -> Iterator[CheckedTransaction]:
        """Yield what a block of this time may hold, one transaction an account and round."""
        earliest_ms, latest_ms = space.time_ms, space.time_ms + space.window_ms
        turns = [iter(queue.values()) for queue in self._by_account.values()]
        while turns:
            following = []
            for turn in turns:
                for transaction in turn:
                    valid = earliest_ms < transaction.body.valid_until_ms <= latest_ms
                    if valid and transaction.id not in excluded:
                        following.append(turn)
                        yield transaction
                        break
            turns = following

    def _account(self, transaction: CheckedTransaction) -> AccountId:
        return transaction.body.account if self._acts_for(transaction) else STRANGERS

    def _insert(self, transaction: CheckedTransaction, account: AccountId) -> None:
        self._by_id[transaction.id] = transaction
        self._account_of[transaction.id] = account
        self._by_account.setdefault(account, {})[transaction.id] = transaction
        heapq.heappush(self._expiries, (transaction.body.valid_until_ms, transaction.id))
        self._bytes += len(transaction.raw)

    def _forget_gone_expiries(self) -> None:
        self._expiries = [entry for entry in self._expiries if entry[1] in self._by_id]
        heapq.heapify(self._expiries)

    def _refusal(
        self, transaction: CheckedTransaction, account: AccountId
    ) -> TransactionError | None:
        cost = cost_of(transaction)
        if cost > self._parameters.block_cost_max:
            return TooCostlyError(
                f"costs {cost} of the {self._parameters.block_cost_max} a block may hold",
                what=f"transaction {transaction.id.hex()}",
                next="split it into several transactions",
            )
        waiting = len(self._by_account.get(account, ()))
        if waiting >= self._parameters.account_pending_max:
            return AccountBusyError(
                f"{waiting} transactions of {_whose(account)} wait already",
                what=f"transaction {transaction.id.hex()}",
                next=f"send the same bytes again after {RETRY_MS} ms",
            )
        full = len(self._by_id) >= TRANSACTIONS_MAX
        if full or self._bytes + len(transaction.raw) > BYTES_MAX:
            return MempoolFullError(
                f"{len(self._by_id)} transactions wait already",
                what=f"transaction {transaction.id.hex()}",
                next=f"send the same bytes again after {RETRY_MS} ms, or to another node",
            )
        return None


def _whose(account: AccountId) -> str:
    return "keys that are not their account's" if account == STRANGERS else "its account"
