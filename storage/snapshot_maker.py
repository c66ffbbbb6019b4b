"""Making a state snapshot of a running store in small steps.

First the owner of the store collects, section by section, which version each key had; then the
thread that writes reads those versions and appends their leaves to a file. Blocks go on meanwhile.
A height whose root is no longer kept is given up. Not here: what is kept (`state_snapshots`).
"""

from array import array
from contextlib import suppress
from typing import BinaryIO

import msgspec

from moyai.primitives.block import Header
from moyai.primitives.errors import ProofError
from moyai.primitives.ids import Digest, Height
from moyai.primitives.limits import SNAPSHOT_DEPTH_MAX
from moyai.primitives.state_proof import EMPTY, Leaf
from moyai.primitives.state_snapshot import (
    SnapshotDescription,
    SnapshotLeaf,
    join,
    snapshot_depth,
    subtree,
)
from moyai.storage.chain import ChainStore
from moyai.storage.keys import ChainTable, number_key
from moyai.storage.section import ENTRY_BYTES, unpack
from moyai.storage.snapshot import ChainSnapshot
from moyai.storage.state_snapshots import (
    LEAVES_FILE,
    SnapshotFolder,
    StoredSnapshot,
    encode_leaf,
)
from moyai.storage.tree import SECTIONS
from moyai.storage.versions import decode_version

LEAVES_PER_STEP = 2_000
CELLS = 1 << SNAPSHOT_DEPTH_MAX


class Wanted(msgspec.Struct, frozen=True):
    """The block whose state is wanted, and the first header that carries its root."""

    header: Header
    attesting: Header


def due(chain: ChainSnapshot, height: int, blocks: int) -> Wanted | None:
    """Return the snapshot that the block at `height` makes due, by the chain alone.

    It is the first whose attested height reaches or passes the next multiple of `blocks`.
    """
    attesting, parent = chain.header(height), chain.header(height - 1)
    if attesting is None or parent is None:
        return None
    attested = attesting.executed.height
    if attested == 0 or attested // blocks == parent.executed.height // blocks:
        return None
    header = chain.header(attested)  # it may lie below what a state was taken over with
    return None if header is None else Wanted(header, attesting)


def newest_attested(chain: ChainSnapshot) -> Wanted | None:
    """Return the newest block whose state a header carries, with the first such header."""
    attested = chain.attested_height
    if attested == 0:
        return None
    height = attested + 1
    while chain.require_header(height).executed.height < attested:
        height += 1
    return Wanted(chain.require_header(attested), chain.require_header(height))


class _Cells:
    """Class, hash and end of each of the finest parts that there can be."""

    def __init__(self) -> None:
        self.leaves = 0
        self.content_bytes = 0
        self.end = 0
        self._nodes: list[tuple[int, bytes]] = [(0, EMPTY)] * CELLS
        self._ends = [0] * CELLS
        self._open = 0
        self._pending: list[Leaf] = []

    def add(self, leaf: Leaf, content_bytes: int, stored_bytes: int) -> None:
        """Take the next leaf."""
        cell = int.from_bytes(leaf.key_digest, "big") >> 256 - SNAPSHOT_DEPTH_MAX
        self._close(cell)
        self._pending.append(leaf)
        self.leaves += 1
        self.content_bytes += content_bytes
        self.end += stored_bytes

    def cut(self) -> tuple[int, list[tuple[int, bytes]], list[int]]:
        """Return the depth for all that was added, and node and end of each part."""
        self._close(CELLS)
        depth = snapshot_depth(self.leaves, self.content_bytes)
        nodes = self._nodes
        for _ in range(SNAPSHOT_DEPTH_MAX - depth):
            nodes = [join(nodes[at], nodes[at + 1]) for at in range(0, len(nodes), 2)]
        width = CELLS >> depth
        return depth, nodes, self._ends[width - 1 :: width]

    def _close(self, cell: int) -> None:
        if cell > self._open:
            self._nodes[self._open] = subtree(self._pending, SNAPSHOT_DEPTH_MAX)
            self._ends[self._open : cell] = [self.end] * (cell - self._open)
            self._pending, self._open = [], cell


class SnapshotMaker:
    """One snapshot on its way: `collect` until it is false, then `write` until it is false."""

    def __init__(self, chain: ChainStore, folder: SnapshotFolder, wanted: Wanted) -> None:
        self.height = wanted.header.height
        self._chain = chain
        self._folder = folder
        self._wanted = wanted
        self._section = 0
        self._sequences = array("Q")
        self._written = 0
        self._cells = _Cells()
        self._file: BinaryIO | None = None

    @property
    def is_possible(self) -> bool:
        """Return whether the state after that block can still be read key by key."""
        tree = self._chain.states.tree
        return tree.oldest_height <= self.height <= tree.height

    def collect(self) -> bool:
        """Take note of one section, on the thread that owns the store; return whether more follow.

        Raises `ProofError` when the height is no longer kept.
        """
        packed = self._chain.states.tree.section_at(self._section, self.height)
        for place in range(0, len(packed), ENTRY_BYTES):
            self._sequences.append(unpack(packed, place).sequence)
        self._section += 1
        return self._section < SECTIONS

    def write(self) -> bool:
        """Write the next leaves, in the thread that writes; return whether more follow."""
        assert self._section == SECTIONS, "leaves are collected before they are written"
        if self._file is None:
            self._file = (self._folder.begin() / LEAVES_FILE).open("wb")
        chosen = self._sequences[self._written : self._written + LEAVES_PER_STEP]
        environment = self._chain.environment
        versions = environment.table(ChainTable.VERSIONS)
        with environment.read() as read:
            for sequence in chosen:
                version = decode_version(versions.require(read.raw, number_key(sequence)))
                key, value, previous = version.key, version.value, Digest(version.previous_hash)
                leaf = SnapshotLeaf(key, value, version.height, version.version, previous)
                data = encode_leaf(leaf)
                self._cells.add(leaf.leaf(), len(key) + len(value or b""), len(data))
                self._file.write(data)
        self._written += len(chosen)
        return self._written < len(self._sequences)

    def finish(self) -> StoredSnapshot:
        """Give the snapshot its name. Raises `ProofError` when it has not the attested root."""
        assert self._file is not None
        self._file.close()
        depth, nodes, ends = self._cells.cut()
        header, attesting = self._wanted.header, self._wanted.attesting
        with self._chain.snapshot() as snapshot:
            path = snapshot.prove_log(header.height, attesting.height)
            log = snapshot.log_frontier(header.height)
            receipts = snapshot.receipts_frontier(header.height)
        description = SnapshotDescription(
            header=header,
            attesting=attesting,
            path=tuple(Digest(node) for node in path),
            log_frontier=tuple(Digest(node) for node in log.roots),
            receipts_frontier=tuple(Digest(node) for node in receipts.roots),
            depth=depth,
            parts=b"".join(bytes((kind,)) + node for kind, node in nodes),
        )
        return self._folder.complete(description, ends)

    def close(self) -> None:
        """Give the snapshot up, and the disk that it has taken so far."""
        if self._file is not None:
            with suppress(OSError):  # what could not be written is not missed
                self._file.close()
            self._folder.abandon()


def make_snapshot(chain: ChainStore, folder: SnapshotFolder, wanted: Wanted) -> StoredSnapshot:
    """Make a snapshot of a store that nothing is appended to.

    Raises `ProofError` when the state of that height is no longer kept.
    """
    maker = SnapshotMaker(chain, folder, wanted)
    if not maker.is_possible:
        raise ProofError(
            "the state after it is no longer kept key by key",
            what=f"height {Height(maker.height)}",
            next="make a snapshot of a newer height",
        )
    while maker.collect():
        pass
    while maker.write():
        pass
    return maker.finish()
