"""A table: order, ranges, and that no flipped bit is ever read back."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lmdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moyai.storage.errors import CorruptedError, StorageFull
from moyai.storage.table import Table

Database = tuple[lmdb.Environment, Any, Any]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    environment = lmdb.open(str(tmp_path_factory.mktemp("table")), max_dbs=2, map_size=1024**2)
    yield environment, environment.open_db(b"things"), environment.open_db(b"others")
    environment.close()


@pytest.fixture
def txn(database: Database) -> Iterator[lmdb.Transaction]:
    with database[0].begin(write=True) as txn:
        yield txn
        txn.abort()


@pytest.fixture
def table(database: Database) -> Table:
    return Table("test", "things", database[1])


def test_values_come_back_in_the_order_of_keys(table: Table, txn: lmdb.Transaction) -> None:
    for key in (b"b", b"c", b"a", b"d"):
        table.put(txn, key, key * 2)
    assert list(table.scan(txn)) == [(b"a", b"aa"), (b"b", b"bb"), (b"c", b"cc"), (b"d", b"dd")]
    assert [key for key, _ in table.scan(txn, b"b", end=b"d")] == [b"b", b"c"]
    assert [key for key, _ in table.scan_back(txn, b"d", start=b"b")] == [b"c", b"b"]
    assert [key for key, _ in table.scan_back(txn, b"z")] == [b"d", b"c", b"b", b"a"]
    assert table.count(txn) == 4
    assert table.verify(txn) == 4


def test_a_value_under_the_key_of_another_is_noticed(
    table: Table, txn: lmdb.Transaction, database: Database
) -> None:
    table.put(txn, b"one", b"value")
    sealed = txn.get(b"one", db=database[1])
    txn.put(b"two", sealed, db=database[1])
    txn.put(b"one", sealed, db=database[2])
    with pytest.raises(CorruptedError, match="is not what was written"):
        table.get(txn, b"two")
    with pytest.raises(CorruptedError, match="is not what was written"):
        Table("test", "others", database[2]).get(txn, b"one")


def test_missing_and_deleted_keys(table: Table, txn: lmdb.Transaction) -> None:
    table.put(txn, b"key", b"")
    assert table.get(txn, b"key") == b""
    table.delete(txn, b"key")
    table.delete(txn, b"key")
    assert table.get(txn, b"key") is None
    with pytest.raises(CorruptedError, match="test things 6b6579: the value is missing"):
        table.require(txn, b"key")


def test_appending_out_of_order_is_a_bug(table: Table, txn: lmdb.Transaction) -> None:
    table.append(txn, b"b", b"")
    with pytest.raises(AssertionError):
        table.append(txn, b"a", b"")


def test_clear_removes_everything(table: Table, txn: lmdb.Transaction) -> None:
    table.put(txn, b"key", b"value")
    table.clear(txn)
    assert table.count(txn) == 0


def test_every_single_flipped_bit_is_noticed(
    database: Database, table: Table, txn: lmdb.Transaction
) -> None:
    table.put(txn, b"key", b"some value")
    stored = txn.get(b"key", db=database[1])
    for bit in range(8 * len(stored)):
        flipped = bytearray(stored)
        flipped[bit // 8] ^= 1 << bit % 8
        txn.put(b"key", bytes(flipped), db=database[1])
        with pytest.raises(CorruptedError, match="is not what was written"):
            table.get(txn, b"key")
        with pytest.raises(CorruptedError):
            list(table.scan(txn))
        with pytest.raises(CorruptedError):
            list(table.scan_back(txn, b"z"))


def test_a_value_under_another_key_or_in_another_table_is_noticed(
    database: Database, table: Table, txn: lmdb.Transaction
) -> None:
    table.put(txn, b"key", b"value")
    stored = txn.get(b"key", db=database[1])
    txn.put(b"other", stored, db=database[1])
    txn.put(b"key", stored, db=database[2])
    with pytest.raises(CorruptedError):
        table.get(txn, b"other")
    with pytest.raises(CorruptedError):
        Table("test", "others", database[2]).get(txn, b"key")


@given(st.binary(max_size=40))
def test_no_other_bytes_pass_as_a_value(database: Database, stored: bytes) -> None:
    with database[0].begin(write=True) as txn:
        txn.put(b"key", stored, db=database[1])
        with pytest.raises(CorruptedError):
            Table("test", "things", database[1]).get(txn, b"key")
        txn.abort()


def test_a_full_map_says_so(tmp_path: Path) -> None:
    with lmdb.open(str(tmp_path), max_dbs=1, map_size=256 * 1024) as environment:
        table = Table("test", "things", environment.open_db(b"things"))
        for write in (table.put, table.append):
            with environment.begin(write=True) as txn:
                with pytest.raises(StorageFull, match="test store"):
                    write(txn, b"key", bytes(1024**2))
                txn.abort()
