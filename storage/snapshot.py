"""A consistent view of everything that is written, at one height, with proofs.

It is read on the thread that owns the chain store, for at most 2 s, and never kept over an await.
Not here: what to answer to whom (`node.queries`).
"""

from collections.abc import Iterator
from hashlib import sha256
from itertools import islice, takewhile
from typing import NamedTuple

from moyai.ledger.state import StateEntry
from moyai.primitives.block import Executed, Header, header_digest
from moyai.primitives.certificate import Certificate
from moyai.primitives.errors import ProofError
from moyai.primitives.ids import AccountId, Digest, Height, TransactionId
from moyai.primitives.merkle import Frontier, list_inclusion_path
from moyai.primitives.receipt import Event, Receipt
from moyai.primitives.state_proof import HistoryProof, Leaf, StateProof, Version, value_digest
from moyai.storage.base import read_base
from moyai.storage.blocks import BlockTables, TransactionPlace
from moyai.storage.environment import Environment, ReadTransaction
from moyai.storage.indexes import IndexRange, IndexRow, read_range
from moyai.storage.keys import ChainTable, number_key
from moyai.storage.logs import StoredLog
from moyai.storage.section import Entry
from moyai.storage.states import LiveState
from moyai.storage.tip import read_tip
from moyai.storage.versions import StoredVersion, decode_version, version_at, versions_back

RECEIPTS_SCANNED_MAX = 2_000
HISTORY_VERSIONS_MAX = 1_000


class FinalTransaction(NamedTuple):
    """A final transaction as it travels, and where it is."""

    height: Height
    position: int
    raw: bytes


class KeyVersion(NamedTuple):
    """One version of a state key; a value of none says that it was deleted."""

    version: int
    height: Height
    value: bytes | None


class EventRow(NamedTuple):
    """One event: the place of its transaction, its number within that, and itself."""

    place: TransactionPlace
    transaction: TransactionId
    number: int
    event: Event


class EventPage(NamedTuple):
    """Events in order, and the place from which the next page goes on."""

    rows: tuple[EventRow, ...]
    next: TransactionPlace


class ChainSnapshot:
    """All reads, from one transaction."""

    def __init__(
        self,
        environment: Environment,
        blocks: BlockTables,
        read: ReadTransaction,
        states: LiveState,
    ) -> None:
        self._blocks = blocks
        self._read = read
        self._states = states
        self._versions = environment.table(ChainTable.VERSIONS)
        self._indexes = environment.table(ChainTable.INDEXES)
        self._log = StoredLog(environment.table(ChainTable.LOG))
        self._receipts_log = StoredLog(environment.table(ChainTable.RECEIPTS_LOG))
        self._tip = read_tip(environment, read.raw)
        self._base = read_base(environment, read.raw)

    @property
    def height(self) -> Height:
        """Return the height that everything here is as of."""
        return self._tip.height

    @property
    def base(self) -> Height:
        """Return the height of the lowest block that is here whole; the state of the one below it
        is known too.
        """
        return self._base.height

    @property
    def state_root(self) -> Digest:
        """Return the state root after the block at `height`; a later header attests it."""
        return self._tip.state_root

    @property
    def attested_height(self) -> Height:
        """Return the height whose state and receipts roots the header at `height` carries."""
        return self.require_header(self.height).executed.height

    def header(self, height: int) -> Header | None:
        """Return the header at a height."""
        return self._blocks.header(self._read.raw, height) if height >= 0 else None

    def require_header(self, height: int) -> Header:
        """Return the header at a height up to `height`. Raises `PrunedError`."""
        header = self.header(height)
        if header is None:
            self._base.require(height, f"block {height}")
        assert header is not None, f"no header at height {height} of {self.height}"
        return header

    def executed(self, height: int) -> Executed | None:
        """Return the roots after the block at a height, as this node computed them."""
        return self._blocks.executed(self._read.raw, height)

    def height_of(self, digest: bytes) -> Height | None:
        """Return the height of the block with this digest."""
        return self._blocks.height_of(self._read.raw, digest)

    def header_by_digest(self, digest: bytes) -> Header | None:
        """Return the header of the block with this digest."""
        height = self.height_of(digest)
        return None if height is None else self.header(height)

    def certified_headers(self, digest: bytes) -> tuple[Header, ...]:
        """Return the header with this digest; for a filler also those below, down to the chain."""
        header = self.header_by_digest(digest)
        if header is not None:
            return (header,)
        for height, fillers in self._blocks.all_extra_headers(self._read.raw):
            if header_digest(fillers[-1]) == digest:
                return (*reversed(fillers), self.require_header(height))
        return ()

    def certificate(self, height: int) -> Certificate | None:
        """Return the certificate that finalizes exactly the block at a height."""
        if self.extra_headers(height):
            return None
        return self._blocks.certificate(self._read.raw, height)

    def end_certificate(self, height: int) -> Certificate | None:
        """Return the certificate of a block, or of the last of its `extra_headers`."""
        return self._blocks.certificate(self._read.raw, height)

    def certificate_above(self, height: int) -> tuple[Height, Certificate] | None:
        """Return the first certificate at or above a height, with the height of its block.

        With it, a `prove_log` path finalizes the block at `height`.
        """
        return self._blocks.certificate_above(self._read.raw, height)

    def extra_headers(self, height: int) -> tuple[Header, ...]:
        """Return the headers from a block to the one that its finalization names."""
        return self._blocks.extra_headers(self._read.raw, height)

    def transaction_ids(self, height: int) -> tuple[TransactionId, ...]:
        """Return the ids of a block's transactions, in order; none where they are not here."""
        return self._blocks.transaction_ids(self._read.raw, height)

    def body(self, height: int) -> tuple[bytes, ...]:
        """Return a block's transactions as they travel, in order. Raises `PrunedError`."""
        self._base.require(height, f"block {height}")
        return self._blocks.body(self._read.raw, height)

    def transaction(self, transaction_id: bytes) -> FinalTransaction | None:
        """Return a final transaction. Raises `PrunedError`."""
        place = self.place(transaction_id)
        if place is None:
            return None
        return FinalTransaction(
            place.height, place.position, self._blocks.raw(self._read.raw, place)
        )

    def is_final(self, transaction_id: bytes) -> bool:
        """Return whether a transaction is known to be final, below the base too."""
        return self._blocks.place(self._read.raw, transaction_id) is not None

    def place(self, transaction_id: bytes) -> TransactionPlace | None:
        """Return where a final transaction is, without reading it.

        Raises `PrunedError` while it is known that it is below the base; later it is unknown here.
        """
        place = self._blocks.place(self._read.raw, transaction_id)
        if place is not None:
            self._base.require(place.height, f"transaction {transaction_id.hex()}")
        return place

    def receipt(self, transaction_id: bytes) -> Receipt | None:
        """Return the receipt of a final transaction. Raises `PrunedError`."""
        place = self.place(transaction_id)
        return None if place is None else self._blocks.receipt(self._read.raw, place)

    def receipts(self, height: int) -> tuple[Receipt, ...]:
        """Return the receipts of a block, in order. Raises `PrunedError`."""
        self._base.require(height, f"block {height}")
        return self._blocks.receipts(self._read.raw, height)

    def state(self, key: bytes) -> StateEntry | None:
        """Return the value, version and height of a key; none when it holds nothing."""
        return _entry(self._newest(key))

    get = state
    """A snapshot is a reader of the state, as the rules of the ledger take it."""

    def state_as_of(self, key: bytes, height: int) -> StateEntry | None:
        """Return what a key held after block `height`. Raises `PrunedError`."""
        self._base.require_state(height, f"state of height {height}")
        newest = self._newest(key)
        return None if newest is None else _entry(version_at(newest, height, self._version))

    def history(self, key: bytes) -> Iterator[KeyVersion]:
        """Yield the versions of a key, newest first; read on demand.

        The last one yielded has a version above 1 when those before it are not here.
        """
        newest = self._newest(key)
        if newest is not None:
            for version in versions_back(newest, self._version):
                yield KeyVersion(version.version, Height(version.height), version.value)

    def prove_state(self, key: bytes, height: int | None = None) -> tuple[StateProof, Height]:
        """Return the proof of what a key holds, and the height of the root it leads to.

        That is `attested_height` unless another is asked for. Raises `ProofError` when that root is
        no longer kept.
        """
        at = self.attested_height if height is None else Height(height)
        if not 0 <= at <= self.height:
            raise ProofError("no such block is written", what=f"height {at}", next=_ASK_LOWER)
        return self._states.tree.prove(key, at, self._leaf), at

    def prove_history(
        self, key: bytes, *, first_version: int = 1, height: int | None = None
    ) -> tuple[HistoryProof, Height]:
        """Return the proof of all versions of a key from one on, under a root as `prove_state` has.

        Raises `ProofError` when the key has no such version or there are more than 1,000, and
        `PrunedError`, which names the first version kept.
        """
        newest, at = self.prove_state(key, height)
        leaf = newest.leaf
        if leaf is None or leaf.key_digest != sha256(key).digest() or leaf.version < first_version:
            raise ProofError("has no such version", what=f"state key {key.hex()}", next=_ASK_LOWER)
        if leaf.version - first_version >= HISTORY_VERSIONS_MAX or first_version < 1:
            raise ProofError(
                f"a proof holds at most {HISTORY_VERSIONS_MAX} versions, from version 1 on",
                what=f"state key {key.hex()} from version {first_version} to {leaf.version}",
                next="ask from a later version on",
            )
        oldest_first = self._versions_between(key, at, first_version)
        if oldest_first[0].version != first_version:
            kept = oldest_first[0].version
            raise self._base.refusal(f"state key {key.hex()} before version {kept}")
        versions = tuple(Version(value_digest(one.value), one.height) for one in oldest_first)
        return HistoryProof(first_version, oldest_first[0].previous_hash, versions, newest), at

    def prove_log(self, height: int, in_height: int) -> list[bytes]:
        """Return the path of the block at `height` to the log root of the header at `in_height`.

        Raises `ProofError` unless `height` is below it, and `PrunedError` when the state was
        imported after it.
        """
        self._check_written(in_height)
        self._check_log(height)
        return self._log.path(self._read.raw, height, in_height)

    def prove_receipts_root(self, height: int, log_size: int) -> list[bytes]:
        """Return the path of a block's receipts root to the root over blocks 1 to `log_size`.

        Raises `ProofError` unless `height` is among them, and `PrunedError`.
        """
        self._check_written(log_size)
        self._base.require(height, f"receipts of height {height}")
        return self._receipts_log.path(self._read.raw, height - 1, log_size)

    def log_frontier(self, height: int) -> Frontier:
        """Return the log of the ancestors of the block at a height. Raises `PrunedError`."""
        self._check_written(height)
        self._check_log(height)
        return self._log.frontier(self._read.raw, height)

    def receipts_frontier(self, height: int) -> Frontier:
        """Return the log of the receipts roots of blocks 1 to `height`. Raises `PrunedError`."""
        self._check_written(height)
        self._check_log(height)
        return self._receipts_log.frontier(self._read.raw, height)

    def prove_transaction(self, height: int, index: int) -> list[bytes]:
        """Return the path of a transaction's id to the transaction root of its block."""
        return list_inclusion_path(index, self.transaction_ids(height))

    def account_transactions(
        self, account: AccountId, *, before: TransactionPlace | None = None, limit: int
    ) -> list[TransactionPlace]:
        """Return the places of the transactions that touched an account, newest first.

        Those below the base are gone: who goes on from there meets `PrunedError`.
        """
        if before is not None:
            self._base.require(before.height, f"transactions below height {before.height}")
        start = before or TransactionPlace(Height(self.height + 1), 0)
        places = self._blocks.touched_by(self._read.raw, account, start)
        kept = takewhile(lambda place: place.height >= self.base, places)
        return list(islice(kept, limit))

    def events(self, start: TransactionPlace, *, limit: int) -> EventPage:
        """Return the events from a transaction on; all events of a transaction, or none.

        Raises `PrunedError` when it is below the base.

        A page may have fewer than `limit` events, none even, while there are more: `next` says from
        where to go on, and lies beyond `height` only when all was read.
        """
        self._base.require(start.height, f"events from height {start.height} on")
        rows: list[EventRow] = []
        receipts = self._blocks.receipts_from(self._read.raw, start)
        for scanned, (place, receipt) in enumerate(receipts):
            if len(rows) >= limit or scanned >= RECEIPTS_SCANNED_MAX:
                return EventPage(tuple(rows), place)
            rows += [
                EventRow(place, receipt.transaction, number, event)
                for number, event in enumerate(receipt.events)
            ]
        return EventPage(tuple(rows), TransactionPlace(Height(self.height + 1), 0))

    def index_range(self, wanted: IndexRange, *, limit: int) -> list[IndexRow]:
        """Return up to `limit` rows of an index. Raises `PrunedError`."""
        self._base.require_state(wanted.as_of_height, f"records as of {wanted.as_of_height}")
        return list(islice(read_range(self._read.raw, self._indexes, wanted), limit))

    def _newest(self, key: bytes) -> StoredVersion | None:
        """Return the newest version on disk; the live state may be ahead of it."""
        entry = self._states.tree.find(sha256(key).digest())
        sequence = 0 if entry is None else entry.sequence
        while sequence >= self._tip.next_sequence:
            sequence = self._states.require_pending(sequence).previous_sequence
        return self._require_version(sequence) if sequence else None

    def _version(self, sequence: int) -> StoredVersion | None:
        data = self._versions.get(self._read.raw, number_key(sequence))
        return None if data is None else decode_version(data)

    def _require_version(self, sequence: int) -> StoredVersion:
        return decode_version(self._versions.require(self._read.raw, number_key(sequence)))

    def _leaf(self, entry: Entry) -> Leaf:
        return self._require_version(entry.sequence).leaf()

    def _versions_between(self, key: bytes, height: int, first_version: int) -> list[StoredVersion]:
        newest = self._newest(key)
        assert newest is not None
        at = version_at(newest, height, self._version)
        assert at is not None
        back = islice(versions_back(at, self._version), at.version - first_version + 1)
        return list(back)[::-1]

    def _check_log(self, height: int) -> None:
        if height < self._base.began:
            raise self._base.refusal(f"log path of height {height}")

    def _check_written(self, height: int) -> int:
        if not 0 <= height <= self.height:
            raise ProofError("no such block is written", what=f"height {height}", next=_ASK_LOWER)
        return height


def _entry(version: StoredVersion | None) -> StateEntry | None:
    if version is None or version.value is None:
        return None
    return StateEntry(version.value, version.version, Height(version.height))


_ASK_LOWER = "ask for one that chain_head reports"
