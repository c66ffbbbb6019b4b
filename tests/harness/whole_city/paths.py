"""What it is like to send from one host to another: delays, bandwidth, cuts; one way each.

Bytes that meet a cut are not lost: the sender's system sends them again until the path is whole.
Not here: connections and their order (`network`).
"""

from collections.abc import Callable
from random import Random

from harness.simulator.plan import Shape, Weather
from harness.whole_city.virtual_time import MICROSECONDS_PER_MS, VirtualTime

TAIL_MS_MAX = 3_000.0
FACTORS = (0.5, 2.0)
"""Each path is that much faster or slower than the weather says, always the same."""


class Path:
    """One direction between two hosts."""

    def __init__(self, time: VirtualTime, weather: Weather, random: Random) -> None:
        self.random = random
        self.weather = weather
        self.trickle: float | None = None
        self._time = time
        self._factor = random.uniform(*FACTORS)
        self._closed = 0
        self._held: list[Callable[[], None]] = []
        self._busy_us = 0

    @property
    def is_cut(self) -> bool:
        """Return whether nothing arrives."""
        return self._closed > 0

    def carry(self, size_bytes: int, not_before_us: int, arrive: Callable[[], None]) -> int:
        """Let `arrive` be called at the other end; return when, if nothing gets in the way."""
        due_us = max(not_before_us, self._sent_us(size_bytes) + self._delay_us())
        self._time.at(due_us, lambda: self._arrives(arrive))
        return due_us

    def cut(self) -> None:
        """Let nothing arrive; a path may be cut more than once at a time."""
        self._closed += 1

    def mend(self) -> None:
        """Take one cut away; what was held arrives at once, in its order."""
        self._closed = max(0, self._closed - 1)
        if not self._closed:
            held, self._held = self._held, []
            for arrive in held:
                arrive()

    def heal(self, weather: Weather) -> None:
        """Be a good path from now on."""
        self.weather, self.trickle, self._busy_us = weather, None, 0
        self._closed = min(self._closed, 1)
        self.mend()

    def _arrives(self, arrive: Callable[[], None]) -> None:
        if self._closed:
            self._held.append(arrive)
        else:
            arrive()

    def _sent_us(self, size_bytes: int) -> int:
        rate = self.weather.bytes_per_ms if self.trickle is None else self.trickle
        now_us = self._time.now_us
        if not rate:
            return now_us
        self._busy_us = max(now_us, self._busy_us) + int(size_bytes / rate * MICROSECONDS_PER_MS)
        return self._busy_us

    def _delay_us(self) -> int:
        weather, random = self.weather, self.random
        match weather.shape:
            case Shape.UNIFORM:
                delay_ms = weather.delay_ms + random.random() * weather.spread_ms
            case Shape.LOGNORMAL:
                delay_ms = weather.delay_ms * random.lognormvariate(0.0, 0.6)
            case Shape.HEAVY_TAIL:
                delay_ms = weather.delay_ms * random.paretovariate(1.5)
        delay_ms = min(TAIL_MS_MAX, delay_ms * self._factor)
        if weather.slow and random.random() < weather.slow:
            delay_ms += random.random() * weather.slow_ms
        return int(delay_ms * MICROSECONDS_PER_MS)
