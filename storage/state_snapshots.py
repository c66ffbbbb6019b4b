"""State snapshots on disk: one folder each, named by its height; the newest few are kept.

A folder holds `leaves`, in the order of their key digests, each behind its length as u32, and
`contents`: the description, and where each part begins. It appears under its name in one step. A
part is checked against the description on each read. Not here: making one (`snapshot_maker`).
"""

import os
import shutil
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path

import msgspec

from moyai.primitives.codec import Codec, encode
from moyai.primitives.errors import CodecError, ProofError
from moyai.primitives.ids import DIGEST_BYTES
from moyai.primitives.state_snapshot import (
    SnapshotDescription,
    SnapshotLeaf,
    check_description,
    check_part,
)
from moyai.storage.environment import sync_path
from moyai.storage.errors import CorruptedError

SNAPSHOTS_KEPT = 2
PARTS_REMEMBERED = 4
LEAVES_FILE = "leaves"
CONTENTS_FILE = "contents"
_PARTIAL = "partial"
_LENGTH_BYTES = 4


class _Contents(msgspec.Struct, array_like=True, frozen=True):
    """`ends`: where each part ends in the file of leaves."""

    description: SnapshotDescription
    ends: tuple[int, ...]


class StoredSnapshot:
    """One complete snapshot."""

    def __init__(self, path: Path) -> None:
        """Open a snapshot and check its description. Raises `CorruptedError`."""
        self._path = path
        self._contents = self._read_contents()
        self._remembered: dict[int, tuple[SnapshotLeaf, ...]] = {}

    @property
    def description(self) -> SnapshotDescription:
        """Return what it is of, and the hash of each part."""
        return self._contents.description

    @property
    def bytes_on_disk(self) -> int:
        """Return the size of its files."""
        files = (self._path / LEAVES_FILE, self._path / CONTENTS_FILE)
        return sum(file.stat().st_size for file in files)

    def part(self, index: int) -> tuple[SnapshotLeaf, ...]:
        """Return the leaves of one part, checked. Raises `CorruptedError`."""
        leaves = self._remembered.get(index)
        if leaves is None:
            leaves = self._read_part(index)
            if len(self._remembered) >= PARTS_REMEMBERED:
                del self._remembered[next(iter(self._remembered))]
            self._remembered[index] = leaves
        return leaves

    def _read_part(self, index: int) -> tuple[SnapshotLeaf, ...]:
        ends = self._contents.ends
        start = ends[index - 1] if index else 0
        try:
            with (self._path / LEAVES_FILE).open("rb") as file:
                file.seek(start)
                leaves = tuple(decode_leaves(file.read(ends[index] - start)))
            check_part(self.description, index, leaves)
        except (OSError, CodecError, ProofError) as error:
            raise self._corrupted(f"part {index} is not what was written: {error}") from None
        return leaves

    def _read_contents(self) -> _Contents:
        try:
            data = (self._path / CONTENTS_FILE).read_bytes()
            contents = _contents.decode(data[:-DIGEST_BYTES])
            if sha256(data[:-DIGEST_BYTES]).digest() != data[-DIGEST_BYTES:]:
                raise self._corrupted("its contents are not what was written")
            check_description(contents.description)
        except (OSError, CodecError, ProofError) as error:
            raise self._corrupted(f"its contents are not what was written: {error}") from None
        return contents

    def _corrupted(self, reason: str) -> CorruptedError:
        return CorruptedError(
            reason,
            what=f"snapshot {self._path.name}",
            next="remove its folder; the node makes another one",
        )


class SnapshotFolder:
    """The snapshots of one node."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._opened: dict[int, StoredSnapshot | None] = {}

    def newest(self) -> StoredSnapshot | None:
        """Return the newest snapshot."""
        return next(iter(self.all()), None)

    def all(self) -> tuple[StoredSnapshot, ...]:
        """Return all snapshots, newest first; damaged ones are left out."""
        found = (self._open(height) for height in sorted(self.heights(), reverse=True))
        return tuple(snapshot for snapshot in found if snapshot is not None)

    def heights(self) -> list[int]:
        """Return the heights of all snapshots."""
        if not self.path.is_dir():
            return []
        return sorted(int(one.name) for one in self.path.iterdir() if one.name.isdecimal())

    def forget_beyond(self, lowest: int, highest: int) -> None:
        """Remove what lies outside these heights: it is of a chain store that is gone."""
        for height in self.heights():
            if not lowest <= height <= highest:
                self._remove(height)

    def begin(self) -> Path:
        """Return an empty folder to make a snapshot in; whatever was begun before is gone."""
        partial = self.path / _PARTIAL
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True, mode=0o700)
        return partial

    def abandon(self) -> None:
        """Remove what was begun."""
        shutil.rmtree(self.path / _PARTIAL, ignore_errors=True)

    def complete(self, description: SnapshotDescription, ends: Iterable[int]) -> StoredSnapshot:
        """Give what was made its name, durably, and remove the oldest beyond those kept."""
        partial = self.path / _PARTIAL
        data = encode(_Contents(description, tuple(ends)))
        (partial / CONTENTS_FILE).write_bytes(data + sha256(data).digest())
        for path in (partial / CONTENTS_FILE, partial / LEAVES_FILE, partial):
            sync_path(path)
        height = description.header.height
        target = self.path / str(height)
        shutil.rmtree(target, ignore_errors=True)
        os.replace(partial, target)
        sync_path(self.path)
        self._opened.pop(height, None)
        for old in self.heights()[:-SNAPSHOTS_KEPT]:
            self._remove(old)
        return StoredSnapshot(target)

    def _remove(self, height: int) -> None:
        shutil.rmtree(self.path / str(height), ignore_errors=True)
        self._opened.pop(height, None)

    def _open(self, height: int) -> StoredSnapshot | None:
        if height not in self._opened:
            try:
                self._opened[height] = StoredSnapshot(self.path / str(height))
            except CorruptedError:
                self._opened[height] = None
        return self._opened[height]


def encode_leaf(leaf: SnapshotLeaf) -> bytes:
    """Return a leaf as the file of leaves holds it."""
    data = encode(leaf)
    return len(data).to_bytes(_LENGTH_BYTES, "big") + data


def decode_leaves(data: bytes) -> Iterator[SnapshotLeaf]:
    """Yield the leaves of a stretch of the file. Raises `CodecError`."""
    place = 0
    while place < len(data):
        end = place + _LENGTH_BYTES + int.from_bytes(data[place : place + _LENGTH_BYTES], "big")
        if end > len(data):
            raise CodecError("a leaf is cut off", what="stored leaf")
        yield _leaf.decode(data[place + _LENGTH_BYTES : end])
        place = end


_contents = Codec(_Contents, name="stored snapshot")
_leaf = Codec(SnapshotLeaf, name="stored leaf")
