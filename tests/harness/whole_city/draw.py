"""Draws the plan of a seed: a random half of the kinds of fault, each as strong as it comes.

One seed in `CALM_ONE_IN` has no fault at all. Not here: what the events do (`chaos`).
"""

from random import Random
from typing import TYPE_CHECKING

from harness.simulator.plan import (
    Clock,
    Clog,
    Cut,
    FillDisk,
    Freeze,
    Link,
    Pause,
    Restore,
    Shape,
    Weather,
    Wipe,
)
from harness.whole_city.plan import Break, CityPlan, Event, Kill, KillPoint, Stop

if TYPE_CHECKING:
    from collections.abc import Callable

CALM_ONE_IN = 50
SIZE = 4
WRITERS_MAX = 4
LONG_ONE_IN = 10
LONG_FACTOR = 6
"""A long history lasts so many times as long, and so does everything in it."""
EVENTS_OF_A_KIND_MAX = 3
POINTS = tuple(KillPoint)
SNAPSHOT_BLOCKS = (0, 4, 16)


class Draw:
    """The draws of one plan."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._random = Random(seed)
        self._lost: int | None = None
        # Of its own: what else a seed draws does not move with it.
        self._of_states = Random(f"{seed}/states")

    def plan(self) -> CityPlan:
        """Return the plan."""
        random = self._random
        writers = random.randint(1, WRITERS_MAX)
        gap_ms = random.choice((100, 300, 1_000))
        if random.randrange(CALM_ONE_IN) == 0:
            return CityPlan(seed=self._seed, writers=writers, gap_ms=gap_ms)
        self._factor = LONG_FACTOR if random.randrange(LONG_ONE_IN) == 0 else 1
        self._chaos_ms = random.randrange(4_000, 10_000) * self._factor
        self._hosts = SIZE + writers
        return CityPlan(
            seed=self._seed,
            writers=writers,
            gap_ms=gap_ms,
            weather=self._weather(),
            chaos_ms=self._chaos_ms,
            events=self._events(),
            turns_us=tuple(random.choice((50, 200, 1_000)) for _ in range(SIZE)),
            threads_us=tuple(random.choice((500, 5_000, 60_000)) for _ in range(SIZE)),
            snapshot_blocks=self._of_states.choice(SNAPSHOT_BLOCKS),
            rates=tuple(random.choice((1.0, 1.0, 0.9995, 1.0005)) for _ in range(SIZE)),
        )

    def _weather(self) -> Weather:
        random = self._random
        if random.random() < 0.5:
            return Weather()
        return Weather(
            shape=random.choice(tuple(Shape)),
            delay_ms=random.choice((1.0, 5.0, 20.0, 60.0)),
            spread_ms=random.choice((1.0, 5.0, 50.0)),
            slow=random.choice((0.0, 0.01, 0.05)),
            bytes_per_ms=random.choice((0.0, 0.0, 1_000.0)),
        )

    def _events(self) -> tuple[Event, ...]:
        random = self._random
        kinds: list[Callable[[int], Event]] = [
            self._kill,
            self._stop,
            self._break,
            self._pause,
            self._clock,
            self._cut,
            self._isolate,
            self._freeze,
            self._clog,
            self._wipe,
            self._restore,
            self._fill,
        ]
        events: list[Event] = []
        for kind in kinds:
            if random.random() < 0.5:
                times = range(random.randint(1, EVENTS_OF_A_KIND_MAX))
                events += [kind(random.randrange(500, self._chaos_ms)) for _ in times]
        return tuple(sorted(events, key=lambda event: event.at_ms))

    def _node(self) -> int:
        return self._random.randrange(SIZE)

    def _link(self, hosts: int = SIZE) -> Link:
        one, other = self._random.sample(range(hosts), 2)
        return one, other

    def _for_ms(self, longest_ms: int = 5_000) -> int:
        share = self._random.choice((0.02, 0.2, 1.0)) * self._factor
        return int(share * self._random.randint(1, longest_ms))

    def _kill(self, at_ms: int) -> Event:
        random = self._random
        point = random.choice(POINTS)
        after = random.randrange(2_000 if point is KillPoint.CALLBACK else 10)
        silent = random.random() < 0.2
        return Kill(at_ms, self._node(), point, after, 100 + self._for_ms(), silent)

    def _stop(self, at_ms: int) -> Event:
        return Stop(at_ms, self._node(), 100 + self._for_ms())

    def _break(self, at_ms: int) -> Event:
        link = self._link(self._hosts)
        return Break(at_ms, link if min(link) < SIZE else self._link())

    def _pause(self, at_ms: int) -> Event:
        return Pause(at_ms, self._node(), self._for_ms())

    def _clock(self, at_ms: int) -> Event:
        return Clock(at_ms, self._node(), self._random.choice((-1, 1)) * self._for_ms(), 0)

    def _cut(self, at_ms: int) -> Event:
        links = [self._link() for _ in range(self._random.randint(1, 4))]
        return Cut(at_ms, tuple(dict.fromkeys(links)), self._for_ms())

    def _isolate(self, at_ms: int) -> Event:
        node = self._node()
        others = [each for each in range(SIZE) if each != node]
        links = tuple(link for each in others for link in ((node, each), (each, node)))
        return Cut(at_ms, links, self._for_ms(30_000))

    def _freeze(self, at_ms: int) -> Event:
        return Freeze(at_ms, self._link(), self._for_ms())

    def _clog(self, at_ms: int) -> Event:
        rate = self._random.choice((0.5, 5.0, 50.0))
        return Clog(at_ms, self._link(self._hosts), self._for_ms(), rate)

    def _unlucky(self) -> int:
        """Return the one node that may lose what it had: more are more than f at a time."""
        if self._lost is None:
            self._lost = self._node()
        return self._lost

    def _wipe(self, at_ms: int) -> Event:
        return Wipe(at_ms, self._unlucky(), 100 + self._for_ms())

    def _restore(self, at_ms: int) -> Event:
        copied_ms = self._random.randrange(200, at_ms)
        return Restore(at_ms, self._unlucky(), copied_ms, 100 + self._for_ms())

    def _fill(self, at_ms: int) -> Event:
        return FillDisk(at_ms, self._node(), 100 + self._for_ms())


def draw(seed: int) -> CityPlan:
    """Return the plan of a seed."""
    return Draw(seed).plan()
