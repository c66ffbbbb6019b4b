"""The state as the rules see it: a reader below, an overlay of changes above.

Not here: what the keys mean (`keys`), how the state is stored and hashed (storage).
"""

from typing import Protocol

import msgspec

from moyai.primitives.ids import Height


class StateEntry(msgspec.Struct, frozen=True):
    """The value of a key, how many versions it has had, and the height of the last."""

    value: bytes
    version: int
    height: Height


class StateReader(Protocol):
    """Anything that tells the current entry of a key; a deleted key has none."""

    def get(self, key: bytes) -> StateEntry | None: ...


class Values:
    """The values of a reader alone: what the readers of the topics take."""

    def __init__(self, reader: StateReader) -> None:
        self._reader = reader

    def value(self, key: bytes) -> bytes | None:
        """Return the value of `key`."""
        entry = self._reader.get(key)
        return None if entry is None else entry.value


class Overlay:
    """Changes of one block over a reader, with one transaction open at a time.

    `commit` keeps what the transaction wrote, `rollback` forgets it. Several writes of one key in
    one block are one version.
    """

    def __init__(self, reader: StateReader, height: Height) -> None:
        self._reader = reader
        self._height = height
        self._block: dict[bytes, bytes | None] = {}
        self._transaction: dict[bytes, bytes | None] = {}

    def value(self, key: bytes) -> bytes | None:
        """Return the current value of `key`, the open transaction's writes included."""
        if key in self._transaction:
            return self._transaction[key]
        if key in self._block:
            return self._block[key]
        entry = self._reader.get(key)
        return None if entry is None else entry.value

    def get(self, key: bytes) -> StateEntry | None:
        """Return the entry of `key` as it will stand after this block, were it to end here."""
        entry = self._reader.get(key)
        changed = key in self._transaction or key in self._block
        if not changed:
            return entry
        value = self._transaction[key] if key in self._transaction else self._block[key]
        if value is None:
            return None
        return StateEntry(value, (entry.version if entry else 0) + 1, self._height)

    def put(self, key: bytes, value: bytes) -> None:
        """Write `value`."""
        self._transaction[key] = value

    def delete(self, key: bytes) -> None:
        """Remove `key`; its history stays."""
        self._transaction[key] = None

    def commit(self) -> None:
        """Keep the open transaction's writes."""
        if self._transaction:
            self._block.update(self._transaction)
            self._transaction = {}

    def rollback(self) -> None:
        """Forget the open transaction's writes."""
        self._transaction = {}

    def changes(self) -> dict[bytes, bytes | None]:
        """Return the writes of all kept transactions, keys in the order of their first write."""
        return self._block
