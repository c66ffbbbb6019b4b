"""A node before it is one: takes over a state from peers and catches up to what certified it.

No consensus runs yet and no door for applications is open; peers are told that nothing is to be had
here. Not here: what is proven how (`p2p.snapshot_sync`), when this is done (`daemon`).
"""

import asyncio
import signal
from collections.abc import Callable, Collection
from contextlib import suppress
from enum import Enum
from typing import Protocol

import structlog

from moyai.node.clock import SystemClock
from moyai.node.gap import Gap
from moyai.node.take_over import TakeOver
from moyai.p2p.hub import Hub
from moyai.p2p.messages import (
    BelowBase,
    BodiesAnswer,
    HeadersAnswer,
    TargetAnswer,
    WireMessage,
)
from moyai.p2p.peers import Directory
from moyai.p2p.ports import Handlers, HubConfig, Notice
from moyai.p2p.snapshot_messages import (
    EpochEndAnswer,
    RecentAnswer,
    SnapshotAnswer,
    SnapshotPartAnswer,
    SnapshotRequest,
)
from moyai.primitives.ids import NetworkKey

TICK_SECONDS = 0.1


class Ending(Enum):
    """How a phase ended."""

    DONE = 1
    NOTHING_OFFERED = 2
    STOPPED = 3


class Phase(Protocol):
    """What runs on the links of a node that does not vote yet; it never waits."""

    def receive(self, peer: NetworkKey, message: WireMessage, now_ms: int) -> None: ...

    def links_changed(self, linked: Collection[NetworkKey], now_ms: int) -> None: ...

    def tick(self, now_ms: int) -> None: ...

    def work(self, now_ms: int) -> bool: ...

    @property
    def ending(self) -> Ending | None: ...


class TakingOver:
    """The first phase: a state from peers, or from genesis on if there is none anywhere."""

    def __init__(self, take_over: TakeOver, *, or_genesis: bool) -> None:
        self._take_over = take_over
        self._or_genesis = or_genesis
        self.links_changed = take_over.links_changed
        self.tick = take_over.tick

    def receive(self, peer: NetworkKey, message: WireMessage, now_ms: int) -> None:
        """Take what is about states."""
        if isinstance(message, EpochEndAnswer | SnapshotAnswer | SnapshotPartAnswer | RecentAnswer):
            self._take_over.receive(peer, message, now_ms)

    def work(self, _now_ms: int) -> bool:
        """Nothing is left to do between two messages."""
        return False

    @property
    def ending(self) -> Ending | None:
        """Return how it ended."""
        if self._take_over.taken is not None:
            return Ending.DONE
        from_genesis = self._or_genesis and self._take_over.nothing_offered
        return Ending.NOTHING_OFFERED if from_genesis else None


class ClosingGap:
    """The second phase: the blocks up to the one that certified the state."""

    def __init__(self, gap: Gap, now_ms: int) -> None:
        self._gap = gap
        self.links_changed = gap.links_changed
        self.tick = gap.tick
        self.work = gap.work
        gap.begin((), now_ms)

    def receive(self, peer: NetworkKey, message: WireMessage, now_ms: int) -> None:
        """Take what is about blocks."""
        if isinstance(message, TargetAnswer | HeadersAnswer | BodiesAnswer | BelowBase):
            self._gap.receive(peer, message, now_ms)

    @property
    def ending(self) -> Ending | None:
        """Return how it ended."""
        return Ending.DONE if self._gap.is_closed else None


class Bootstrap:
    """Runs one phase over real links until it ends, or until the operator stops the node."""

    def __init__(
        self, hub: HubConfig, directory: Directory, clock: SystemClock | None = None
    ) -> None:
        self.hub = Hub(hub, directory, Handlers(self._on_message, self._on_link, self._on_notice))
        self._clock = clock or SystemClock()
        self._phase: Phase | None = None
        self._wake = asyncio.Event()
        self._stopped = False
        self._log = structlog.get_logger()

    async def run(self, begin: Callable[[Hub, int], Phase]) -> Ending:
        """Run the phase that `begin` makes. Raises what the phase raises."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        self._phase = begin(self.hub, self._clock.mono_ms())
        async with asyncio.TaskGroup() as tasks:
            links = tasks.create_task(self.hub.run(), name="links")
            try:
                return await self._until_ended(self._phase)
            finally:
                links.cancel()

    async def _until_ended(self, phase: Phase) -> Ending:
        while phase.ending is None and not self._stopped:
            phase.tick(self._clock.mono_ms())
            self._wake.clear()
            if phase.work(self._clock.mono_ms()):
                self._wake.set()
            with suppress(TimeoutError):
                async with asyncio.timeout(TICK_SECONDS):
                    await self._wake.wait()
        return phase.ending or Ending.STOPPED

    def _stop(self) -> None:
        self._stopped = True
        self._wake.set()

    def _on_message(self, peer: NetworkKey, message: WireMessage) -> None:
        if isinstance(message, SnapshotRequest):
            self.hub.send(peer, SnapshotAnswer(message.height, None))
            return
        self._tell(lambda phase: phase.receive(peer, message, self._clock.mono_ms()))

    def _on_link(self, _peer: NetworkKey, _up: bool) -> None:
        linked = self.hub.connected()
        self._tell(lambda phase: phase.links_changed(linked, self._clock.mono_ms()))

    def _tell(self, act: Callable[[Phase], None]) -> None:
        if self._phase is not None and self._phase.ending is None:
            act(self._phase)
        self._wake.set()

    def _on_notice(self, notice: Notice) -> None:
        self._log.info(str(notice.event), peer=notice.peer, reason=notice.reason)
