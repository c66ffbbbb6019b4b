"""Sorted runs against a sorted list: whatever comes in whatever batches, and little is written."""

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import lmdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moyai.storage.runs import FAN_OUT, MERGED_PER_ENTRY, PAGE_BYTES, SortedRuns
from moyai.storage.table import Table

WIDE = 450  # nine entries a page
Database = tuple[lmdb.Environment, Any]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    folder = tmp_path_factory.mktemp("runs")
    environment = lmdb.open(str(folder), max_dbs=1, map_size=256 * 1024**2)
    yield environment, environment.open_db(b"things")
    environment.close()


@pytest.fixture
def txn(database: Database) -> Iterator[lmdb.Transaction]:
    with database[0].begin(write=True) as txn:
        yield txn
        txn.abort()


class CountingTable(Table):
    """Counts what is written and deleted."""

    written_bytes = 0
    deleted = 0

    def put(self, txn: lmdb.Transaction, key: bytes, value: bytes) -> None:
        self.written_bytes += len(value)
        super().put(txn, key, value)

    def delete(self, txn: lmdb.Transaction, key: bytes) -> None:
        self.deleted += 1
        super().delete(txn, key)


def entry(number: int, size: int = WIDE) -> bytes:
    return number.to_bytes(4, "big").ljust(size, b".")


def all_of(runs: SortedRuns, txn: lmdb.Transaction) -> list[bytes]:
    return list(runs.scan_back(txn, b"\xff" * 5, start=b""))


numbers = st.integers(0, 400)


@settings(max_examples=60, deadline=None)
@given(batches=st.lists(st.sets(numbers, max_size=20), max_size=80), low=numbers, high=numbers)
def test_what_was_added_comes_back_in_order(
    database: Database, batches: list[set[int]], low: int, high: int
) -> None:
    known: set[int] = set()
    with database[0].begin(write=True) as txn:
        runs = SortedRuns(Table("test", "things", database[1]), WIDE)
        for batch in batches:
            runs.add(txn, [entry(number) for number in batch - known])
            known |= batch
        assert all_of(runs, txn) == [entry(one) for one in sorted(known, reverse=True)]
        between = [entry(one) for one in sorted(known, reverse=True) if low <= one < high]
        assert list(runs.scan_back(txn, entry(high, 4), start=entry(low, 4))) == between
        expected = entry(low) if low in known else None
        assert runs.find(txn, entry(low, 4)) == expected
        txn.abort()


def test_an_entry_is_written_once_a_level(database: Database, txn: lmdb.Transaction) -> None:
    table = CountingTable("test", "things", database[1])
    size, batch, batches = 28, 50, 1_000
    runs, chance = SortedRuns(table, size), Random(1)
    for _ in range(batches):
        runs.add(txn, [entry(chance.getrandbits(32), size) for _ in range(batch)])
    entries = batch * batches
    levels = 4  # 8^4 batches and more would make a fifth
    assert len(all_of(runs, txn)) == entries
    assert table.written_bytes < (levels + 2) * entries * size
    assert table.count(txn) < 3 * entries * size / PAGE_BYTES


def test_no_batch_waits_for_a_large_merge(database: Database, txn: lmdb.Transaction) -> None:
    table = CountingTable("test", "things", database[1])
    size, batch = 28, 20
    runs, chance = SortedRuns(table, size), Random(2)
    most = batch * MERGED_PER_ENTRY * size + 4 * PAGE_BYTES
    for _ in range(FAN_OUT**3 + FAN_OUT):
        table.written_bytes = table.deleted = 0
        runs.add(txn, [entry(chance.getrandbits(32), size) for _ in range(batch)])
        assert table.written_bytes < most
        assert table.deleted < 2 * FAN_OUT + batch


def test_runs_outlive_the_process(tmp_path: Path) -> None:
    for start in range(0, 100, 10):
        with lmdb.open(str(tmp_path), max_dbs=1) as environment:
            table = Table("test", "things", environment.open_db(b"things"))
            with environment.begin(write=True) as txn:
                SortedRuns(table, WIDE).add(txn, [entry(one) for one in range(start, start + 10)])
    with lmdb.open(str(tmp_path), max_dbs=1) as environment:
        table = Table("test", "things", environment.open_db(b"things"))
        with environment.begin() as txn:
            found = all_of(SortedRuns(table, WIDE), txn)
            assert found == [entry(one) for one in reversed(range(100))]


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 70),
    pages=st.integers(1, 30),
    under=numbers,
    later=st.lists(st.sets(st.integers(401, 600), max_size=20), max_size=30),
)
def test_what_is_swept_never_comes_back(
    database: Database, seed: int, pages: int, under: int, later: list[set[int]]
) -> None:
    """Batches are added, and merges go on, between the steps of the sweep."""
    known = set(range(401))
    mixed = Random(seed).sample(sorted(known), len(known))
    first = [mixed[part::70] for part in range(70)]
    with database[0].begin(write=True) as txn:
        runs = SortedRuns(Table("test", "things", database[1]), WIDE)
        for batch in first:
            runs.add(txn, map(entry, batch))
        cursor: bytes | None = b""
        while cursor is not None:
            cursor = runs.sweep(txn, cursor, lambda one: one < entry(under, 4), pages)
            if later:
                batch = sorted(later.pop() - known)
                runs.add(txn, map(entry, batch))
                known.update(batch)
        left = [entry(one) for one in sorted(known, reverse=True) if one >= under]
        assert all_of(runs, txn) == left
        txn.abort()


def test_cleared_runs_begin_anew(database: Database, txn: lmdb.Transaction) -> None:
    runs = SortedRuns(Table("test", "things", database[1]), WIDE)
    runs.add(txn, [entry(1), entry(2)])
    runs.clear(txn)
    assert all_of(runs, txn) == []
    runs.add(txn, [])
    runs.add(txn, [entry(3)])
    assert all_of(runs, txn) == [entry(3)]
