"""The machine's timers on the event loop.

After a suspension every timer is overdue at once while the messages that would have stopped it
still lie in the sockets; a timer that is very late therefore lets the sockets be read first.
"""

import asyncio
from collections.abc import Callable

from moyai.consensus.inputs import Timer

SUSPENDED_MS = 1_000
DRAIN_MS = 50


class LoopTimers:
    """One-shot timers by name; setting one again replaces it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, fire: Callable[[Timer], None]) -> None:
        self._loop = loop
        self._fire = fire
        self._handles: dict[Timer, asyncio.TimerHandle] = {}

    def set(self, timer: Timer, delay_ms: int) -> None:
        """Fire `timer` after `delay_ms`."""
        self.clear(timer)
        due = self._loop.time() + delay_ms / 1000
        self._handles[timer] = self._loop.call_at(due, self._due, timer, due)

    def clear(self, timer: Timer) -> None:
        """Forget `timer`."""
        handle = self._handles.pop(timer, None)
        if handle is not None:
            handle.cancel()

    def close(self) -> None:
        """Forget all."""
        for timer in list(self._handles):
            self.clear(timer)

    def _due(self, timer: Timer, due: float) -> None:
        if self._loop.time() - due > SUSPENDED_MS / 1000:
            self.set(timer, DRAIN_MS)
            return
        del self._handles[timer]
        self._fire(timer)
