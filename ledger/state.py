"""The state as the rules see it: a reader below, an overlay of changes above.

Not here: what the keys mean (`primitives.state_keys`), how they are stored and hashed
(storage).
"""

from typing import Protocol

import msgspec

from moyai.primitives.ids import Height


class StateEntry(msgspec.Struct, frozen=True):
    """The value of a key, how many versions it has had, and the height of the last."""

    value: bytes
    version: int
    height: Height


_DELETED = StateEntry(b"", 0, Height(0))
"""Stands in an overlay for a key that holds nothing any more."""


class StateReader(Protocol):
    """Anything that tells the current entry of a key; a deleted key has none."""

    def get(self, key: bytes) -> StateEntry | None: ...


class ValueReader(Protocol):
    """Anything that tells the current value of a key: what the readers of the topics take."""

    def value(self, key: bytes) -> bytes | None: ...


class Values:
    """The values of a reader alone."""

    def __init__(self, reader: StateReader) -> None:
        self._reader = reader

    def value(self, key: bytes) -> bytes | None:
        """Return the value of `key`."""
        entry = self._reader.get(key)
        return None if entry is None else entry.value


class Overlay:
    """Changes of one block over a reader, with one transaction open at a time.

    `commit` keeps what the transaction wrote, `rollback` forgets it. Several writes of one key in
    one block are one version, since a version is what a block leaves behind.
    """

    __slots__ = ("_block", "_height", "_reader", "_transaction")

    def __init__(self, reader: StateReader, height: Height) -> None:
        self._reader = reader
        self._height = height
        self._block: dict[bytes, StateEntry] = {}
        self._transaction: dict[bytes, StateEntry] = {}

    def get(self, key: bytes) -> StateEntry | None:
        """Return the entry of `key`, the open transaction's writes included."""
        entry = self._transaction.get(key) or self._block.get(key) or self._reader.get(key)
        return None if entry is _DELETED else entry

    def value(self, key: bytes) -> bytes | None:
        """Return the value of `key`, the open transaction's writes included."""
        entry = self._transaction.get(key) or self._block.get(key) or self._reader.get(key)
        return None if entry is None or entry is _DELETED else entry.value

    def version_before_block(self, key: bytes) -> int:
        """Return the version that `key` had before this block; 0 when it held nothing."""
        entry = self._reader.get(key)
        return 0 if entry is None else entry.version

    def is_written_by_others(self, key: bytes) -> bool:
        """Return whether an earlier transaction of this block wrote `key`."""
        return key in self._block

    def put(self, key: bytes, value: bytes) -> None:
        """Write `value`."""
        version = self.version_before_block(key) + 1
        self._transaction[key] = StateEntry(value, version, self._height)

    def delete(self, key: bytes) -> None:
        """Let `key` hold nothing."""
        self._transaction[key] = _DELETED

    def commit(self) -> None:
        """Keep the open transaction's writes."""
        if self._transaction:
            self._block.update(self._transaction)
            self._transaction = {}

    def rollback(self) -> None:
        """Forget the open transaction's writes."""
        self._transaction = {}

    def changes(self) -> dict[bytes, bytes | None]:
        """Return what all kept transactions wrote, in the order of the first write of each key.

        None deletes.
        """
        return {
            key: None if entry is _DELETED else entry.value for key, entry in self._block.items()
        }
