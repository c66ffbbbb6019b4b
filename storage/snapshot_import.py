"""Making a chain store of a state snapshot: part by part, resumable, complete in one step.

All is written into a store of its own beside the place where the chain store belongs; the last
step gives it its name. So a crash leaves either a partial import, which goes on where it was, or a
chain store whose tip is the snapshot's block. Not here: where parts come from, and checking them.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path

import lmdb

from moyai.primitives.block import Header, header_digest
from moyai.primitives.codec import encode
from moyai.primitives.epoch_end import EpochEnd
from moyai.primitives.genesis import Genesis, genesis_header
from moyai.primitives.ids import Height, TransactionId
from moyai.primitives.merkle import Frontier
from moyai.primitives.state_snapshot import PART_BYTES, SnapshotDescription, SnapshotLeaf
from moyai.storage.base import Base, write_base
from moyai.storage.blocks import BlockTables
from moyai.storage.chain import FIRST_SEQUENCE, MAP_BYTES, chain_settings
from moyai.storage.checkpoint import encode_section
from moyai.storage.environment import DATA_FILE, Environment, sync_path
from moyai.storage.errors import CorruptedError, StorageError, StoreExistsError
from moyai.storage.keys import ChainTable, number_key
from moyai.storage.logs import StoredLog
from moyai.storage.section import ENTRY_BYTES, Entry, pack, unpack
from moyai.storage.state_indexes import InForce, write_state_rows
from moyai.storage.tip import TIP, Tip
from moyai.storage.tree import SECTIONS, StateTree
from moyai.storage.versions import StoredVersion, decode_version, encode_version

IMPORT_FOLDER = "importing"
_SNAPSHOT = b"snapshot"
_NEXT_SEQUENCE = b"next_sequence"
_PART_KEY_BYTES = 2
_SEQUENCE_BYTES = 8

Recent = tuple[Header, tuple[TransactionId, ...]]


class SnapshotImport:
    """One import under way; nothing else opens its folder."""

    def __init__(
        self, path: Path, genesis: Genesis, description: SnapshotDescription, store: Environment
    ) -> None:
        self._path = path
        self._genesis = genesis
        self._description = description
        self._store = store

    @staticmethod
    def open(
        path: Path,
        genesis: Genesis,
        description: SnapshotDescription,
        map_bytes: int = MAP_BYTES,
    ) -> "SnapshotImport":
        """Begin the import of a checked description into the folder of a chain store to be.

        A partial import of the same snapshot goes on; one of another is thrown away. Raises
        `StoreExistsError` when there is a chain store.
        """
        if (path / DATA_FILE).exists():
            raise StoreExistsError(
                "there already is one", what="chain store", next="choose an empty data directory"
            )
        folder = path / IMPORT_FOLDER
        settings = chain_settings(folder, genesis, map_bytes)
        name = sha256(encode(description)).digest()
        if (folder / DATA_FILE).exists():
            store = _opened(folder, genesis, map_bytes)
            if store is not None:
                with store.read() as read:
                    if store.table(ChainTable.META).get(read.raw, _SNAPSHOT) == name:
                        return SnapshotImport(path, genesis, description, store)
                store.close()
            shutil.rmtree(folder)

        def first(txn: lmdb.Transaction, table: object) -> None:
            assert callable(table)
            meta = table(ChainTable.META)
            meta.put(txn, _SNAPSHOT, name)
            meta.put(txn, _NEXT_SEQUENCE, FIRST_SEQUENCE.to_bytes(_SEQUENCE_BYTES, "big"))

        store = Environment.create(settings, ChainTable, first)
        return SnapshotImport(path, genesis, description, store)

    @property
    def description(self) -> SnapshotDescription:
        """Return what is imported."""
        return self._description

    def missing(self) -> Iterator[int]:
        """Yield the parts that are not here yet; empty ones are never missing."""
        imported = self._store.table(ChainTable.IMPORTED)
        with self._store.read() as read:
            here = {int.from_bytes(key, "big") for key, _ in imported.scan(read.raw)}
        if self._is_complete():
            return
        parts = self._description.parts
        for index in range(1 << self._description.depth):
            if parts[index * PART_BYTES] and index not in here:
                yield index

    def add_part(self, index: int, leaves: Sequence[SnapshotLeaf]) -> None:
        """Store a part that `check_part` has accepted, durably; twice is as good as once."""
        imported = self._store.table(ChainTable.IMPORTED)
        meta = self._store.table(ChainTable.META)
        versions = self._store.table(ChainTable.VERSIONS)
        part_key = index.to_bytes(_PART_KEY_BYTES, "big")
        with self._store.write() as txn:
            if meta.get(txn, TIP) is not None or imported.get(txn, part_key) is not None:
                return
            sequence = int.from_bytes(meta.require(txn, _NEXT_SEQUENCE), "big")
            packed = []
            for number, leaf in enumerate(leaves, sequence):
                versions.append(txn, number_key(number), encode_version(_version_of(leaf)))
                hashed = leaf.leaf()
                packed.append(pack(Entry(hashed.key_digest, hashed.hash, number, leaf.version)))
            following = sequence + len(leaves)
            meta.put(txn, _NEXT_SEQUENCE, following.to_bytes(_SEQUENCE_BYTES, "big"))
            imported.put(txn, part_key, b"".join(packed))

    def finish(self, epoch_ends: tuple[EpochEnd, ...], recent: tuple[Recent, ...]) -> None:
        """Make it the chain store, once no part is missing; it is complete or still partial.

        `epoch_ends` say how every past epoch ended; `recent` are the last blocks, up to and with
        the snapshot's own, whose transactions could still be repeated. Raises `CorruptedError` when
        the parts do not come to the attested state.
        """
        assert not list(self.missing()), "an import is finished when all parts are there"
        if not self._is_complete():
            self._complete(epoch_ends, recent)
        self._store.close()
        _publish(self._path)

    def close(self) -> None:
        """Stop for now; what was added stays."""
        self._store.close()

    def _is_complete(self) -> bool:
        """Return whether all is written and the store only lacks its name."""
        with self._store.read() as read:
            return self._store.table(ChainTable.META).get(read.raw, TIP) is not None

    def _complete(self, epoch_ends: tuple[EpochEnd, ...], recent: tuple[Recent, ...]) -> None:
        sections = self._sections()
        header, attesting = self._description.header, self._description.attesting
        tree = StateTree(roots_kept=1, height=header.height, next_sequence=self._next_sequence())
        tree.load_sections(enumerate(sections))
        if tree.root != attesting.executed.state_root:
            raise CorruptedError(
                "does not come to the root that was attested",
                what=f"imported state of height {header.height}",
                next=f"remove the folder `{self._path.name}` and start again",
            )
        self._write_indexes(tree)
        with self._store.write() as txn:
            self._write_chain(txn, epoch_ends, recent)
            self._write_state(txn, sections)

    def _next_sequence(self) -> int:
        with self._store.read() as read:
            data = self._store.table(ChainTable.META).require(read.raw, _NEXT_SEQUENCE)
        return int.from_bytes(data, "big")

    def _sections(self) -> list[bytes]:
        """Return the packed leaves of each section; parts and sections are in the same order."""
        with self._store.read() as read:
            rows = self._store.table(ChainTable.IMPORTED).scan(read.raw)
            packed = b"".join(value for _, value in rows)
        sections: list[list[bytes]] = [[] for _ in range(SECTIONS)]
        for place in range(0, len(packed), ENTRY_BYTES):
            sections[packed[place]].append(packed[place : place + ENTRY_BYTES])
        return [b"".join(section) for section in sections]

    def _write_indexes(self, tree: StateTree) -> None:
        """Write the index rows, a section at a time; a crash between them does no harm."""
        indexes = self._store.table(ChainTable.INDEXES)
        versions = self._store.table(ChainTable.VERSIONS)
        for section in range(SECTIONS):
            with self._store.write() as txn:
                reader = _ImportedValues(self._store, txn, tree)
                packed = tree.section(section)
                for place in range(0, len(packed), ENTRY_BYTES):
                    row = number_key(unpack(packed, place).sequence)
                    version = decode_version(versions.require(txn, row))
                    if version.value is not None:
                        value = InForce(version.key, version.value, version.height)
                        write_state_rows(txn, indexes, reader, [value])

    def _write_chain(
        self, txn: lmdb.Transaction, epoch_ends: tuple[EpochEnd, ...], recent: tuple[Recent, ...]
    ) -> None:
        """Write headers, ids and logs: what the blocks below have left behind."""
        description, table = self._description, self._store.table
        header = description.header
        headers = {0: genesis_header(self._genesis), header.height: header}
        headers |= {one.header.height: one.header for one in epoch_ends}
        headers |= {one.height: one for one, _ in recent}
        blocks = BlockTables(table)
        for height in sorted(headers):
            blocks.write_bare_header(txn, headers[height])
        for one, ids in recent:
            blocks.write_ids(txn, one.height, ids)
        for end in sorted(epoch_ends, key=lambda end: end.header.height):
            blocks.write_end(txn, end)
        blocks.write_executed(txn, description.attesting.executed)
        log = StoredLog(table(ChainTable.LOG))
        log.begin(txn, Frontier(header.height, description.log_frontier))
        log.append(txn, header.height, header_digest(header))
        receipts = Frontier(header.height, description.receipts_frontier)
        StoredLog(table(ChainTable.RECEIPTS_LOG)).begin(txn, receipts)

    def _write_state(self, txn: lmdb.Transaction, sections: list[bytes]) -> None:
        """Write the trie, the tip and the base, and take away what only the import needed."""
        table = self._store.table
        header = self._description.header
        meta = table(ChainTable.META)
        sequence = int.from_bytes(meta.require(txn, _NEXT_SEQUENCE), "big")
        for index, section in enumerate(sections):
            table(ChainTable.SECTIONS).put(txn, bytes((index,)), encode_section(section, sequence))
        table(ChainTable.IMPORTED).clear(txn)
        root = self._description.attesting.executed.state_root
        meta.put(txn, TIP, encode(Tip(header.height, sequence, sequence, root)))
        first = Height(header.height + 1)
        base = Base(first, header.height, first, sequence, first, b"")
        write_base(self._store, txn, base)


class _ImportedValues:
    """The values of the imported state."""

    def __init__(self, store: Environment, txn: lmdb.Transaction, tree: StateTree) -> None:
        self._versions = store.table(ChainTable.VERSIONS)
        self._txn = txn
        self._tree = tree

    def value(self, key: bytes) -> bytes | None:
        """Return what a key holds."""
        entry = self._tree.find(sha256(key).digest())
        if entry is None:
            return None
        return decode_version(self._versions.require(self._txn, number_key(entry.sequence))).value


def _opened(folder: Path, genesis: Genesis, map_bytes: int) -> Environment | None:
    try:
        return Environment(chain_settings(folder, genesis, map_bytes), ChainTable)
    except StorageError:
        return None


def _publish(path: Path) -> None:
    folder = path / IMPORT_FOLDER
    os.replace(folder / DATA_FILE, path / DATA_FILE)
    sync_path(path)
    shutil.rmtree(folder)


def _version_of(leaf: SnapshotLeaf) -> StoredVersion:
    return StoredVersion(leaf.key, leaf.value, leaf.height, leaf.version, leaf.previous, 0, 0)
