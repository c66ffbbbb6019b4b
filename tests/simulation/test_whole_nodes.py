"""Whole shipped nodes on virtual time: every kind of fault is lived, and nothing promised is lost.

Not here: the core alone and the core with its stores (`test_scenarios`, `test_swarm`).
"""

import asyncio
import gc
import os
import subprocess
import sys
from collections.abc import Coroutine
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from harness.simulator.level import Violation, digest_of
from harness.simulator.plan import Cut, Weather
from harness.whole_city import hosted_node
from harness.whole_city.city import WholeCity, fresh_folder
from harness.whole_city.hosted_node import RPC_PORT, HostedNode
from harness.whole_city.levels import ABSTRACT, REAL, WholeLevel
from harness.whole_city.machine_loop import MachineLoop, Nature
from harness.whole_city.network import Network
from harness.whole_city.plan import CityPlan, Kill, KillPoint, Stop
from harness.whole_city.rpc_client import NoAnswer, Socket
from harness.whole_city.virtual_time import VirtualTime
from harness.whole_city.watching import Watcher
from harness.whole_city.world import World
from moyai.node.assembly import Node
from moyai.storage.chain import ChainStore
from moyai.storage.journal import Journal

ROOT = Path(__file__).resolve().parents[2]
RICH_SEEDS = (101, 34, 10, 77)
"""Histories in which much happens; others follow when these no longer reach every mark."""
SEEDS_LEAST = 8
SHORT_MS = 10_000
SEEDS_MOST = 80
NIGHTLY_SEEDS = range(1_000, 1_400)
CALM = CityPlan(seed=7, chaos_ms=3_000)


def test_every_mark_is_reached_and_nothing_promised_is_lost() -> None:
    reached: set[str] = set()
    plans = map(ABSTRACT.plan, (*RICH_SEEDS, *range(SEEDS_MOST)))
    for number, plan in enumerate(plan for plan in plans if plan.chaos_ms <= SHORT_MS):
        reached.update(ABSTRACT.history(plan).run().marks)
        if number >= SEEDS_LEAST and reached >= set(ABSTRACT.marks):
            return
    raise AssertionError(f"never reached: {sorted(set(ABSTRACT.marks) - reached)}")


def test_the_same_with_real_signatures_and_a_real_disk() -> None:
    plan = CityPlan(
        seed=5,
        writers=1,
        gap_ms=100,
        chaos_ms=1_500,
        events=(Kill(600, 0, KillPoint.AFTER_WRITE, 1, 300), Stop(700, 1, 200)),
    )
    outcome = REAL.history(plan).run()
    assert outcome.restarts == 2
    assert outcome.transactions > 2


@pytest.mark.nightly
@pytest.mark.parametrize("seed", NIGHTLY_SEEDS)
def test_many_histories(seed: int) -> None:
    ABSTRACT.history(ABSTRACT.plan(seed)).run()


def test_a_calm_city_nullifies_no_view_and_loses_no_time() -> None:
    outcome = ABSTRACT.history(CALM).run()
    assert outcome.views > 10
    assert outcome.recovery_ms <= 2_000


def test_a_history_is_the_same_in_another_process_with_other_hashes() -> None:
    history = ABSTRACT.history(ABSTRACT.plan(6), trace=True)
    history.run()
    assert len(history.lines) > 100
    program = (
        "from harness.simulator.level import digest_of\n"
        "from harness.whole_city.levels import ABSTRACT\n"
        "history = ABSTRACT.history(ABSTRACT.plan(6), trace=True)\n"
        "history.run()\n"
        "print(digest_of(history))\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONHASHSEED": "4711", "PYTHONPATH": f"{ROOT}/.dev:{ROOT}/tests"},
        capture_output=True,
        check=True,
        text=True,
    )
    assert answer.stdout.strip() == digest_of(history)


# -- what the judges would notice


def violations(level: WholeLevel, plan: CityPlan, count: int) -> list[str]:
    """Return what does not hold in that many histories that differ by their seed."""
    found = []
    for seed in range(count):
        try:
            level.history(msgspec.structs.replace(plan, seed=seed)).run()
        except Violation as violation:
            found.append(str(violation))
    return found


def kills(point: KillPoint) -> CityPlan:
    """Return a plan in which all nodes die at once, again and again, and come back."""
    times = (1_200, 2_000, 2_800)
    events = tuple(Kill(at, node, point, 3 * node, 200) for at in times for node in range(4))
    return CityPlan(seed=0, gap_ms=100, chaos_ms=4_000, events=events)


def test_a_journal_that_forgets_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    assert violations(ABSTRACT, kills(KillPoint.AFTER_COMMIT), 1) == []
    monkeypatch.setattr(Journal, "commit", lambda *_: None)
    assert violations(ABSTRACT, kills(KillPoint.CALLBACK), 4)


def test_a_block_that_is_told_before_it_is_written_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The store says that it has what it has not: a restart shows it."""
    write = ChainStore.write

    def late(store: ChainStore, batch: Any) -> None:
        if batch.tip.height % 5:
            write(store, batch)
        else:
            store._written = batch.tip

    monkeypatch.setattr(ChainStore, "write", late)
    with pytest.raises((Violation, AssertionError, ExceptionGroup)):
        ABSTRACT.history(kills(KillPoint.CALLBACK)).run()


def test_a_node_that_never_comes_back_is_no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of four cut off for good: healing that heals nothing must not pass for healing."""
    monkeypatch.setattr(Network, "heal", lambda *_: None)
    alone = tuple((one, other) for one in (0, 1) for other in (2, 3))
    links = (*alone, *((other, one) for one, other in alone))
    plan = CityPlan(seed=1, chaos_ms=1_500, events=(Cut(500, links, 10**9),))
    assert any("no progress" in each for each in violations(ABSTRACT, plan, 1))


def test_a_history_leaves_no_file_no_task_and_no_node(monkeypatch: pytest.MonkeyPatch) -> None:
    buried: list[MachineLoop] = []
    bury = MachineLoop.bury

    def noted(loop: MachineLoop) -> None:
        bury(loop)
        buried.append(loop)

    monkeypatch.setattr(MachineLoop, "bury", noted)
    with fresh_folder() as folder:
        WholeCity(kills(KillPoint.BEFORE_WRITE), folder, trace=False).run()
    assert not folder.exists()
    assert len(buried) > hosted_node.MEMBERS
    assert not any(loop.unfinished for loop in buried)
    buried.clear()
    gc.collect()
    assert not [one for one in gc.get_objects() if isinstance(one, Node)]


def test_smaller_plans_leave_something_out() -> None:
    plan = ABSTRACT.plan(5)
    smaller = list(ABSTRACT.smaller(plan))
    assert smaller
    assert all(len(each.events) <= len(plan.events) and each != plan for each in smaller)


# -- what was found once


@pytest.mark.parametrize("steps", range(4))
def test_a_client_that_is_gone_before_its_websocket_is_answered_is_no_fault(steps: int) -> None:
    """The reset arrives after the request was read, that many steps later."""
    time = VirtualTime()
    network = Network(time, 1, Weather())
    watcher = Watcher(time, trace=False)
    with fresh_folder() as folder, watcher.watching():
        node = HostedNode(0, World(1, folder, time, network, watcher))
        node.start()
        client = MachineLoop(time, network, "10.1.0.0", Nature(), Random(1))
        watcher.names[client.address] = "client"
        client.start(Socket.open(node.address, RPC_PORT))
        arrived = False

        def was_read() -> bool:
            nonlocal arrived
            waiting = [len(each._arrived) for each in network.used_by(node.loop)]
            was, arrived = arrived, any(waiting)
            return was and not arrived

        assert time.run_until(5_000_000, was_read)
        for _ in range(steps):
            time.run_until(5_000_000, lambda: True)
        network.break_connections(node.address, client.address)
        time.run_until(6_000_000)
        assert client.main is not None
        if client.main.exception() is None:  # it was faster
            client.main.result().close()
        else:
            assert isinstance(client.main.exception(), NoAnswer)
        assert node.is_running
        node.kill()
        client.is_dead = True
        client.bury()
        time.run_until(7_000_000)
    assert watcher.complaints == []


# -- the world under the nodes


class Hosts:
    """Two machines and the network between them."""

    def __init__(self, weather: Weather | None = None, nature: Nature | None = None) -> None:
        self.time = VirtualTime()
        self.network = Network(self.time, 1, weather or Weather())
        self.server, self.client = (
            MachineLoop(self.time, self.network, address, nature or Nature(), Random(address))
            for address in ("10.0.0.1", "10.0.0.2")
        )

    def run(self, program: Coroutine[Any, Any, None], seconds: float) -> None:
        """Run a program on the client for so long."""
        self.client.start(program)
        self.time.run_until(self.time.now_us + int(seconds * 1_000_000))
        main = self.client.main
        assert main is not None
        assert main.done(), "it does not end"
        main.result()


class Echo(asyncio.Protocol):
    """Sends back what it gets."""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)


def test_time_jumps_and_a_day_takes_no_time() -> None:
    hosts = Hosts()

    async def sleep() -> None:
        await asyncio.sleep(86_400)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5):
                await asyncio.get_running_loop().create_future()

    hosts.run(sleep(), 86_500)
    assert hosts.time.steps < 100


@pytest.mark.parametrize("seed", range(5))
def test_bytes_arrive_once_and_in_order_whatever_the_weather(seed: int) -> None:
    weather = Weather(delay_ms=20.0, spread_ms=80.0, slow=0.1, bytes_per_ms=500.0)
    hosts = Hosts(weather, Nature(turn_us=500))
    hosts.network.listen(hosts.server, Echo, 7)
    data = Random(seed).randbytes(700_000)

    async def talk() -> None:
        reader, writer = await asyncio.open_connection("10.0.0.1", 7)
        writer.write(data)
        assert await reader.readexactly(len(data)) == data
        writer.close()

    hosts.run(talk(), 60)
    assert hosts.network.used_by(hosts.client) == []


def test_a_cut_holds_bytes_back_and_mending_lets_them_through() -> None:
    hosts = Hosts()
    hosts.network.listen(hosts.server, Echo, 7)
    back = hosts.network.path("10.0.0.1", "10.0.0.2")

    async def talk() -> None:
        reader, writer = await asyncio.open_connection("10.0.0.1", 7)
        back.cut()
        writer.write(b"hello")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(10):
                await reader.readexactly(5)
        back.mend()
        assert await reader.readexactly(5) == b"hello"
        writer.transport.abort()

    hosts.run(talk(), 20)


def test_a_reset_and_a_death_are_heard_of_unless_they_are_silent() -> None:
    hosts = Hosts()
    hosts.network.listen(hosts.server, Echo, 7)

    async def talk() -> None:
        reader, first = await asyncio.open_connection("10.0.0.1", 7)
        hosts.network.break_connections("10.0.0.1", "10.0.0.2")
        with pytest.raises(ConnectionResetError):
            await reader.read(1)
        first.close()
        reader, writer = await asyncio.open_connection("10.0.0.1", 7)
        await asyncio.sleep(1)
        hosts.network.cut_off(hosts.server, silently=True)
        writer.write(b"hello")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(60):
                await reader.read(1)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("10.0.0.1", 7)
        writer.transport.abort()

    hosts.run(talk(), 100)


def test_a_paused_process_reads_late_and_a_dead_one_never() -> None:
    hosts = Hosts()
    hosts.network.listen(hosts.server, Echo, 7)

    async def talk() -> None:
        reader, writer = await asyncio.open_connection("10.0.0.1", 7)
        hosts.server.pause(hosts.time.now_us + 5_000_000)
        began = asyncio.get_running_loop().time()
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"
        assert asyncio.get_running_loop().time() - began >= 5
        hosts.server.is_dead = True
        writer.write(b"hello")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(60):
                await reader.readexactly(5)
        writer.transport.abort()

    hosts.run(talk(), 100)
