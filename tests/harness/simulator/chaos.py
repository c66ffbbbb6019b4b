"""Makes the events of a plan happen to a city of any level.

Not here: drawing them (`draw`), what must hold (the invariants of each level).
"""

from collections.abc import Callable
from random import Random
from typing import Protocol, assert_never

from harness.simulator.links import Links
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
    Restore,
    Submit,
    Wipe,
)


class Process(Protocol):
    """A node as faults see it."""

    @property
    def alive(self) -> bool: ...

    def die_after(self, steps: int, keep: Callable[[], bool]) -> None:
        """Die at that effect or storage call; `keep` decides for each write that is not synced."""

    def die(self, keep: Callable[[], bool]) -> None: ...

    def live(self) -> None:
        """Start again, unless it runs."""

    def spare(self) -> None:
        """Take back a death that has not come yet."""

    def pause(self, until_ms: float) -> None: ...

    def set_clock(self, jump_ms: int, drift: int) -> None:
        """Jump, then go wrong by so many parts of a thousand."""

    def wipe(self) -> None: ...

    def copy(self) -> object:
        """Return a copy of the disk."""

    def restore(self, copy: object) -> None: ...

    def fill_disk(self, *, full: bool) -> None: ...


class Stage(Protocol):
    """A city as faults see it."""

    links: Links

    @property
    def processes(self) -> list[Process]: ...

    def after(self, delay_ms: float, act: Callable[[], None]) -> None: ...

    def links_changed(self) -> None: ...

    def leader(self) -> int | None:
        """Return who leads, as the first living node sees it."""

    def submit_some(self, count: int, node: int) -> None: ...

    def change_members(self, *people: int) -> None: ...

    def mark(self, name: str) -> None: ...

    def tell(self, line: str) -> None:
        """Note for the trace what the plan did."""


def forget() -> bool:
    """Keep nothing that was not synced."""
    return False


class Chaos:
    """The hand of the plan."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self._stage = stage
        self._random = Random(seed ^ 0xC4A05)
        self._over = False
        self._copies: dict[Restore, object] = {}
        self.restarts = 0

    def schedule(self, event: Event) -> None:
        """Let an event happen when its time comes; to be called at the time 0."""
        if isinstance(event, Restore):
            self._stage.after(event.copied_ms, lambda: self._copy(event))
        self._stage.after(event.at_ms, lambda: self._happen(event))

    def heal(self, left_out: tuple[int, ...] = ()) -> None:
        """Mend everything and start everybody, but who is left out: they are away from now on."""
        self._over = True
        stage = self._stage
        stage.links.heal()
        for number, process in enumerate(stage.processes):
            process.spare()
            process.fill_disk(full=False)
            process.set_clock(0, 0)
            process.pause(0)
            if number in left_out:
                process.die(forget)
            else:
                self._back(number)
        stage.links_changed()

    def _happen(self, event: Event) -> None:
        if self._over:
            return
        self._stage.tell(f"== {event}")
        match event:
            case Submit():
                self._stage.submit_some(event.count, event.node)
            case Change():
                self._stage.change_members(*event.people)
            case Cut() | Isolate() | Freeze() | Clog():
                self._trouble_links(event)
            case Crash() | Wipe() | Restore():
                self._kill(event)
            case Pause(node=node, for_ms=for_ms):
                self._stage.processes[node].pause(event.at_ms + for_ms)
                self._stage.mark("a process got no time")
            case Clock(node=node):
                self._stage.processes[node].set_clock(event.jump_ms, event.drift)
            case FillDisk():
                self._fill(event)
            case _:
                assert_never(event)

    # -- links

    def _trouble_links(self, event: Cut | Isolate | Freeze | Clog) -> None:
        links = self._stage.links
        match event:
            case Cut():
                self._cut(event.links, event.for_ms)
            case Isolate():
                self._isolate(event.for_ms)
            case Freeze():
                links.freeze(event.link, event.at_ms + event.for_ms)
            case Clog():
                links.clog(event.link, event.bytes_per_ms)
                self._later(event.for_ms, lambda: links.unclog(event.link))

    def _isolate(self, for_ms: int) -> None:
        leader = self._stage.leader()
        if leader is None:
            return
        self._stage.mark("the leader was cut off")
        others = [number for number in range(len(self._stage.processes)) if number != leader]
        pairs = [((leader, other), (other, leader)) for other in others]
        self._cut(tuple(link for pair in pairs for link in pair), for_ms)

    def _cut(self, cut: tuple[Link, ...], for_ms: int) -> None:
        links = self._stage.links
        for link in cut:
            links.cut(link)
        self._stage.links_changed()

        def mend() -> None:
            for link in cut:
                links.mend(link)
            self._stage.links_changed()

        self._later(for_ms, mend)

    # -- processes

    def _kill(self, event: Crash | Wipe | Restore) -> None:
        process = self._stage.processes[event.node]
        match event:
            case Crash():
                process.die_after(event.after, self._keeping(event.kept))
            case Wipe():
                process.die(forget)
                process.wipe()
                self._stage.mark("a disk was lost")
            case Restore() if event in self._copies:
                process.die(forget)
                process.restore(self._copies[event])
                self._stage.mark("a backup was restored")
            case Restore():
                return
        self._later(event.down_ms, lambda: self._back(event.node))

    def _fill(self, event: FillDisk) -> None:
        process = self._stage.processes[event.node]
        process.fill_disk(full=True)

        def make_space() -> None:
            process.fill_disk(full=False)
            self._back(event.node)

        self._later(event.for_ms, make_space)

    def _copy(self, event: Restore) -> None:
        self._copies[event] = self._stage.processes[event.node].copy()

    def _back(self, node: int) -> None:
        process = self._stage.processes[node]
        if process.alive:
            return
        if not any(each.alive for each in self._stage.processes):
            self._stage.mark("all were dead at once")
        self.restarts += 1
        process.live()

    def _keeping(self, share: float) -> Callable[[], bool]:
        return lambda: self._random.random() < share

    def _later(self, delay_ms: float, act: Callable[[], None]) -> None:
        self._stage.after(delay_ms, lambda: None if self._over else act())
