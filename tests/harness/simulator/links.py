"""Directed links with faults: when, how often and whether at all a message arrives.

Pure: a function of the draws, the time and what was sent before. Not here: who is told that a link
is down.
"""

from random import Random

from harness.simulator.plan import Link, Shape, Weather

CALM = Weather()
TAIL_MS_MAX = 3_000.0
FACTORS = (0.5, 2.0)
"""Each link is that much faster or slower than the plan says, always the same."""


class Links:
    """All links of a city."""

    def __init__(self, weather: Weather, seed: int) -> None:
        self.weather = weather
        self._random = Random(seed ^ 0x11A7)
        self._seed = seed
        self._factors: dict[Link, float] = {}
        self._cut: dict[Link, int] = {}
        self._thaw_ms: dict[Link, float] = {}
        self._trickle: dict[Link, float] = {}
        self._busy_ms: dict[Link, float] = {}
        self._last_ms: dict[Link, float] = {}

    def arrivals(self, now_ms: float, link: Link, size_bytes: int) -> list[float]:
        """Return the moments at which copies of a message sent now arrive."""
        weather, random = self.weather, self._random
        if link in self._cut or random.random() < weather.loss:
            return []
        copies = 2 if random.random() < weather.duplicate else 1
        sent_ms = self._sent_ms(now_ms, link, size_bytes)
        return [self._arrival(sent_ms, link) for _ in range(copies)]

    def _sent_ms(self, now_ms: float, link: Link, size_bytes: int) -> float:
        """Return when the last byte is on the way, behind all that waits for the same link."""
        rate = self._trickle.get(link, self.weather.bytes_per_ms)
        if not rate:
            return now_ms
        done_ms = max(now_ms, self._busy_ms.get(link, 0.0)) + size_bytes / rate
        self._busy_ms[link] = done_ms
        return done_ms

    def _arrival(self, sent_ms: float, link: Link) -> float:
        weather, random = self.weather, self._random
        delay_ms = self._delay_ms() * self._factor(link)
        if random.random() < weather.slow:
            delay_ms += random.random() * weather.slow_ms
        arrival_ms = max(sent_ms + delay_ms, self._thaw_ms.get(link, 0.0))
        if random.random() >= weather.reorder:
            arrival_ms = max(arrival_ms, self._last_ms.get(link, 0.0))
        self._last_ms[link] = max(arrival_ms, self._last_ms.get(link, 0.0))
        return arrival_ms

    def _delay_ms(self) -> float:
        weather, random = self.weather, self._random
        match weather.shape:
            case Shape.UNIFORM:
                return weather.delay_ms + random.random() * weather.spread_ms
            case Shape.LOGNORMAL:
                spread = 1.0 if weather.spread_ms > weather.delay_ms else 0.4
                return min(TAIL_MS_MAX, weather.delay_ms * random.lognormvariate(0.0, spread))
            case Shape.HEAVY_TAIL:
                return min(TAIL_MS_MAX, weather.delay_ms * random.paretovariate(1.5))

    def _factor(self, link: Link) -> float:
        if link not in self._factors:
            draw = Random(self._seed * 10_007 + link[0] * 101 + link[1])
            self._factors[link] = draw.uniform(*FACTORS)
        return self._factors[link]

    # -- faults

    def cut(self, link: Link) -> None:
        """Lose everything; the same link may be cut more than once at a time."""
        self._cut[link] = self._cut.get(link, 0) + 1

    def mend(self, link: Link) -> None:
        """Take one cut away."""
        left = self._cut.pop(link, 0) - 1
        if left > 0:
            self._cut[link] = left

    def is_cut(self, link: Link) -> bool:
        """Return whether both ends notice: nothing passes either way."""
        return link in self._cut and link[::-1] in self._cut

    def freeze(self, link: Link, until_ms: float) -> None:
        """Hold back what is sent before `until_ms`, and let go of it then."""
        self._thaw_ms[link] = until_ms

    def clog(self, link: Link, bytes_per_ms: float) -> None:
        """Carry so little from now on."""
        self._trickle[link] = bytes_per_ms

    def unclog(self, link: Link) -> None:
        """Carry as much as before; what waits in front of it is carried at once."""
        self._trickle.pop(link, None)
        self._busy_ms.pop(link, None)

    def heal(self) -> None:
        """From now on the network is a good one; what is late already stays late."""
        self.weather = CALM
        for kept in (self._cut, self._thaw_ms, self._trickle, self._busy_ms, self._last_ms):
            kept.clear()
