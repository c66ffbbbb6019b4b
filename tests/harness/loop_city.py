"""Four cores driven by the shipped driver, timers and writer on one real event loop.

Only the links are in memory. Not here: virtual time (`core_city`), sockets and processes
(`real_city`).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from harness.core_city import GENESIS, MAP_BYTES, identity_of
from moyai.consensus.inputs import Timer
from moyai.node.clock import SystemClock
from moyai.node.core import Core
from moyai.node.driver import Driver, LoopWrites
from moyai.node.observer import LogObserver
from moyai.node.perform import Surroundings
from moyai.node.starting import read_start
from moyai.node.timers import LoopTimers
from moyai.node.writer import ChainWriter
from moyai.p2p.messages import WireMessage
from moyai.primitives.genesis import genesis_digest
from moyai.primitives.ids import Height, NetworkKey, TransactionId
from moyai.storage.chain import ChainStore
from moyai.storage.journal import Journal

DEADLINE_S = 20


class LoopNode:
    """One running core on the loop."""

    def __init__(self, city: "LoopCity", folder: Path, place: int) -> None:
        loop = asyncio.get_running_loop()
        identity = identity_of(place)
        self.city = city
        self.key = identity.network_key
        self.expired: list[TransactionId] = []
        self.ticks = 0
        network = genesis_digest(GENESIS)
        self.journal = Journal.create(
            folder / "journal", identity.journal_key, network, map_bytes=MAP_BYTES
        )
        self.chain = ChainStore.create(folder / "chain", GENESIS, map_bytes=MAP_BYTES)
        self.timers = LoopTimers(loop, self._fire)
        self.core = Core(
            read_start(identity, self.chain, self.journal),
            chain=self.chain,
            journal=self.journal,
            ports=Surroundings(SystemClock(), self.timers, self, LogObserver()),
        )
        self.writer = ChainWriter(self.chain, self._committed)
        self.driver = Driver(self.core, self.writer, self.expired.extend)
        self.writes = LoopWrites(self.core, self.driver)

    def close(self) -> None:
        self.timers.close()
        self.chain.close()
        self.journal.close()

    def hear(self, sender: NetworkKey, message: WireMessage) -> None:
        self.core.receive(sender, message)
        self.driver.wake()

    def send(self, to: NetworkKey, message: WireMessage) -> bool:
        for node in self.city.nodes:
            if node.key == to:
                asyncio.get_running_loop().call_soon(node.hear, self.key, message)
                return True
        return False

    def broadcast(self, message: WireMessage, *, validators_only: bool = False) -> int:
        return sum(self.send(to, message) for to in self.connected())

    def connected(self) -> tuple[NetworkKey, ...]:
        return tuple(sorted(node.key for node in self.city.nodes if node is not self))

    def report(self, peer: NetworkKey, reason: str) -> None:
        raise AssertionError(f"an honest peer was reported: {reason}")

    def _fire(self, timer: Timer) -> None:
        self.core.fire(timer)
        self.driver.wake()

    def _committed(self, height: Height) -> None:
        self.core.committed(height)
        self.driver.wake()
        self.city.news.set()


class LoopCity:
    """Nodes that hear each other, and news of every block on a disk."""

    def __init__(self, folder: Path, size: int) -> None:
        self.news = asyncio.Event()
        self.nodes: list[LoopNode] = []
        for place in range(size):
            self.nodes.append(LoopNode(self, folder / str(place), place))

    async def final(self, transaction_id: TransactionId) -> None:
        """Wait until a transaction is on the disk of every node."""
        async with asyncio.timeout(DEADLINE_S):
            while not all(self._holds(node, transaction_id) for node in self.nodes):
                self.news.clear()
                await self.news.wait()

    @staticmethod
    def _holds(node: LoopNode, transaction_id: TransactionId) -> bool:
        with node.chain.snapshot() as snapshot:
            return snapshot.place(transaction_id) is not None


@asynccontextmanager
async def running_city(folder: Path, size: int = 4) -> AsyncIterator[LoopCity]:
    """Run `size` of the four nodes until the block ends."""
    city = LoopCity(folder, size)
    try:
        async with asyncio.TaskGroup() as tasks:
            running = []
            for node in city.nodes:
                node.core.links_changed(node.connected())
                running.append(tasks.create_task(node.writer.run()))
                running.append(tasks.create_task(node.driver.run()))
            yield city
            for task in running:
                task.cancel()
    finally:
        for node in city.nodes:
            node.close()
