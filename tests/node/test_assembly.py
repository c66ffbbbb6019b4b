"""A whole node in this process: it serves, stops cleanly, and a fault anywhere stops it."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from harness.real_city import CHAIN_ID, RealCity
from moyai.consensus.records import JournalRecord
from moyai.node.assembly import Node
from moyai.node.config import load_config
from moyai.node.daemon import open_stores
from moyai.node.founding import create_journal, genesis_root
from moyai.node.free_ports import free_ports
from moyai.node.halt import NodeHalted
from moyai.node.identity import load_identity
from moyai.node.processes import CityProcesses
from moyai.node.testnet import CityPlan, make_city
from moyai.primitives.ids import Digest, TimeMs
from moyai.storage.errors import CommitFailed


class Alone:
    """A city of one validator, run here and not as a process."""

    def __init__(self, directory: Path) -> None:
        plan = CityPlan(directory, CHAIN_ID, TimeMs(time.time_ns() // 10**6), free_ports(1))
        self.city = make_city(plan, genesis_root, create_journal)
        self.config = load_config(self.city.nodes[0].config_file, {})
        self.identity = load_identity(self.config, self.city.genesis)
        self.client = RealCity(self.city, CityProcesses(self.city, {}))

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Node]:
        """Run the node; it is told to stop when the block ends, if it has not stopped by itself."""
        with open_stores(self.config, self.city.genesis, self.identity) as stores:
            node = Node(self.config, self.city.genesis, self.identity, stores)
            async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
                serving = tasks.create_task(node.serve())
                await asyncio.sleep(0)
                await node._hub.listening.wait()
                yield node
                node._stop.set()
                await serving
            assert stores.chain.height == stores.chain.committed_height

    async def make_final(self, series: str) -> int:
        """Hand in a document and return the height of its block."""
        place = self.city.nodes[0]
        await asyncio.to_thread(self.client.make_final, place, series)
        return await asyncio.to_thread(self.client.head, place)


@pytest.fixture
def alone(tmp_path: Path) -> Alone:
    return Alone(tmp_path / "city")


async def test_a_document_becomes_final_and_is_there_after_a_restart(alone: Alone) -> None:
    async with alone.serving() as node:
        height = await alone.make_final("first")
        assert height >= 1
        assert node._reporter.status().is_ready
    async with alone.serving():
        assert await asyncio.to_thread(alone.client.head, alone.city.nodes[0]) >= height
        assert await alone.make_final("second") > height


async def test_a_signal_of_the_operator_stops_it_cleanly(alone: Alone) -> None:
    async with alone.serving() as node:
        await alone.make_final("first")
        os.kill(os.getpid(), signal.SIGTERM)
        await node._stop.wait()


class FailingJournal:
    """A disk that has just broken."""

    def commit(
        self, records: Sequence[JournalRecord], bodies: Mapping[Digest, tuple[bytes, ...]]
    ) -> None:
        raise CommitFailed("input/output error", what="journal store", next="check the disk")


async def test_a_commit_that_fails_stops_it(alone: Alone) -> None:
    with pytest.RaisesGroup(CommitFailed, flatten_subgroups=True):
        async with alone.serving() as node:
            node._core._runner._journal = FailingJournal()
            _, raw = alone.client.document("first")
            node._core.submit([raw], lambda _: None)
            node._driver.wake()
            await asyncio.get_running_loop().create_future()


async def test_a_fault_in_a_callback_of_the_loop_stops_it(alone: Alone) -> None:
    def broken() -> None:
        raise NodeHalted("two final blocks")

    with pytest.RaisesGroup(NodeHalted, flatten_subgroups=True):
        async with alone.serving() as node:
            asyncio.get_running_loop().call_soon(broken)
            await node._stop.wait()
