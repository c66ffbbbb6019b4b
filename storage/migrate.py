"""From one on-disk format to the next: one step a version, each a transaction of its own.

A step that fails leaves the store as it was. Not here: the formats themselves (`keys`, `blocks`).
"""

from collections.abc import Callable, Mapping
from enum import Enum
from types import MappingProxyType

import lmdb

from moyai.primitives.ids import ACCOUNT_BYTES
from moyai.storage.keys import PLACE_BYTES, ChainTable
from moyai.storage.runs import SortedRuns
from moyai.storage.table import Table

FORMAT = 2
_ID_PREFIX_BYTES = 24

Migration = Callable[[lmdb.Transaction, Callable[[Enum], Table]], None]
"""Rewrites a store of one format as the next one."""


def _nothing(_txn: lmdb.Transaction, _table: Callable[[Enum], Table]) -> None:
    """Change nothing."""


def _sorted_runs(txn: lmdb.Transaction, table: Callable[[Enum], Table]) -> None:
    """From a row for each transaction, and for each account that it touches, to sorted runs."""
    rows = table(ChainTable.ACCOUNT_TRANSACTIONS)
    entries = [key for key, _ in rows.scan(txn)]
    rows.clear(txn)
    SortedRuns(rows, ACCOUNT_BYTES + PLACE_BYTES).add(txn, entries)
    rows = table(ChainTable.PLACES)
    entries = [key[:_ID_PREFIX_BYTES] + place for key, place in rows.scan(txn)]
    rows.clear(txn)
    SortedRuns(rows, _ID_PREFIX_BYTES + PLACE_BYTES).add(txn, entries)


MIGRATIONS: Mapping[int, Migration] = MappingProxyType({1: _nothing})
"""From format n to n + 1, for a store whose tables stay as they are."""

CHAIN_MIGRATIONS: Mapping[int, Migration] = MappingProxyType({1: _sorted_runs})
"""From format n to n + 1, for the chain store."""
