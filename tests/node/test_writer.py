"""Scenarios of the thread that writes: in order, told when on disk, nothing lost on the way out."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from harness.core_city import GENESIS, fast_folder
from harness.orders import checked, header_of
from moyai.ledger.mempool import Mempool
from moyai.ledger.recent import RecentIds
from moyai.node.bodies import Bodies
from moyai.node.executor import Executor
from moyai.node.tip import read_tip
from moyai.node.writer import ChainWriter
from moyai.primitives.ids import Height
from moyai.primitives.parameters import Parameters
from moyai.storage.chain import ChainStore, WriteBatch
from moyai.storage.errors import CommitFailed


@pytest.fixture
def chain() -> Iterator[ChainStore]:
    with fast_folder() as folder:
        store = ChainStore.create(folder / "chain", GENESIS, map_bytes=1 << 26)
        yield store
        store.close()


@pytest.fixture
def executor(chain: ChainStore) -> Executor:
    parameters = Parameters()
    pool = Mempool(parameters)
    bodies = Bodies(parameters=parameters, pool=pool, final_ids=RecentIds(1))
    return Executor(chain, bodies, read_tip(chain))


def execute(executor: Executor, count: int) -> None:
    """Append blocks to the chain store, one transaction each."""
    for _ in range(count):
        height = executor.next_height
        body = (checked(height),)
        executor.synced(header_of(body, height), body, None)
        executor.execute_next()


async def test_what_waits_is_written_and_told(chain: ChainStore, executor: Executor) -> None:
    told = asyncio.Queue[Height](8)
    writer = ChainWriter(chain, told.put_nowait)
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(writer.run())
        execute(executor, 3)
        writer.wake()
        assert await told.get() == 3
        execute(executor, 2)
        writer.wake()
        assert await told.get() == 5
        running.cancel()
    assert chain.committed_height == 5


async def test_on_the_way_out_nothing_that_was_executed_is_left(
    chain: ChainStore, executor: Executor
) -> None:
    writer = ChainWriter(chain, lambda _height: None)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(writer.run())
        await asyncio.sleep(0)
        execute(executor, 1)
        writer.wake()
        await asyncio.sleep(0)
        execute(executor, 2)
        running.cancel()
    assert chain.committed_height == chain.height == 3


async def test_a_commit_that_fails_on_the_way_out_is_told(
    chain: ChainStore, executor: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, go_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def fail(_batch: WriteBatch) -> None:
        loop.call_soon_threadsafe(started.set)
        assert go_on.wait(10)
        raise CommitFailed("input/output error", what="chain store", next="check the disk")

    monkeypatch.setattr(chain, "write", fail)
    execute(executor, 1)
    writer = ChainWriter(chain, lambda _height: None)
    writer.wake()
    with pytest.RaisesGroup(CommitFailed):
        async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
            running = tasks.create_task(writer.run())
            await started.wait()
            running.cancel()
            loop.call_soon(go_on.set)


async def test_a_commit_that_fails_ends_it(chain: ChainStore, executor: Executor) -> None:
    told: list[Height] = []
    writer = ChainWriter(chain, told.append)
    execute(executor, 1)
    chain.environment._failed = "input/output error"
    writer.wake()
    with pytest.raises(CommitFailed):
        await writer.run()
    assert told == []
    assert chain.committed_height == 0
