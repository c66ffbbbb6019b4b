"""The live state: the newest value of every key, ahead of what is on disk by the blocks not yet
written.

Owned by one thread, like the trie it holds. Values not yet on disk are kept here; a bounded number
of others is remembered. Not here: writing (`state_writer`).
"""

from collections.abc import Mapping
from hashlib import sha256

from moyai.ledger.state import StateEntry
from moyai.primitives.ids import Digest, Height
from moyai.storage.environment import Environment
from moyai.storage.keys import ChainTable, number_key
from moyai.storage.tree import StateTree
from moyai.storage.versions import StoredVersion, decode_version, pending_version

VALUES_REMEMBERED_MAX = 16_384
REMEMBERED_VALUE_BYTES_MAX = 1_024
PROOF_ROOTS_KEPT = 256
_NOT_REMEMBERED = StateEntry(b"", 0, Height(0))


class LiveState:
    """Reads by key, and the changes of one block at a time."""

    def __init__(self, environment: Environment, tree: StateTree) -> None:
        self.tree = tree
        self._environment = environment
        self._table = environment.table(ChainTable.VERSIONS)
        self._pending: dict[int, StoredVersion] = {}
        self._remembered: dict[bytes, StateEntry | None] = {}

    @property
    def height(self) -> Height:
        """Return the height of the last block applied."""
        return Height(self.tree.height)

    @property
    def root(self) -> Digest:
        """Return the state root after the last block applied."""
        return self.tree.root

    def get(self, key: bytes) -> StateEntry | None:
        """Return the value, version and height of a key; none when it holds nothing."""
        remembered = self._remembered.get(key, _NOT_REMEMBERED)
        if remembered is not _NOT_REMEMBERED:
            return remembered
        entry = self._read(key)
        self._remember(key, entry)
        return entry

    def apply(
        self, height: Height, changes: Mapping[bytes, bytes | None]
    ) -> list[tuple[int, StoredVersion]]:
        """Give each key its new value after block `height`, none deleting it.

        Returns the new versions with their sequences, in order.
        """
        applied = []
        sequence = self.tree.next_sequence
        for change in self.tree.apply(changes, height):
            version = pending_version(change, height)
            applied.append((sequence, version))
            sequence += 1
            self._remember(version.key, _entry(version))
        self._pending.update(applied)
        return applied

    def forget_written(self, next_sequence: int) -> None:
        """Drop what is on disk: all versions below `next_sequence`."""
        for sequence in list(self._pending):
            if sequence >= next_sequence:
                break
            del self._pending[sequence]

    def pending(self, sequence: int) -> StoredVersion | None:
        """Return a version that may not be on disk yet, without its far link."""
        return self._pending.get(sequence)

    def require_pending(self, sequence: int) -> StoredVersion:
        """Return a version that was just made."""
        return self._pending[sequence]

    def _read(self, key: bytes) -> StateEntry | None:
        entry = self.tree.find(sha256(key).digest())
        if entry is None:
            return None
        version = self._pending.get(entry.sequence)
        if version is None:
            with self._environment.read() as read:
                data = self._table.require(read.raw, number_key(entry.sequence))
            version = decode_version(data)
        return _entry(version)

    def _remember(self, key: bytes, entry: StateEntry | None) -> None:
        remembered = self._remembered
        remembered.pop(key, None)
        if entry is not None and len(entry.value) > REMEMBERED_VALUE_BYTES_MAX:
            return
        if len(remembered) >= VALUES_REMEMBERED_MAX:
            del remembered[next(iter(remembered))]
        remembered[key] = entry


def _entry(version: StoredVersion) -> StateEntry | None:
    if version.value is None:
        return None
    return StateEntry(version.value, version.version, Height(version.height))
