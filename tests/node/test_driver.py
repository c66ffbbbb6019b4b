"""Scenarios of the driver on a real loop: turns, ticks under traffic, and what stops it."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from harness.core_city import document, fast_folder
from harness.loop_city import LoopNode, running_city
from harness.orders import PEER, checked
from moyai.consensus.records import JournalRecord
from moyai.node.clock import SystemClock
from moyai.node.halt import NodeHalted
from moyai.node.ingest import Submitted
from moyai.p2p.messages import TransactionBatch, WireMessage
from moyai.primitives.ids import Digest
from moyai.storage.errors import CommitFailed

WINDOW_MS = 60_000


@pytest.fixture
def folder() -> Iterator[Path]:
    with fast_folder() as made:
        yield made


def fresh(number: int) -> bytes:
    """Return a document that is valid by the clock of this machine."""
    return document(number, valid_until_ms=SystemClock().wall_ms() + WINDOW_MS)


async def submit(node: LoopNode, raw: bytes) -> Submitted:
    (outcome,) = await node.writes.submit([raw])
    return outcome


async def test_what_is_submitted_becomes_final_on_every_disk(folder: Path) -> None:
    async with running_city(folder) as city:
        outcomes = [await submit(node, fresh(place)) for place, node in enumerate(city.nodes)]
        for outcome in outcomes:
            assert outcome.id is not None
            await city.final(outcome.id)
        roots = {node.chain.states.root for node in city.nodes}
        assert len(roots) == 1


async def test_a_submission_is_pending_and_a_list_is_answered_in_its_order(folder: Path) -> None:
    async with running_city(folder, size=1) as city:
        (node,) = city.nodes
        good = fresh(1)
        first, second, third = await node.writes.submit([good, b"nothing", good])
        assert first == third
        assert first.id is not None
        assert second.refusal is not None
        assert node.writes.is_pending(first.id)
        assert not node.writes.is_pending(checked(9).id)


async def test_time_driven_work_is_done_although_messages_never_cease(folder: Path) -> None:
    """A tick that every message put off would never come."""
    async with running_city(folder, size=1) as city:
        (node,) = city.nodes
        await submit(node, fresh(1))
        tick, ticked_ms = node.core.tick, list[int]()

        def counted() -> None:
            ticked_ms.append(node.core.mono_ms)
            tick()

        node.core.tick = counted
        async with asyncio.timeout(10):
            while len(ticked_ms) < 3:  # the first is for the open batch, the others for patience
                node.driver.wake()
                await asyncio.sleep(0)


class FailingJournal:
    """A disk that has just broken."""

    def commit(
        self, records: Sequence[JournalRecord], bodies: Mapping[Digest, tuple[bytes, ...]]
    ) -> None:
        raise CommitFailed("input/output error", what="journal store", next="check the disk")


async def test_a_commit_that_fails_stops_the_node(folder: Path) -> None:
    with pytest.RaisesGroup(CommitFailed, flatten_subgroups=True):
        async with running_city(folder) as city:
            for node in city.nodes[1:]:
                node.hear = lambda *_: None
            city.nodes[0].core._runner._journal = FailingJournal()
            await submit(city.nodes[0], fresh(1))
            await asyncio.get_running_loop().create_future()


async def test_a_fault_of_housekeeping_stops_the_node(folder: Path) -> None:
    def broken(_expired: object) -> None:
        raise NodeHalted("the disk is full")

    with pytest.RaisesGroup(NodeHalted, flatten_subgroups=True):
        async with running_city(folder, size=1) as city:
            city.nodes[0].driver._housekeeping = broken
            await asyncio.get_running_loop().create_future()


async def test_nobody_is_answered_twice_when_the_asker_has_gone(folder: Path) -> None:
    async with running_city(folder, size=1) as city:
        (node,) = city.nodes
        async with asyncio.TaskGroup() as tasks:
            asking = tasks.create_task(submit(node, fresh(1)))
            await asyncio.sleep(0)
            asking.cancel()
        (outcome,) = await node.writes.submit([fresh(2)])
        assert outcome.refusal is None


async def test_what_was_accepted_leaves_although_more_and_more_waits_for_its_check(
    folder: Path,
) -> None:
    async with running_city(folder, size=1) as city:
        (node,) = city.nodes
        left = asyncio.Event()

        def broadcast(message: WireMessage, *, validators_only: bool = False) -> int:
            if isinstance(message, TransactionBatch):
                left.set()
            return 0

        node.broadcast = broadcast
        await submit(node, fresh(0))
        flood = [fresh(number) for number in range(1, 2_001)]
        node.core.ingest.receive(PEER, flood, SystemClock().wall_ms())
        node.driver.wake()
        async with asyncio.timeout(10):
            await left.wait()
        assert node.core.ingest.backlog
