"""An index whose entries come in no order, written without touching a page for each of them.

The entries of a batch are written side by side as one sorted run, on a level by its length; when a
level holds `FAN_OUT` runs they are merged into one of the level above, a bounded step with each
batch. So an entry is written once a level instead of a page for each, and a read looks into every
run. Entries have one length, are distinct, and are their own keys; they are never changed, but
may be swept out. Not here: what they mean.

    run u64 ‖ first entry -> entries of one page, sorted
    0 u64                 -> which runs there are, and how far each merge has come
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from heapq import merge
from itertools import islice
from typing import Annotated

import lmdb
import msgspec
from msgspec import Meta

from moyai.primitives.codec import Codec, encode
from moyai.storage.keys import number_key
from moyai.storage.table import SEAL_BYTES, Table

FAN_OUT = 8
PAGE_BYTES = 4_080 - SEAL_BYTES  # a value that fills one page of LMDB
MERGED_PER_ENTRY = 12  # more than there will ever be levels, so that merges keep up
_SHAPE = number_key(0)
_RUN_BYTES = len(_SHAPE)

_Count = Annotated[int, Meta(ge=0)]


class _Merge(msgspec.Struct, array_like=True, frozen=True):
    """The oldest runs of a level on their way into `output`; entries up to `after` are there."""

    level: _Count
    output: _Count
    after: bytes


class _Shape(msgspec.Struct, array_like=True, frozen=True):
    """The runs of each level, oldest first; `gone` are merged and not all deleted yet."""

    next_run: _Count = 1
    levels: tuple[tuple[int, ...], ...] = ()
    merges: tuple[_Merge, ...] = ()
    gone: tuple[int, ...] = ()


_codec = Codec(_Shape, name="shape of sorted runs")


class SortedRuns:
    """Entries of `entry_bytes` in a table of their own; one batch at a time."""

    def __init__(self, table: Table, entry_bytes: int) -> None:
        self._table = table
        self._entry_bytes = entry_bytes
        self._page_entries = PAGE_BYTES // entry_bytes

    def add(self, txn: lmdb.Transaction, entries: Iterable[bytes]) -> None:
        """Add distinct entries that are not there yet, and go on with the merges."""
        ordered = sorted(entries)
        if not ordered:
            return
        shape = self._shape(txn)
        run = shape.next_run
        self._write_pages(txn, run, ordered)
        level, entries_max = 0, self._page_entries * FAN_OUT
        while len(ordered) > entries_max:
            level, entries_max = level + 1, entries_max * FAN_OUT
        levels = _with_run(shape.levels, level, run)
        shape = msgspec.structs.replace(shape, next_run=run + 1, levels=levels)
        work = len(ordered) * MERGED_PER_ENTRY + self._page_entries
        shape = self._delete_gone(txn, shape, work)
        shape = self._merge(txn, shape, work)
        self._table.put(txn, _SHAPE, encode(shape))

    def scan_back(self, txn: lmdb.Transaction, end: bytes, *, start: bytes) -> Iterator[bytes]:
        """Yield entries in reverse order, from below `end` down to and with `start`."""
        runs = [run for level in self._shape(txn).levels for run in level]
        return merge(*(self._run_back(txn, run, start, end) for run in runs), reverse=True)

    def find(self, txn: lmdb.Transaction, beginning: bytes) -> bytes | None:
        """Return the entry that begins so, of which there is one at most; newest runs first."""
        size = self._entry_bytes
        last = beginning.ljust(size, b"\xff")
        runs = [run for level in self._shape(txn).levels for run in level]
        for run in sorted(runs, reverse=True):
            name = number_key(run)
            for _, page in islice(self._table.scan_back(txn, name + last, start=name), 1):
                place = page.find(beginning)
                while place > 0 and place % size:
                    place = page.find(beginning, place + 1)
                if place >= 0:
                    return page[place : place + size]
        return None

    def sweep(
        self,
        txn: lmdb.Transaction,
        cursor: bytes,
        is_over: Callable[[bytes], bool],
        pages_max: int,
    ) -> bytes | None:
        """Remove what is over from the next pages; return where to go on, none at the end.

        A merge that goes on meanwhile brings nothing back: what it reads was swept before what it
        writes, or both are swept later.
        """
        start = max(cursor, number_key(1))
        rows = list(islice(self._table.scan(txn, start), pages_max))
        for key, page in rows:
            entries = self._split(page)
            kept = [one for one in entries if not is_over(one)]
            if len(kept) < len(entries):
                self._table.delete(txn, key)
                self._write_pages(txn, int.from_bytes(key[:_RUN_BYTES], "big"), kept)
        return rows[-1][0] + b"\x00" if len(rows) == pages_max else None

    def clear(self, txn: lmdb.Transaction) -> None:
        """Remove every entry."""
        self._table.clear(txn)

    def _run_back(
        self, txn: lmdb.Transaction, run: int, start: bytes, end: bytes
    ) -> Iterator[bytes]:
        name = number_key(run)
        for key, page in self._table.scan_back(txn, name + end, start=name):
            entries = self._split(page)
            low, high = bisect_left(entries, start), bisect_left(entries, end)
            yield from reversed(entries[low:high])
            if key <= name + start:
                return

    def _merge(self, txn: lmdb.Transaction, shape: _Shape, work: int) -> _Shape:
        """Do the merges that are due, lowest level first, until so many entries were written."""
        level = 0
        while level < len(shape.levels) and work > 0:
            if len(shape.levels[level]) < FAN_OUT:
                level += 1
                continue
            under_way = next((one for one in shape.merges if one.level == level), None)
            if under_way is None:
                under_way = _Merge(level, shape.next_run, b"")
                shape = msgspec.structs.replace(shape, next_run=shape.next_run + 1)
            others = tuple(one for one in shape.merges if one.level != level)
            inputs = shape.levels[level][:FAN_OUT]
            written, after = self._merge_step(txn, under_way, inputs, work)
            work -= written
            if after is not None:
                ongoing = _Merge(level, under_way.output, after)
                return msgspec.structs.replace(shape, merges=(*others, ongoing))
            left = shape.levels[level][FAN_OUT:]
            levels = (*shape.levels[:level], left, *shape.levels[level + 1 :])
            levels = _with_run(levels, level + 1, under_way.output)
            shape = msgspec.structs.replace(
                shape, levels=levels, merges=others, gone=shape.gone + inputs
            )
        return shape

    def _merge_step(
        self, txn: lmdb.Transaction, merging: _Merge, inputs: tuple[int, ...], work: int
    ) -> tuple[int, bytes | None]:
        """Write about `work` more entries of the output, in whole pages until the end.

        Returns how many, and the last one, or none when the merge is complete.
        """
        wanted = -(-work // self._page_entries) * self._page_entries
        waiting = [self._pages_after(txn, run, merging.after) for run in inputs]
        heads = [next(pages, []) for pages in waiting]
        merged: list[bytes] = []
        while len(merged) < wanted and any(heads):
            bound = min(head[-1] for head in heads if head)
            for place, head in enumerate(heads):
                taken = bisect_right(head, bound)
                merged += head[:taken]
                heads[place] = head[taken:] or next(waiting[place], [])
        merged.sort()
        complete = not any(heads)
        if not complete:
            del merged[wanted:]
        self._write_pages(txn, merging.output, merged)
        return len(merged), None if complete else merged[-1]

    def _pages_after(self, txn: lmdb.Transaction, run: int, after: bytes) -> Iterator[list[bytes]]:
        """Yield the entries of a run behind `after`, page by page, no page empty."""
        name, end = number_key(run), number_key(run + 1)
        before = next(self._table.scan_back(txn, name + after + b"\x00", start=name), None)
        for _, page in self._table.scan(txn, before[0] if before else name, end=end):
            entries = self._split(page)
            left = entries[bisect_right(entries, after) :]
            if left:
                yield left

    def _delete_gone(self, txn: lmdb.Transaction, shape: _Shape, work: int) -> _Shape:
        """Delete pages of merged runs, as many as the work of a batch pays for."""
        pages = FAN_OUT + work // self._page_entries
        gone = list(shape.gone)
        while gone and pages > 0:
            rows = self._table.scan(txn, number_key(gone[0]), end=number_key(gone[0] + 1))
            keys = [key for key, _ in islice(rows, pages)]
            for key in keys:
                self._table.delete(txn, key)
            if len(keys) < pages:
                del gone[0]
            pages -= len(keys) + 1
        return msgspec.structs.replace(shape, gone=tuple(gone))

    def _write_pages(self, txn: lmdb.Transaction, run: int, ordered: list[bytes]) -> None:
        name = number_key(run)
        for first in range(0, len(ordered), self._page_entries):
            page = ordered[first : first + self._page_entries]
            self._table.put(txn, name + page[0], b"".join(page))

    def _split(self, page: bytes) -> list[bytes]:
        size = self._entry_bytes
        return [page[place : place + size] for place in range(0, len(page), size)]

    def _shape(self, txn: lmdb.Transaction) -> _Shape:
        data = self._table.get(txn, _SHAPE)
        return _Shape() if data is None else _codec.decode(data)


def _with_run(
    levels: tuple[tuple[int, ...], ...], level: int, run: int
) -> tuple[tuple[int, ...], ...]:
    levels += ((),) * (level + 1 - len(levels))
    return (*levels[:level], (*levels[level], run), *levels[level + 1 :])
