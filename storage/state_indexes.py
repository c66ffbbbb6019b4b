"""Rows of the secondary indexes made from a state instead of from the blocks that led to it.

They answer the same questions from that height on. Not here: which rows a value has
(`ledger.records`), blocks (`reindex`).
"""

from collections.abc import Iterable
from typing import NamedTuple

import lmdb

from moyai.ledger.context import IndexChange
from moyai.ledger.records import index_rows
from moyai.ledger.state import ValueReader
from moyai.storage.indexes import write_changes
from moyai.storage.table import Table


class InForce(NamedTuple):
    """What a key holds since a height."""

    key: bytes
    value: bytes
    height: int


def write_state_rows(
    txn: lmdb.Transaction, table: Table, reader: ValueReader, values: Iterable[InForce]
) -> None:
    """Write the rows that these keys have with these values; writing them again changes nothing."""
    for key, value, height in values:
        rows = index_rows(reader, key, value)
        changes = [IndexChange(index, indexed, key, added=True) for index, indexed in rows]
        write_changes(txn, table, height, changes)
