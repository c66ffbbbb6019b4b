"""The one thread that writes to the chain store, and the order in which news of it is told.

A block is spoken of as final to applications only when it is on disk here.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from moyai.primitives.ids import Height
from moyai.storage.chain import ChainStore, WriteBatch

T = TypeVar("T")


class ChainWriter:
    """Writes what the chain store has pending, one batch after the other."""

    def __init__(
        self,
        chain: ChainStore,
        committed: Callable[[Height], None],
        took: Callable[[float, float], None] = lambda _elapsed, _busy: None,
        upkeep: Callable[[], Callable[[], None] | None] = lambda: None,
    ) -> None:
        """`took` gets how long each batch took, and the processor time that it cost.

        `upkeep` returns short work for the time between batches, or none when none is due.
        """
        self._chain = chain
        self._upkeep = upkeep
        self._committed = committed
        self._took = took
        self._work = asyncio.Event()

    def wake(self) -> None:
        """Say that there is something to write."""
        self._work.set()

    async def run(self) -> None:
        """Write until cancelled; what is pending then is written before this returns.

        Raises what the chain store raises when a commit fails: the node must stop then.
        """
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="chain-writer") as thread:
            try:
                while True:
                    await self._work.wait()
                    self._work.clear()
                    await self._write_pending(loop, thread)
                    await self._keep_up(loop, thread)
            finally:
                batch = self._chain.take_pending()
                if batch is not None:
                    self._chain.write(batch)

    async def _write_pending(
        self, loop: asyncio.AbstractEventLoop, thread: ThreadPoolExecutor
    ) -> None:
        while (batch := self._chain.take_pending()) is not None:
            started = loop.time()
            busy = await _finished(loop.run_in_executor(thread, self._write, batch))
            self._took(loop.time() - started, busy)
            self._committed(self._chain.committed_height)

    def _write(self, batch: WriteBatch) -> float:
        """Write a batch and return the processor time that this thread spent on it."""
        started = time.thread_time()
        self._chain.write(batch)
        return time.thread_time() - started

    async def _keep_up(self, loop: asyncio.AbstractEventLoop, thread: ThreadPoolExecutor) -> None:
        """Use the time until there is something to write."""
        while not self._work.is_set() and (work := self._upkeep()) is not None:
            await _finished(loop.run_in_executor(thread, work))


async def _finished(work: asyncio.Future[T]) -> T:
    """Wait for work in the thread, also when cancelled: it is never left behind."""
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work])
        work.result()  # a commit that failed is not lost in the cancellation
        raise
