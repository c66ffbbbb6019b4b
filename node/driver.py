"""Drives a core on the event loop: turns while there is work, a tick when time asks for one.

Between two turns the loop reads its sockets, so a pile of signatures never holds up votes.
"""

import asyncio
from collections.abc import Callable, Sequence

from moyai.node.core import Core
from moyai.node.ingest import Submitted
from moyai.node.writer import ChainWriter
from moyai.primitives.ids import TransactionId

EXPIRE_MS = 1_000


class Driver:
    """The one task that steps a core."""

    def __init__(
        self, core: Core, writer: ChainWriter, housekeeping: Callable[[list[TransactionId]], None]
    ) -> None:
        self._core = core
        self._writer = writer
        self._housekeeping = housekeeping
        self._work = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._tick: asyncio.TimerHandle | None = None

    def wake(self) -> None:
        """Say that something was handed to the core."""
        self._work.set()

    async def run(self) -> None:
        """Step the core until cancelled.

        Raises `NodeHalted`, and what the journal raises when it cannot commit: the node must stop.
        """
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._expire_forever(), name="expire")
            self.wake()
            while True:
                await self._work.wait()
                self._work.clear()
                await self._turns()
                self._schedule()

    async def _turns(self) -> None:
        """Turn until there is nothing to do; time-driven work is not put off by other work."""
        more = True
        while more:
            more = self._core.turn()
            if self._core.executed_ahead:
                self._writer.wake()
            due_ms = self._core.due_ms()
            if due_ms is not None and due_ms <= self._core.mono_ms:
                self._core.tick()
            await asyncio.sleep(0)

    def _schedule(self) -> None:
        """Wake up for the next tick; a turn may have opened a batch or asked a question."""
        if self._tick is not None:
            self._tick.cancel()
            self._tick = None
        due_ms = self._core.due_ms()
        if due_ms is not None:
            delay_ms = max(0, due_ms - self._core.mono_ms)
            self._tick = self._loop.call_later(delay_ms / 1000, self.wake)

    async def _expire_forever(self) -> None:
        while True:
            await asyncio.sleep(EXPIRE_MS / 1000)
            self._housekeeping(self._core.expire())
            self.wake()


class LoopWrites:
    """The way in for applications: submissions become futures of the event loop."""

    def __init__(self, core: Core, driver: Driver) -> None:
        self._core = core
        self._driver = driver

    async def submit(self, raws: Sequence[bytes]) -> Sequence[Submitted]:
        """Return the outcomes of a request's transactions, in its order."""
        answered: asyncio.Future[list[Submitted]] = asyncio.get_running_loop().create_future()

        def done(outcomes: list[Submitted]) -> None:
            if not answered.done():
                answered.set_result(outcomes)

        self._core.submit(raws, done)
        self._driver.wake()
        return await answered

    def is_pending(self, transaction: TransactionId) -> bool:
        """Return whether this node holds a transaction that no committed block has yet."""
        return self._core.is_pending(transaction)
