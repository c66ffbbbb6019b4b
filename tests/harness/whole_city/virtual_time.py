"""The one time of a simulated world, and what is to happen when.

Not here: event loops (`machine_loop`), which each live in this time.
"""

import heapq
from collections.abc import Callable

MICROSECONDS_PER_MS = 1_000
MICROSECONDS_PER_S = 1_000_000


class VirtualTime:
    """Jumps from one thing that is due to the next; what is due at once happens as it was asked."""

    def __init__(self) -> None:
        self.now_us = 0
        self.steps = 0
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._asked = 0

    @property
    def now_ms(self) -> float:
        """Return the time since the world began."""
        return self.now_us / MICROSECONDS_PER_MS

    def at(self, due_us: int, action: Callable[[], None]) -> None:
        """Do something at a time that has not passed."""
        self._asked += 1
        heapq.heappush(self._due, (max(due_us, self.now_us), self._asked, action))

    def after(self, delay_us: int, action: Callable[[], None]) -> None:
        """Do something a while from now."""
        self.at(self.now_us + delay_us, action)

    def run_until(self, end_us: int, stop: Callable[[], bool] = lambda: False) -> bool:
        """Live up to a time, or until `stop` says so after a step; return whether it did."""
        due = self._due
        while due and due[0][0] <= end_us:
            self.now_us, _, action = heapq.heappop(due)
            self.steps += 1
            action()
            if stop():
                return True
        self.now_us = max(self.now_us, end_us)
        return False
