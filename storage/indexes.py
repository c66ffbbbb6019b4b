"""Secondary indexes: which records had which value, from one height up to another.

A row is [first 8 bytes of SHA-256(index) ‖ value, escaped ‖ 00 01 ‖ state key ‖ from height] ->
[to height ‖ value]. In the escaped value every 00 is followed by FF, so that values sort as their
bytes do. Values are cut at `INDEXED_BYTES_MAX` in the key: longer ones that begin alike sort by
their state key. Not under the state root; rebuilt from the blocks by a reindex.
"""

from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import NamedTuple

import lmdb
import msgspec

from moyai.ledger.context import IndexChange
from moyai.primitives.ids import Height
from moyai.storage.table import Table

INDEXED_BYTES_MAX = 200
_INDEX_BYTES = 8
_END = b"\x00\x01"
_AFTER_END = b"\x00\x02"
_HEIGHT_BYTES = 8
_OPEN = (1 << 64) - 1


class IndexRange(msgspec.Struct, frozen=True, kw_only=True):
    """What to read: values from `low` to `high`, both included and either open, as of a height.

    `cursor` is that of the last row already seen.
    """

    index: bytes
    as_of_height: Height
    low: bytes | None = None
    high: bytes | None = None
    cursor: bytes | None = None
    reverse: bool = False


class IndexRow(NamedTuple):
    """A record that had a value, and the cursor that continues after it."""

    value: bytes
    key: bytes
    cursor: bytes


def write_changes(
    txn: lmdb.Transaction, table: Table, height: int, changes: Iterable[IndexChange]
) -> None:
    """Write the index changes of one block, in their order."""
    for change in changes:
        stem = _prefix(change.index) + _escaped(change.value) + _END + change.key
        if change.added:
            table.put(txn, stem + _number(height), _number(_OPEN) + change.value)
        else:
            _close(txn, table, stem, height)


def read_range(txn: lmdb.Transaction, table: Table, wanted: IndexRange) -> Iterator[IndexRow]:
    """Yield the rows of a range in the order of their values."""
    start, end = _bounds(wanted)
    rows = (
        table.scan_back(txn, end, start=start)
        if wanted.reverse
        else table.scan(txn, start, end=end)
    )
    for key, data in rows:
        from_height = int.from_bytes(key[-_HEIGHT_BYTES:], "big")
        to_height = ended_at(data)
        value = data[_HEIGHT_BYTES:]
        in_force = from_height <= wanted.as_of_height < to_height
        if in_force and _within(value, wanted):
            yield IndexRow(value, _state_key(key), key)


def ended_at(data: bytes) -> int:
    """Return the height from which on a stored row is no longer in force."""
    return int.from_bytes(data[:_HEIGHT_BYTES], "big")


def _close(txn: lmdb.Transaction, table: Table, stem: bytes, height: int) -> None:
    # No later height: the rows of a longer state key that begins like this one lie beyond it.
    after = stem + _number(height + 1)
    key, data = next(table.scan_back(txn, after, start=stem))
    assert key[:-_HEIGHT_BYTES] == stem, "an index row is removed that was never added"
    if key == stem + _number(height):
        table.delete(txn, key)
    else:
        table.put(txn, key, _number(height) + data[_HEIGHT_BYTES:])


def _bounds(wanted: IndexRange) -> tuple[bytes, bytes]:
    prefix = _prefix(wanted.index)
    start = prefix + (b"" if wanted.low is None else _escaped(wanted.low))
    end = prefix + (
        b"\xff" * (INDEXED_BYTES_MAX + 1) if wanted.high is None else _upper(wanted.high)
    )
    if wanted.cursor is not None and wanted.cursor.startswith(prefix):
        if wanted.reverse:
            end = min(end, wanted.cursor)
        else:
            start = max(start, wanted.cursor + b"\x00")
    return start, end


def _upper(high: bytes) -> bytes:
    escaped = _escaped(high)
    return escaped + (_AFTER_END if len(escaped) < INDEXED_BYTES_MAX else b"\xff")


def _within(value: bytes, wanted: IndexRange) -> bool:
    return (wanted.low is None or wanted.low <= value) and (
        wanted.high is None or value <= wanted.high
    )


def _prefix(index: bytes) -> bytes:
    return sha256(index).digest()[:_INDEX_BYTES]


def _escaped(value: bytes) -> bytes:
    return value[:INDEXED_BYTES_MAX].replace(b"\x00", b"\x00\xff")[:INDEXED_BYTES_MAX]


def _state_key(key: bytes) -> bytes:
    value_end = key.index(_END, _INDEX_BYTES)
    return key[value_end + len(_END) : -_HEIGHT_BYTES]


def _number(number: int) -> bytes:
    return number.to_bytes(_HEIGHT_BYTES, "big")
