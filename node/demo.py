"""The demonstration: four real nodes on this machine, a real job, a crash, and the figures.

Not here: the job (`demo_job`), the processes (`processes`), the table (`demo_report`).
"""

import asyncio
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from moyai.client import Client, ClientSettings
from moyai.client.transport import Node
from moyai.node.cli_output import say
from moyai.node.demo_job import DemoJob, Registered
from moyai.node.demo_report import DemoReport, percentile
from moyai.node.errors import DemoError
from moyai.node.founding import create_journal, genesis_root
from moyai.node.free_ports import free_ports
from moyai.node.processes import CityProcesses
from moyai.node.testnet import City, CityPlan, make_city
from moyai.primitives.errors import MoyaiError
from moyai.primitives.ids import TimeMs

VALIDATORS = 4
TRANSFERS = 300
TRANSFERS_WITHOUT = 60
VICTIM = "hospital"
CATCH_UP_SECONDS_MAX = 30.0
AGREE_SECONDS_MAX = 20.0
POLL_SECONDS = 0.1


class DemoOutcome(msgspec.Struct, frozen=True):
    """The figures, and the city if it was kept."""

    report: DemoReport
    kept: City | None


def run_demo(files: Sequence[Path], *, keep: bool) -> DemoOutcome:
    """Run the whole demonstration; no process and no file is left unless `keep`.

    Raises `DemoError` or `NodeProcessError`; then nothing is left either.
    """
    folder = Path(tempfile.mkdtemp(prefix="moyai-demo-"))
    kept = False
    try:
        with _signals_as_interrupts():
            city = _make(folder)
            with CityProcesses(city, {"MOYAI_LOG_FORMAT": "json"}) as processes:
                _tell(f"starting {', '.join(node.name for node in city.nodes)}")
                processes.start()
                processes.wait_ready()
                _tell("all four are linked and ready")
                report = asyncio.run(_first_day(city, processes, files))
                if not report.is_agreed:
                    raise DemoError("the nodes do not agree", what=str(report.state_roots))
                if keep:
                    processes.detach()
                    kept = True
    finally:
        if not kept:
            shutil.rmtree(folder, ignore_errors=True)
    return DemoOutcome(report, city if kept else None)


def _make(folder: Path) -> City:
    plan = CityPlan(folder, "demo-city", TimeMs(time.time_ns() // 10**6), free_ports(VALIDATORS))
    city = make_city(plan, genesis_root, create_journal)
    _tell("a city of four validators with new keys is founded")
    return city


async def _first_day(city: City, processes: CityProcesses, files: Sequence[Path]) -> DemoReport:
    urls = [node.url for node in city.nodes]
    async with Client.connect(urls, trust=city.genesis) as client:
        job = DemoJob(client, city, _tell)
        began = time.perf_counter()
        await job.open_accounts()
        await job.bind_levels()
        await job.issue_coin()
        await job.transfer(TRANSFERS)
        await job.check_supply()
        registered = await job.register(files)
        await job.read_back(registered)
        await job.try_altered_copy(registered[0], city.directory)
        caught_up = await _crash(job, client, processes)
        seconds = time.perf_counter() - began
        heads = await _agreed_heads(city)
    return _report(job, registered, heads, seconds=seconds, caught_up=caught_up)


async def _crash(job: DemoJob, client: Client, processes: CityProcesses) -> float:
    """Kill one validator, go on without it, start it again; return how long it took to be back."""
    victim = processes[VICTIM]
    victim.kill()
    _tell(f"kill -9 {victim.node.name}")
    await job.transfer(TRANSFERS_WITHOUT)
    wanted = int((await client.call("chain_head"))["height"])
    victim.start()
    began = time.perf_counter()
    while await _height(victim.node.url) < wanted:
        if time.perf_counter() - began > CATCH_UP_SECONDS_MAX or not victim.running:
            raise DemoError(f"did not catch up:\n{victim.log_tail()}", what=victim.node.name)
        await asyncio.sleep(POLL_SECONDS)
    seconds = time.perf_counter() - began
    _tell(f"{victim.node.name} is back and has block {wanted} after {seconds:.1f} s")
    await job.transfer(TRANSFERS_WITHOUT)
    return seconds


async def _agreed_heads(city: City) -> dict[str, dict[str, Any]]:
    """Return the newest block of every node, once all have the same."""
    deadline = time.monotonic() + AGREE_SECONDS_MAX
    while True:
        heads = {node.name: await _head(node.url) for node in city.nodes}
        if len({head["digest"] for head in heads.values()}) == 1 or time.monotonic() > deadline:
            return heads
        await asyncio.sleep(POLL_SECONDS)


async def _height(url: str) -> int:
    try:
        return int((await _head(url))["height"])
    except MoyaiError:
        return -1


async def _head(url: str) -> dict[str, Any]:
    async with aiohttp.ClientSession() as http:
        return await Node(url, http, ClientSettings()).call("chain_head", {}, dict[str, Any])


def _report(
    job: DemoJob,
    files: Sequence[Registered],
    heads: dict[str, dict[str, Any]],
    *,
    seconds: float,
    caught_up: float,
) -> DemoReport:
    heights = {name: int(head["height"]) for name, head in heads.items()}
    return DemoReport(
        transactions=job.transactions,
        refused=job.refused,
        seconds=seconds,
        p50_ms=percentile(job.latencies_ms, 0.50),
        p99_ms=percentile(job.latencies_ms, 0.99),
        blocks=max(heights.values()),
        heights=heights,
        state_roots={name: str(head["state_root"]) for name, head in heads.items()},
        files=len(files),
        caught_up_seconds=caught_up,
    )


def _tell(text: str) -> None:
    say(f"  {text}")


@contextmanager
def _signals_as_interrupts() -> Iterator[None]:
    """Take a request to end, or a closed terminal, like Ctrl-C: everything is stopped in order."""

    def interrupt(_number: int, _frame: object) -> None:
        signal.raise_signal(signal.SIGINT)

    before = {kind: signal.signal(kind, interrupt) for kind in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
