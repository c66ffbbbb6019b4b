"""The ids of final transactions that could still be repeated: those of the last window.

A transaction may be valid for at most `tx_window_ms` after the block that could hold it, so a
repeat is impossible once that much block time has passed.
"""

from collections import deque
from collections.abc import Iterable

from moyai.primitives.ids import TimeMs, TransactionId


class RecentIds:
    """Ids by block, oldest first, forgotten when their window is over."""

    def __init__(self, window_ms: int) -> None:
        self._window_ms = window_ms
        self._blocks: deque[tuple[TimeMs, tuple[TransactionId, ...]]] = deque()
        self._ids: dict[TransactionId, None] = {}

    def follow(self, window_ms: int) -> None:
        """Remember for another time from now on; what is forgotten does not come back."""
        self._window_ms = window_ms

    def __contains__(self, transaction_id: TransactionId) -> bool:
        return transaction_id in self._ids

    def __len__(self) -> int:
        return len(self._ids)

    def add_block(self, time_ms: TimeMs, transaction_ids: Iterable[TransactionId]) -> None:
        """Remember the ids of the next final block, and forget what its time makes impossible."""
        ids = tuple(transaction_ids)
        if ids:
            self._blocks.append((time_ms, ids))
            self._ids.update(dict.fromkeys(ids))
        while self._blocks and self._blocks[0][0] + self._window_ms < time_ms:
            _, old = self._blocks.popleft()
            for transaction_id in old:
                self._ids.pop(transaction_id, None)
