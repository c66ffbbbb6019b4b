"""Stored logs: every root and path is that of RFC 6962, whatever the size."""

from collections.abc import Iterator
from pathlib import Path

import lmdb
import pytest

from moyai.primitives.errors import ProofError
from moyai.primitives.merkle import Frontier, merkle_root, verify_inclusion
from moyai.storage.errors import CorruptedError
from moyai.storage.logs import StoredLog
from moyai.storage.table import Table

SIZE = 40
LEAVES = [b"%d" % number for number in range(SIZE)]


Filled = tuple[StoredLog, lmdb.Transaction, Table]


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[Filled]:
    with lmdb.open(str(tmp_path), max_dbs=1) as environment:
        table = Table("test", "log", environment.open_db(b"log"))
        log = StoredLog(table)
        with environment.begin(write=True) as txn:
            for index, leaf in enumerate(LEAVES):
                log.append(txn, index, leaf)
            yield log, txn, table


def test_roots_and_frontiers_of_every_size(filled: Filled) -> None:
    log, txn, _ = filled
    frontier = Frontier()
    for size in range(SIZE + 1):
        assert log.root(txn, size) == merkle_root(LEAVES[:size])
        assert log.frontier(txn, size) == frontier
        frontier = frontier.append(LEAVES[size]) if size < SIZE else frontier


def test_paths_of_every_leaf_in_every_size(filled: Filled) -> None:
    log, txn, _ = filled
    for size in range(1, SIZE + 1):
        for index in range(size):
            path = log.path(txn, index, size)
            verify_inclusion(LEAVES[index], index, size, path, merkle_root(LEAVES[:size]))
    with pytest.raises(ProofError):
        log.path(txn, 5, 5)


def test_a_missing_node_is_noticed(filled: Filled) -> None:
    log, txn, table = filled
    table.delete(txn, next(table.scan(txn, b"\x05"))[0])
    with pytest.raises(CorruptedError, match="missing"):
        log.root(txn, SIZE)
