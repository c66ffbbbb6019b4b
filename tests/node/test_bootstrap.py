"""Scenarios of a node before it is one, over real links: it ends with its phase or is stopped."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

import pytest

from harness.peer_nodes import (
    CHAIN_ID,
    GENESIS,
    LOOPBACK,
    Node,
    contact,
    network_key,
    secret,
)
from moyai.node.bootstrap import Bootstrap, Ending
from moyai.node.clock import SystemClock
from moyai.node.halt import NodeHalted
from moyai.p2p.connection import Clocks, Identity
from moyai.p2p.hub import Hub
from moyai.p2p.messages import TargetAnswer, TargetRequest, WireMessage
from moyai.p2p.peers import Directory
from moyai.p2p.ports import HubConfig
from moyai.p2p.snapshot_messages import SnapshotAnswer, SnapshotRequest
from moyai.primitives.ids import Digest, Height, NetworkKey

SECONDS_MAX = 20
NOTHING = TargetAnswer(Digest(bytes(32)), ())


class AskOnce:
    """A phase that asks every peer for something and ends with the first answer."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.answers: list[WireMessage] = []
        self.work_left = 3
        self.fault: Exception | None = None

    def receive(self, peer: NetworkKey, message: WireMessage, _now_ms: int) -> None:
        if self.fault is not None:
            raise self.fault
        self.answers.append(message)

    def links_changed(self, linked: Collection[NetworkKey], _now_ms: int) -> None:
        for peer in linked:
            self.hub.send(peer, TargetRequest(NOTHING.digest))

    def tick(self, _now_ms: int) -> None:
        """Nothing is due."""

    def work(self, _now_ms: int) -> bool:
        self.work_left -= bool(self.answers)
        return bool(self.answers)

    @property
    def ending(self) -> Ending | None:
        return Ending.DONE if self.work_left <= 0 else None


@asynccontextmanager
async def peer() -> AsyncIterator[Node]:
    """Run one node that peers can link to."""
    node = Node(1, Directory.of(contact(1), contact(2)))
    async with asyncio.timeout(SECONDS_MAX), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(node.hub.run())
        await node.hub.listening.wait()
        yield node
        running.cancel()


def before(node: Node) -> Bootstrap:
    clock = SystemClock()
    identity = Identity(secret(2), chain_id=CHAIN_ID, genesis=GENESIS)
    config = HubConfig(identity, (LOOPBACK, 0), "test", Clocks(clock.mono_ms, clock.wall_ms))
    return Bootstrap(config, Directory.of(contact(1, node.endpoint), contact(2)))


async def answer(node: Node) -> None:
    """Answer the first question of the one that links."""
    await node.until(lambda: any(isinstance(one, TargetRequest) for one in node.messages()))
    node.hub.send(network_key(2), NOTHING)


async def test_it_ends_when_its_phase_has() -> None:
    async with peer() as node, asyncio.TaskGroup() as tasks:
        tasks.create_task(answer(node))
        phases: list[AskOnce] = []

        def begin(hub: Hub, _now_ms: int) -> AskOnce:
            phases.append(AskOnce(hub))
            return phases[0]

        assert await before(node).run(begin) is Ending.DONE
        assert phases[0].answers == [NOTHING]


async def test_it_tells_peers_that_it_has_nothing() -> None:
    async with peer() as node, asyncio.TaskGroup() as tasks:
        running = tasks.create_task(before(node).run(lambda hub, _: AskOnce(hub)))
        await node.until(lambda: bool(node.messages()))
        node.hub.send(network_key(2), SnapshotRequest(Height(7)))
        wanted = SnapshotAnswer(Height(7), None)
        await node.until(lambda: wanted in node.messages())
        node.hub.send(network_key(2), NOTHING)
        assert await running is Ending.DONE


async def test_the_operator_can_stop_it() -> None:
    async with peer() as node, asyncio.TaskGroup() as tasks:
        running = tasks.create_task(before(node).run(lambda hub, _: AskOnce(hub)))
        await node.until(lambda: bool(node.messages()))
        os.kill(os.getpid(), signal.SIGTERM)
        assert await running is Ending.STOPPED


async def test_what_a_phase_raises_ends_it() -> None:
    async with peer() as node, asyncio.TaskGroup() as tasks:
        tasks.create_task(answer(node))

        def begin(hub: Hub, _now_ms: int) -> AskOnce:
            phase = AskOnce(hub)
            phase.fault = NodeHalted("the disk is gone")
            return phase

        with pytest.raises(ExceptionGroup) as raised:
            await before(node).run(begin)
        assert raised.group_contains(NodeHalted, match="the disk is gone")
