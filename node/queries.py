"""What the RPC door reads of this node: committed snapshots, status, evidence.

An adapter alone: the chain store's names become those of `rpc.ports`. Not here: how the answers
look (`rpc`), how the status is put together (`status`).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import msgspec

from moyai.ledger.state import StateEntry
from moyai.node.clock import SystemClock
from moyai.primitives.genesis import Genesis
from moyai.primitives.ids import AccountId, Height, TransactionId
from moyai.primitives.receipt import Receipt
from moyai.primitives.state_proof import HistoryProof, StateProof
from moyai.rpc.ports import (
    Admin,
    ChainEvent,
    EventPage,
    EvidenceFound,
    FoundTransaction,
    IndexHit,
    IndexQuery,
    KeyVersion,
    NodePorts,
    NodeStatus,
    Place,
    Writes,
)
from moyai.storage.blocks import TransactionPlace
from moyai.storage.chain import ChainStore
from moyai.storage.indexes import IndexRange
from moyai.storage.snapshot import ChainSnapshot


class CommittedSnapshot:
    """One snapshot of the chain store, as the door asks for it."""

    def __init__(self, snapshot: ChainSnapshot) -> None:
        self._chain = snapshot
        self.header = snapshot.header
        self.height_of = snapshot.height_of
        self.certificate = snapshot.certificate
        self.certificate_above = snapshot.certificate_above
        self.end_certificate = snapshot.end_certificate
        self.extra_headers = snapshot.extra_headers
        self.state_as_of = snapshot.state_as_of
        self.log_path = snapshot.prove_log
        self.receipts_log_path = snapshot.prove_receipts_root

    @property
    def height(self) -> Height:
        """Return the height of all answers."""
        return self._chain.height

    @property
    def base(self) -> Height:
        """Return the height of the lowest block that is here."""
        return self._chain.base

    def get(self, key: bytes) -> StateEntry | None:
        """Return the entry of a state key."""
        return self._chain.state(key)

    def transaction_ids(self, height: int) -> Sequence[TransactionId]:
        """Return the ids of a block's transactions, in order; genesis has none."""
        return self._chain.transaction_ids(height) if height else ()

    def body(self, height: int) -> Sequence[bytes]:
        """Return a block's transactions as they travelled."""
        return self._chain.body(height) if height else ()

    def receipt(self, transaction: bytes) -> Receipt | None:
        """Return the receipt of a final transaction."""
        return self._chain.receipt(transaction)

    def receipts(self, height: int) -> Sequence[Receipt]:
        """Return the receipts of a block, in order."""
        return self._chain.receipts(height) if height else ()

    def place(self, transaction: bytes) -> Place | None:
        """Return where a final transaction is."""
        place = self._chain.place(transaction)
        return None if place is None else Place(*place)

    def transaction(self, transaction: bytes) -> FoundTransaction | None:
        """Return a final transaction."""
        found = self._chain.transaction(transaction)
        if found is None:
            return None
        return FoundTransaction(Place(found.height, found.position), found.raw)

    def history(self, key: bytes) -> Iterator[KeyVersion]:
        """Yield the versions of a key, newest first."""
        return (KeyVersion(*version) for version in self._chain.history(key))

    def prove_state(self, key: bytes, height: int) -> StateProof:
        """Return the proof of what a key holds after block `height`."""
        return self._chain.prove_state(key, height)[0]

    def prove_history(self, key: bytes, height: int, first_version: int) -> HistoryProof:
        """Return the proof of all versions of a key from one on."""
        return self._chain.prove_history(key, first_version=first_version, height=height)[0]

    def account_transactions(
        self, account: AccountId, before: Place | None, limit: int
    ) -> Sequence[Place]:
        """Return what touched an account, newest first."""
        start = None if before is None else TransactionPlace(*before)
        places = self._chain.account_transactions(account, before=start, limit=limit)
        return [Place(*place) for place in places]

    def events(self, start: Place, limit: int) -> EventPage:
        """Return the events from a transaction on."""
        page = self._chain.events(TransactionPlace(*start), limit=limit)
        events = [
            ChainEvent(Place(*row.place), row.number, row.transaction, row.event)
            for row in page.rows
        ]
        return EventPage(events, Place(*page.next))

    def records(self, query: IndexQuery, limit: int) -> Sequence[IndexHit]:
        """Return the records that an index has in a range."""
        wanted = IndexRange(
            index=query.index,
            as_of_height=query.as_of,
            low=query.low,
            high=query.high,
            cursor=query.cursor,
            reverse=query.reverse,
        )
        return [
            IndexHit(row.key, row.cursor) for row in self._chain.index_range(wanted, limit=limit)
        ]


class Reports(msgspec.Struct, frozen=True):
    """What is asked of the running node itself, not of its store; `clock` tells its times."""

    status: Callable[[], NodeStatus]
    evidence: Callable[[], Sequence[EvidenceFound]]
    clock: SystemClock = SystemClock()


class NodeQueries:
    """The node as the door sees it (`rpc.ports.NodePorts`)."""

    def __init__(
        self,
        *,
        genesis: Genesis,
        chain: ChainStore,
        writes: Writes,
        admin: Admin,
        reports: Reports,
    ) -> None:
        self.genesis = genesis
        self.writes = writes
        self.admin = admin
        self.status = reports.status
        self.evidence = reports.evidence
        self._chain = chain
        self._clock = reports.clock

    @contextmanager
    def snapshot(self) -> Iterator[CommittedSnapshot]:
        """Read one committed state; never kept over a wait."""
        with self._chain.snapshot() as snapshot:
            yield CommittedSnapshot(snapshot)

    def now_ms(self) -> int:
        """Return the time of the wall clock."""
        return self._clock.wall_ms()

    def mono_ms(self) -> int:
        """Return a time that never goes back."""
        return self._clock.mono_ms()


def _as_ports(queries: NodeQueries) -> NodePorts:
    """Hold the adapter to its protocol when types are checked."""
    return queries
