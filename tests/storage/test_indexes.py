"""Secondary indexes against a plain list: ranges, order, cursors, any height."""

from collections.abc import Iterator
from typing import Any

import lmdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moyai.ledger.context import IndexChange
from moyai.primitives.ids import Height
from moyai.storage.indexes import INDEXED_BYTES_MAX, IndexRange, read_range, write_changes
from moyai.storage.table import Table

values = st.binary(max_size=4) | st.sampled_from(
    [b"", b"\x00", b"\x00\x01", b"\xff" * 5, b"a\x00b"]
)
Row = tuple[bytes, bytes]
Opened = tuple[lmdb.Environment, Table]


def change(value: bytes, key: bytes, *, added: bool, index: bytes = b"by name") -> IndexChange:
    return IndexChange(index, value, key, added=added)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    with lmdb.open(str(tmp_path_factory.mktemp("index")), max_dbs=1) as opened:
        yield opened, Table("test", "indexes", opened.open_db(b"indexes"))


def read(txn: lmdb.Transaction, table: Table, **wanted: object) -> list[Row]:
    query = IndexRange(index=b"by name", **{"as_of_height": Height(99), **wanted})
    return [(row.value, row.key) for row in read_range(txn, table, query)]


@given(
    st.lists(
        st.dictionaries(st.sampled_from([b"r1", b"r2", b"r3", b"r4"]), st.none() | values),
        max_size=6,
    ),
    st.none() | values,
    st.none() | values,
    st.booleans(),
)
@settings(max_examples=60)
def test_any_range_as_of_any_height(
    environment: Opened, blocks: list[Any], low: bytes | None, high: bytes | None, reverse: bool
) -> None:
    opened, table = environment
    with opened.begin(write=True) as txn:
        current: dict[bytes, bytes] = {}
        states = [dict(current)]
        for height, block in enumerate(blocks, 1):
            changes = []
            for key, value in block.items():
                if key in current:
                    changes.append(change(current.pop(key), key, added=False))
                if value is not None:
                    changes.append(change(value, key, added=True))
                    current[key] = value
            write_changes(txn, table, height, changes)
            states.append(dict(current))
        for height, state in enumerate(states):
            expected = sorted(
                (value, key)
                for key, value in state.items()
                if (low is None or low <= value) and (high is None or value <= high)
            )
            bounds = {"low": low, "high": high, "as_of_height": Height(height), "reverse": reverse}
            assert read(txn, table, **bounds) == (expected[::-1] if reverse else expected)
        txn.abort()


@pytest.mark.parametrize("reverse", [False, True])
def test_a_cursor_goes_on_after_the_row_it_was_given_with(
    environment: Opened, reverse: bool
) -> None:
    opened, table = environment
    with opened.begin(write=True) as txn:
        added = [change(b"%d" % (number % 3), b"key%d" % number, added=True) for number in range(9)]
        write_changes(txn, table, 1, added)
        seen, cursor = [], None
        while True:
            query = IndexRange(
                index=b"by name", as_of_height=Height(1), cursor=cursor, reverse=reverse
            )
            row = next(read_range(txn, table, query), None)
            if row is None:
                break
            seen.append((row.value, row.key))
            cursor = row.cursor
        assert seen == sorted(((one.value, one.key) for one in added), reverse=reverse)
        txn.abort()


def test_a_value_added_and_removed_in_one_block_was_never_there(environment: Opened) -> None:
    opened, table = environment
    with opened.begin(write=True) as txn:
        both = [change(b"v", b"key", added=True), change(b"v", b"key", added=False)]
        write_changes(txn, table, 3, both)
        assert table.count(txn) == 0
        txn.abort()


def test_a_key_that_begins_like_another_has_rows_of_its_own(environment: Opened) -> None:
    opened, table = environment
    with opened.begin(write=True) as txn:
        write_changes(
            txn, table, 1, [change(b"v", key, added=True) for key in (b"1", b"10", b"1-a")]
        )
        write_changes(
            txn, table, 2, [change(b"v", b"1", added=False), change(b"w", b"1", added=True)]
        )
        assert read(txn, table) == [(b"v", b"1-a"), (b"v", b"10"), (b"w", b"1")]
        txn.abort()


def test_long_values_are_found_by_all_their_bytes(environment: Opened) -> None:
    opened, table = environment
    stem = b"x" * INDEXED_BYTES_MAX
    with opened.begin(write=True) as txn:
        write_changes(
            txn,
            table,
            1,
            [change(stem + end, b"key" + end, added=True) for end in (b"1", b"2", b"3")],
        )
        assert read(txn, table, low=stem + b"2", high=stem + b"2") == [(stem + b"2", b"key2")]
        write_changes(txn, table, 2, [change(stem + b"2", b"key2", added=False)])
        assert [key for _, key in read(txn, table)] == [b"key1", b"key3"]
        txn.abort()


def test_indexes_do_not_see_each_other(environment: Opened) -> None:
    opened, table = environment
    with opened.begin(write=True) as txn:
        write_changes(txn, table, 1, [change(b"v", b"key", added=True, index=b"by place")])
        assert read(txn, table) == []
        txn.abort()
