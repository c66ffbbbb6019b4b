"""From one on-disk format to the next: one step a version, each a transaction of its own.

A step that fails leaves the store as it was. Not here: the formats themselves (`keys`, `blocks`).
"""

from collections.abc import Callable, Mapping
from enum import Enum

import lmdb

from moyai.storage.table import Table

FORMAT = 1

Migration = Callable[[lmdb.Transaction, Callable[[Enum], Table]], None]
"""Rewrites a store of one format as the next one."""

MIGRATIONS: Mapping[int, Migration] = {}
"""From format n to n + 1."""
