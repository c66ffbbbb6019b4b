"""Makes the events of a plan happen to a city.

Not here: when (`plan`), and what a node does about it.
"""

from typing import assert_never

from harness.simulator.plan import Clock, Clog, Cut, FillDisk, Freeze, Pause, Restore, Wipe
from harness.whole_city.customers import Customer
from harness.whole_city.hosted_node import HostedNode
from harness.whole_city.plan import Break, Event, Kill, Stop
from harness.whole_city.virtual_time import MICROSECONDS_PER_MS
from harness.whole_city.world import World

PAUSED_MARK = "a paused process went on"
CUT_MARK = "a link was cut one way"
BROKEN_MARK = "connections were reset"
STOPPED_MARK = "a node was stopped under load"
WIPED_MARK = "a node began with an empty disk"
RESTORED_MARK = "a node was put back to an older copy"
FULL_MARK = "a disk was full"
START_AGAIN_MS = 200


class Chaos:
    """The faults of one history; after `is_over` nothing new goes wrong."""

    def __init__(self, world: World, nodes: list[HostedNode], customers: list[Customer]) -> None:
        self.is_over = False
        self._world = world
        self._nodes = nodes
        self._addresses = [each.address for each in (*nodes, *customers)]
        self._busy: set[int] = set()

    def schedule(self, events: tuple[Event, ...]) -> None:
        """Let events happen in their time."""
        for event in events:
            at_us = event.at_ms * MICROSECONDS_PER_MS
            self._world.time.at(at_us, lambda event=event: self._happen(event))
            if isinstance(event, Restore):
                copied_us = event.copied_ms * MICROSECONDS_PER_MS
                self._world.time.at(copied_us, lambda event=event: self._copy(event))

    def _happen(self, event: Event) -> None:
        if self.is_over:
            return
        self._world.watcher.note("chaos", str(event))
        match event:
            case Break():
                if self._world.network.break_connections(*self._ends(event.link)):
                    self._world.watcher.mark(BROKEN_MARK)
            case Cut() | Freeze() | Clog():
                self._disturb(event)
            case Clock():
                self._nodes[event.node].ahead_ms += event.jump_ms
            case Pause():
                self._pause(event)
            case Kill() | Stop() | Wipe() | Restore() | FillDisk():
                if self._nodes[event.node].is_running and event.node not in self._busy:
                    self._end(event)
            case _:
                assert_never(event)

    def _ends(self, link: tuple[int, int]) -> tuple[str, str]:
        return self._addresses[link[0]], self._addresses[link[1]]

    def _disturb(self, event: Cut | Freeze | Clog) -> None:
        """Disturb paths for a while."""
        network, time = self._world.network, self._world.time
        links = event.links if isinstance(event, Cut) else (event.link,)
        for link in links:
            path = network.path(*self._ends(link))
            if isinstance(event, Clog):
                path.trickle = event.bytes_per_ms
            else:
                path.cut()
                if link[::-1] not in links:
                    self._world.watcher.mark(CUT_MARK)

        def mend() -> None:
            for link in () if self.is_over else links:
                path = network.path(*self._ends(link))
                if isinstance(event, Clog):
                    path.trickle = None
                else:
                    path.mend()

        time.after(event.for_ms * MICROSECONDS_PER_MS, mend)

    def _pause(self, event: Pause) -> None:
        node = self._nodes[event.node]
        node.pause(event.for_ms)

        def went_on() -> None:
            if node.is_running:
                self._world.watcher.mark(PAUSED_MARK)

        self._world.time.after((event.for_ms + 1) * MICROSECONDS_PER_MS, went_on)

    def _copy(self, event: Restore) -> None:
        node = self._nodes[event.node]
        if node.stores is not None and not self.is_over:
            node.backup(str(event.copied_ms))

    def _end(self, event: Kill | Stop | Wipe | Restore | FillDisk) -> None:
        """End a process, and let it be started again when its time has come and it is gone."""
        node, watcher = self._nodes[event.node], self._world.watcher
        self._busy.add(event.node)
        down_ms = event.for_ms if isinstance(event, FillDisk) else event.down_ms
        match event:
            case Kill():
                node.kill_at(event.point, event.after, silently=event.is_silent)
            case Stop():
                node.stop()
                watcher.mark(STOPPED_MARK)
            case FillDisk():
                if node.stores is None:
                    node.kill()  # no store is open yet
                else:
                    node.fill_disk()
            case Wipe() | Restore():
                node.kill()
        self._start_again(event, down_ms)

    def _start_again(self, event: Kill | Stop | Wipe | Restore | FillDisk, wait_ms: int) -> None:
        node, watcher = self._nodes[event.node], self._world.watcher

        def start() -> None:
            if self.is_over:
                return
            if node.is_running:
                self._start_again(event, START_AGAIN_MS)  # it has not met its end yet
                return
            match event:
                case Wipe():
                    node.wipe()
                    watcher.mark(WIPED_MARK)
                case Restore() if node.has_copy(str(event.copied_ms)):
                    node.restore(str(event.copied_ms))
                    watcher.mark(RESTORED_MARK)
                case FillDisk():
                    watcher.mark(FULL_MARK)
                case _:
                    pass
            node.start()
            self._busy.discard(event.node)

        self._world.time.after(wait_ms * MICROSECONDS_PER_MS, start)
