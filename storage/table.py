"""One table of an environment: every value carries a digest over table, key and value.

LMDB has no checksums of its own; a value that does not match its digest is never returned.
"""

from collections.abc import Iterator
from hashlib import sha256
from typing import TYPE_CHECKING

import lmdb

from moyai.primitives.hashing import Tag
from moyai.storage.errors import CorruptedError, StorageFull

if TYPE_CHECKING:
    from lmdb import _Database

SEAL_BYTES = 16


class Table:
    """Sealed values under ordered keys."""

    __slots__ = ("_database", "_prefix", "_store", "name")

    def __init__(self, store: str, name: str, database: "_Database") -> None:
        self.name = name
        self._store = store
        self._database = database
        self._prefix = Tag.STORED.value + store.encode() + b"/" + name.encode() + b"\x00"

    def get(self, txn: lmdb.Transaction, key: bytes) -> bytes | None:
        """Return the value of a key. Raises `CorruptedError` naming the key."""
        sealed = txn.get(key, db=self._database)
        return None if sealed is None else self._opened(key, bytes(sealed))

    def require(self, txn: lmdb.Transaction, key: bytes) -> bytes:
        """Return the value of a key that must be there. Raises `CorruptedError`."""
        value = self.get(txn, key)
        if value is None:
            raise self._corrupted(key, "is missing")
        return value

    def put(self, txn: lmdb.Transaction, key: bytes, value: bytes) -> None:
        """Set the value of a key. Raises `StorageFull`."""
        try:
            txn.put(key, value + self._seal(key, value), db=self._database)
        except lmdb.MapFullError:
            raise map_full(self._store) from None

    def append(self, txn: lmdb.Transaction, key: bytes, value: bytes) -> None:
        """Set the value of a key that sorts after all others, which fills pages whole.

        Raises `StorageFull`.
        """
        try:
            stored = txn.put(key, value + self._seal(key, value), db=self._database, append=True)
        except lmdb.MapFullError:
            raise map_full(self._store) from None
        assert stored, f"{self.name} {key.hex()} appended out of order"

    def delete(self, txn: lmdb.Transaction, key: bytes) -> None:
        """Remove a key if it is there. Raises `StorageFull`."""
        try:
            txn.delete(key, db=self._database)
        except lmdb.MapFullError:
            raise map_full(self._store) from None

    def clear(self, txn: lmdb.Transaction) -> None:
        """Remove every key."""
        txn.drop(self._database, delete=False)

    def scan(
        self, txn: lmdb.Transaction, start: bytes = b"", *, end: bytes | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        """Yield keys and values in order, from `start` up to `end`, which is left out."""
        with txn.cursor(db=self._database) as cursor:
            found = cursor.set_range(start)
            while found:
                key, sealed = map(bytes, cursor.item())
                if end is not None and key >= end:
                    return
                yield key, self._opened(key, sealed)
                found = cursor.next()

    def scan_back(
        self, txn: lmdb.Transaction, end: bytes, *, start: bytes = b""
    ) -> Iterator[tuple[bytes, bytes]]:
        """Yield keys and values in reverse order, from below `end` down to and with `start`."""
        with txn.cursor(db=self._database) as cursor:
            found = cursor.prev() if cursor.set_range(end) else cursor.last()
            while found:
                key, sealed = map(bytes, cursor.item())
                if key < start:
                    return
                yield key, self._opened(key, sealed)
                found = cursor.prev()

    def count(self, txn: lmdb.Transaction) -> int:
        """Return the number of keys."""
        return int(txn.stat(self._database)["entries"])

    def bytes_used(self, txn: lmdb.Transaction) -> int:
        """Return the bytes of all pages of the table."""
        stat = txn.stat(self._database)
        pages = stat["branch_pages"] + stat["leaf_pages"] + stat["overflow_pages"]
        return int(pages * stat["psize"])

    def verify(self, txn: lmdb.Transaction) -> int:
        """Check the digest of every value and return their number. Raises `CorruptedError`."""
        checked = sum(1 for _ in self.scan(txn))
        if checked != self.count(txn):
            raise CorruptedError(
                f"holds {checked} values where {self.count(txn)} are counted",
                what=f"{self._store} {self.name}",
                next=_ADVICE,
            )
        return checked

    def _seal(self, key: bytes, value: bytes) -> bytes:
        return sha256(self._prefix + len(key).to_bytes(2, "big") + key + value).digest()[
            :SEAL_BYTES
        ]

    def _opened(self, key: bytes, sealed: bytes) -> bytes:
        value = sealed[:-SEAL_BYTES]
        if len(sealed) < SEAL_BYTES or sealed[-SEAL_BYTES:] != self._seal(key, value):
            raise self._corrupted(key, "is not what was written")
        return value

    def _corrupted(self, key: bytes, reason: str) -> CorruptedError:
        return CorruptedError(
            f"the value {reason}", what=f"{self._store} {self.name} {key.hex()}", next=_ADVICE
        )


def map_full(store: str) -> StorageFull:
    """Return the error of a store without room."""
    return StorageFull(
        "the store is full and the transaction was not written",
        what=f"{store} store",
        next="raise its map size in the configuration or free disk space, then start again",
    )


_ADVICE = "restore a backup or start with an empty data directory and let the node catch up"
