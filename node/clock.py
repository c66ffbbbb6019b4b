"""The clocks of the machine it runs on; the only place of the node that reads them."""

import time

from moyai.consensus.inputs import Now
from moyai.primitives.ids import TimeMs


class SystemClock:
    """The monotonic clock and the wall clock, in milliseconds."""

    def now(self) -> Now:
        """Return both times."""
        return Now(self.mono_ms(), self.wall_ms())

    def mono_ms(self) -> int:
        """Return a time that never goes back."""
        return time.monotonic_ns() // 1_000_000

    def wall_ms(self) -> TimeMs:
        """Return the time since 1970."""
        return TimeMs(time.time_ns() // 1_000_000)
