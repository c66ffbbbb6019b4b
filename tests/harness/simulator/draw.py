"""Draws a plan from a seed: a random half of the kinds of faults, each with a random strength.

Not here: what the faults do (`chaos`).
"""

from collections.abc import Iterator
from random import Random

import msgspec

from harness.simulator.plan import (
    Change,
    Clock,
    Clog,
    Crash,
    Cut,
    Event,
    FillDisk,
    Freeze,
    Isolate,
    Link,
    Pause,
    Plan,
    Restore,
    Shape,
    Submit,
    Weather,
    Wipe,
)

FAULT_FREE_SHARE = 0.02
RESTARTS_SHARE = 0.1
CHANGES_SHARE = 0.25
CHAOS_MS = 8_000
LAST_BLOW_MS = 7_500
LONG_ENOUGH_MS = 1_500  # for a node to notice that its disk is full


class Menu(msgspec.Struct, frozen=True, kw_only=True):
    """What a level can live."""

    traitors: tuple[str, ...]
    observers: int = 1
    joining: int = 2
    size_of_changes: int = 4
    sizes: tuple[int, ...] = (4, 4, 4, 4, 5, 7)
    has_disks: bool = False
    crash_steps: int = 12


def draw(seed: int, menu: Menu) -> Plan:
    """Return the plan of a seed."""
    return _Draw(seed, menu).plan()


class _Draw:
    def __init__(self, seed: int, menu: Menu) -> None:
        self._random = Random(seed ^ 0x5EED)
        self._seed = seed
        self._menu = menu
        self._size = self._random.choice(menu.sizes)
        self._changes = self._random.random() < CHANGES_SHARE
        if self._changes:
            self._size = max(self._size, menu.size_of_changes)
        self._joining = menu.joining if self._changes else 0
        self._observers = self._random.randint(0, menu.observers)

    def plan(self) -> Plan:
        random = self._random
        kind = random.random()
        if kind < FAULT_FREE_SHARE:
            return self._made(Weather(), self._work())
        if kind < FAULT_FREE_SHARE + RESTARTS_SHARE:
            return self._made(self._weather(), self._work() + self._restarts())
        traitor = random.choice(self._menu.traitors) if random.random() < 0.4 else ""
        fewest = 4 if self._changes else self._size
        spare = (fewest - 1) // 3 - bool(traitor)  # members that may forget or be away
        losses = list(self._losses()) if spare else []
        events = self._work() + self._faults() + losses
        if self._changes:
            events += [self._change() for _ in range(random.randint(1, 4))]
        left_out = ()
        if spare and not losses and not self._changes and random.random() < 0.4:
            left_out = (random.randrange(self._size),)
        plan = self._made(self._weather(), events)
        return msgspec.structs.replace(
            plan,
            traitor=traitor,
            traitor_node=random.randrange(self._size),
            left_out=left_out,
            torn=self._menu.has_disks and random.random() < 0.2,
        )

    def _made(self, weather: Weather, events: list[Event]) -> Plan:
        return Plan(
            seed=self._seed,
            size=self._size,
            joining=self._joining,
            observers=self._observers,
            delta_ms=self._random.choice((100, 250)),
            weather=weather,
            chaos_ms=CHAOS_MS,
            events=tuple(sorted(events, key=lambda event: event.at_ms)),
        )

    # -- work

    def _work(self) -> list[Event]:
        """Draw a few transactions a second in bursts and rests, or a steady stream."""
        random, moment_ms, work = self._random, 0, []
        gaps_ms = random.choice(((40, 150, 400, 1_800), (20, 60, 100)))
        while moment_ms < LAST_BLOW_MS:
            moment_ms += random.choice(gaps_ms)
            work.append(Submit(moment_ms, self._node(), random.randint(1, 4)))
        return list[Event](work)

    # -- the network

    def _weather(self) -> Weather:
        random = self._random
        return Weather(
            shape=random.choice(tuple(Shape)),
            delay_ms=random.choice((1.0, 5.0, 20.0)),
            spread_ms=random.choice((1.0, 10.0, 60.0)),
            loss=self._maybe(0.3),
            duplicate=self._maybe(0.3),
            reorder=self._maybe(0.5),
            slow=self._maybe(0.3),
            slow_ms=random.choice((100.0, 1_500.0)),
            bytes_per_ms=random.choice((0.0, 0.0, 20.0, 200.0)),
        )

    def _faults(self) -> list[Event]:
        """Draw from each kind by itself; half of the kinds do not occur."""
        kinds = (
            (self._partition, 8),
            (self._one_way, 8),
            (self._isolation, 5),
            (self._freezing, 3),
            (self._clogging, 6),
            (self._crash, 14),
            (self._pause, 5),
            (self._clock, 6),
            (self._all_crash, 2),
        )
        faults: list[Event] = []
        for kind, most in kinds:
            if self._random.random() < 0.5:
                for _ in range(self._random.randint(1, most)):
                    faults.extend(kind())
        return faults

    def _restarts(self) -> list[Event]:
        return [event for _ in range(self._random.randint(2, 9)) for event in self._all_crash()]

    def _partition(self) -> Iterator[Event]:
        nodes = list(range(self._people))
        self._random.shuffle(nodes)
        here = nodes[: self._random.randrange(1, len(nodes))]
        links = tuple((a, b) for a in nodes for b in nodes if a != b and (a in here) != (b in here))
        yield Cut(self._moment(), links, self._span())

    def _one_way(self) -> Iterator[Event]:
        links = tuple(self._link() for _ in range(self._random.randint(1, 3)))
        yield Cut(self._moment(), links, self._span())

    def _isolation(self) -> Iterator[Event]:
        yield Isolate(self._moment(), self._span())

    def _freezing(self) -> Iterator[Event]:
        """Freeze some links one by one; they thaw in another order."""
        begin_ms = self._moment()
        for number in range(self._random.randint(2, 6)):
            yield Freeze(begin_ms + 50 * number, self._link(), self._span())

    def _clogging(self) -> Iterator[Event]:
        rate = self._random.choice((0.3, 1.0, 5.0))
        yield Clog(self._moment(), self._link(), self._span(), rate)

    # -- processes

    def _crash(self) -> Iterator[Event]:
        yield self._dies(self._moment(), self._node())

    def _all_crash(self) -> Iterator[Event]:
        moment_ms = self._moment()
        for node in range(self._people):
            yield self._dies(moment_ms, node)

    def _dies(self, moment_ms: int, node: int) -> Crash:
        random = self._random
        after = random.randrange(self._menu.crash_steps)
        kept = random.choice((0.0, 0.0, 0.5, 1.0))
        return Crash(moment_ms, node, after, self._span(), kept)

    def _pause(self) -> Iterator[Event]:
        yield Pause(self._moment(), self._node(), self._span())

    def _clock(self) -> Iterator[Event]:
        jump_ms = self._random.choice((0, self._random.randrange(-1_000, 1_000)))
        yield Clock(self._moment(), self._node(), jump_ms, self._random.randrange(-20, 21))

    def _losses(self) -> Iterator[Event]:
        """Draw what one member forgets; more than one may be more than the city can bear."""
        if self._random.random() < 0.4:
            return
        node, moment_ms = self._node(), self._random.randrange(2_000, LAST_BLOW_MS)
        match self._random.randrange(3 if self._menu.has_disks else 2):
            case 0:
                yield Wipe(moment_ms, node, self._span())
            case 1:
                copied_ms = self._random.randrange(1_000, moment_ms)
                yield Restore(moment_ms, node, copied_ms, self._span())
            case _:
                yield FillDisk(moment_ms, node, LONG_ENOUGH_MS + self._span())

    def _change(self) -> Change:
        """Draw at least four of all who could vote, whoever they are."""
        people = list(range(self._size + self._joining))
        self._random.shuffle(people)
        return Change(self._moment(), tuple(people[: self._random.randint(4, len(people))]))

    # -- numbers

    @property
    def _people(self) -> int:
        return self._size + self._joining + self._observers

    def _maybe(self, most: float) -> float:
        return self._random.random() * most if self._random.random() < 0.5 else 0.0

    def _node(self) -> int:
        return self._random.randrange(self._people)

    def _link(self) -> Link:
        one, other = self._random.sample(range(self._people), 2)
        return one, other

    def _moment(self) -> int:
        return self._random.randrange(LAST_BLOW_MS)

    def _span(self) -> int:
        return self._random.choice((100, 400, 1_200, 3_000))
