"""The machine's timers: which are set, until when, and whether a firing is still meant.

Not here: why a timer is set (`timeouts`, `leading`, `fetching`, `catchup`).
"""

from collections.abc import Callable

from moyai.consensus.effects import ClearTimer, Effect, SetTimer
from moyai.consensus.inputs import Timer


class Timers:
    """Deadlines by timer; a firing that was under way when its timer changed is recognised."""

    def __init__(self, emit: Callable[[Effect], None]) -> None:
        self._emit = emit
        self._deadlines: dict[Timer, int] = {}

    def set(self, timer: Timer, now_ms: int, delay_ms: int) -> None:
        """Set, or set again."""
        deadline = now_ms + delay_ms
        if self._deadlines.get(timer) != deadline:
            self._deadlines[timer] = deadline
            self._emit(SetTimer(timer, delay_ms))

    def ensure(self, timer: Timer, now_ms: int, delay_ms: int) -> None:
        """Set unless it is set already."""
        if timer not in self._deadlines:
            self.set(timer, now_ms, delay_ms)

    def hasten(self, timer: Timer, now_ms: int, delay_ms: int) -> None:
        """Set again when it is set and that makes it sooner."""
        deadline = self._deadlines.get(timer)
        if deadline is not None and now_ms + delay_ms < deadline:
            self.set(timer, now_ms, delay_ms)

    def running(self, timer: Timer) -> bool:
        """Return whether it is set."""
        return timer in self._deadlines

    def clear(self, timer: Timer) -> None:
        """Clear it when it is set."""
        if self._deadlines.pop(timer, None) is not None:
            self._emit(ClearTimer(timer))

    def fired(self, timer: Timer, now_ms: int) -> bool:
        """Return whether the firing is due; one that comes early is set again."""
        deadline = self._deadlines.get(timer)
        if deadline is None:
            return False
        if deadline > now_ms:
            self._emit(SetTimer(timer, deadline - now_ms))
            return False
        del self._deadlines[timer]
        return True

    def remaining_ms(self, now_ms: int) -> dict[str, int]:
        """Return the running timers and the time they have left, for `status`."""
        return {
            timer.name.lower(): max(0, deadline - now_ms)
            for timer, deadline in sorted(self._deadlines.items())
        }
