"""A city of real processes behind relays: each node with its own shim, loop and hash seed.

Not here: load and judgement, and who harms it (`nemeses`).
"""

import asyncio
import os
import random
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from harness.chaos.installation import install
from harness.chaos.relay import Relays
from harness.chaos.shim import Shim, compile_shim
from moyai.node.founding import create_journal, genesis_root
from moyai.node.free_ports import free_ports
from moyai.node.processes import STOP_SECONDS_MAX, NodeProcess
from moyai.node.testnet import DATA_NAME, City, CityNode, CityPlan, make_city
from moyai.primitives.errors import MoyaiError
from moyai.primitives.ids import TimeMs

CHAIN_ID = "chaos-1"
POLL_SECONDS = 0.02
START_SECONDS_MAX = 30.0
DISK_BYTES = 512 * 1024**2
# One client on one address stands for all the people of a city. Who loses its data comes back by a
# state, as an operator is told to: to execute all that ever was takes longer with every block.
ENVIRONMENT = {
    "MOYAI_SYNC_FROM": "snapshot",
    "MOYAI_STORAGE_SNAPSHOT_BLOCKS": "50",
    "MOYAI_LOG_FORMAT": "json",
    "MOYAI_LOG_LEVEL": "warning",
    "MOYAI_RPC_COST_PER_SECOND": "10000000",
    "MOYAI_RPC_COST_BURST": "100000000",
}


class ChaosError(MoyaiError):
    """A node does not do what the fault or the repair was meant to bring about."""

    code = "chaos"


class Told(msgspec.Struct, frozen=True):
    """The newest height a node has told, and how often its data were taken away before."""

    life: int
    height: int


class ChaosNode:
    """One node of the city: its process, which can be told to run otherwise, and its shim."""

    def __init__(self, place: int, node: CityNode, environment: dict[str, str]) -> None:
        self.place = place
        self.node = node
        self.shim: Shim | None = None
        self.environment = environment
        self.process = NodeProcess(node, environment)
        self.told = Told(0, 0)
        self.excused = False
        """Whether an operator ran its key twice: votes against itself are then no wonder."""

    @property
    def data(self) -> Path:
        """The node's data directory."""
        return self.node.folder / DATA_NAME

    @property
    def journal_file(self) -> Path:
        """The file that each of its votes is in before it is sent."""
        return self.data / "journal" / "data.mdb"

    @property
    def chain_file(self) -> Path:
        """The file of its blocks and its state."""
        return self.data / "chain" / "data.mdb"

    def start(self) -> None:
        """Start the process with what its environment says now."""
        self.process = NodeProcess(self.node, self.environment)
        self.process.start()

    def kill(self) -> None:
        """End the process as a power failure would."""
        self.process.kill()

    async def stop(self) -> int:
        """End the process as an operator would, and return its exit code."""
        self.process.terminate()
        return await self.ended(STOP_SECONDS_MAX)

    async def ended(self, seconds: float) -> int:
        """Wait until the process has ended by itself and return its exit code."""
        deadline = time.monotonic() + seconds
        while self.process.running:
            if time.monotonic() > deadline:
                raise ChaosError(f"still runs after {seconds:g} s", what=self.node.slug)
            await asyncio.sleep(POLL_SECONDS)
        return self.process.join(0.0)

    def command(self, *arguments: str) -> None:
        """Run a command of the operator on the stopped node. Raises `ChaosError`."""
        answer = subprocess.run(
            [sys.executable, "-m", "moyai.node", *arguments, "--config", self.node.config_file],
            env={**os.environ, "PYTHONPATH": self.environment["PYTHONPATH"]},
            capture_output=True,
            text=True,
            check=False,
        )
        if answer.returncode != 0:
            raise ChaosError(
                f"`moyai {' '.join(arguments)}` failed: {answer.stderr}", what=self.node.slug
            )

    def forget_told(self) -> None:
        """Take note that the operator took data away: the node may tell lower heights again."""
        self.told = Told(self.told.life + 1, 0)


class ChaosCity:
    """All nodes, their relays, and the seeded chance that decides who is harmed."""

    def __init__(self, folder: Path, city: City, relays: Relays, chance: random.Random) -> None:
        self.folder = folder
        self.city = city
        self.relays = relays
        self.chance = chance
        self.nodes: tuple[ChaosNode, ...] = ()
        self.small_disk: ChaosNode | None = None
        """The node whose data lie on a disk of their own, which can be filled."""
        self.keep = True
        self.leads_next: Callable[[], ChaosNode] = lambda: self.pick()[0]
        """Who leads the next view, as far as one can tell from outside."""

    @property
    def faulty_max(self) -> int:
        """Return f: how many nodes may fail while the city goes on."""
        return (len(self.nodes) - 1) // 3

    def pick(self, count: int = 1) -> list[ChaosNode]:
        """Return random nodes."""
        return self.chance.sample(self.nodes, count)

    async def ready(self, nodes: list[ChaosNode], seconds: float = START_SECONDS_MAX) -> None:
        """Wait until nodes serve and see a quorum. Raises `ChaosError`."""
        deadline = time.monotonic() + seconds
        for node in nodes:
            while True:
                health = await asyncio.to_thread(node.process.health)
                if health.ready:
                    break
                if not node.process.running or time.monotonic() > deadline:
                    ended = "has ended" if not node.process.running else "is not ready"
                    raise ChaosError(
                        f"{ended} ({health.summary}): {node.process.log_tail()[-1500:]}",
                        what=node.node.slug,
                    )
                await asyncio.sleep(POLL_SECONDS)


@asynccontextmanager
async def chaos_city(folder: Path, count: int, seed: int) -> AsyncIterator[ChaosCity]:
    """Make a city in `folder`, start it behind relays, and end every process with the block."""
    async with Relays(count) as relays:
        # After the relays took theirs: a free port is free only until somebody listens.
        ports = free_ports(count)
        relays.targets = tuple(one.p2p for one in ports)
        made = make_city(
            CityPlan(folder / "city", CHAIN_ID, TimeMs(time.time_ns() // 10**6), ports),
            genesis_root,
            create_journal,
        )
        city = ChaosCity(folder, made, relays, random.Random(seed))
        library = compile_shim(folder)
        city.nodes = tuple(_node(city, place, library) for place in range(count))
        if _mount(city.nodes[-1].data):
            city.small_disk = city.nodes[-1]
        try:
            for node in city.nodes:
                node.start()
            await city.ready(list(city.nodes))
            yield city
        finally:
            for node in city.nodes:
                node.kill()
            if city.small_disk is not None:
                _unmount(city.small_disk.data, keep=city.keep)


def _node(city: ChaosCity, place: int, library: Path | None) -> ChaosNode:
    node = city.city.nodes[place]
    lines = [
        f'"{other.name}" = "127.0.0.1:{city.relays.ports[place, number]}"'
        for number, other in enumerate(city.city.nodes)
        if number != place
    ]
    with node.config_file.open("a", encoding="utf-8") as config:
        config.write("\n".join(["\n[p2p.peers]", *lines, ""]))
    environment = {
        **ENVIRONMENT,
        "PYTHONPATH": install(city.folder / "installation"),
        "MOYAI_LOOP": ("uvloop", "asyncio")[place % 2],
        "PYTHONHASHSEED": str(city.chance.randrange(2**32)),
    }
    made = ChaosNode(place, node, environment)
    if library is not None:
        made.shim = Shim(library, node.folder / "shim")
        environment.update(made.shim.environment)
    return made


def _mount(data: Path) -> bool:
    """Put the data on a small disk of its own, where this user may mount one."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        return False
    aside = data.with_name(f"data-{secrets.token_hex(4)}")
    data.rename(aside)
    data.mkdir(mode=0o700)
    options = f"size={DISK_BYTES},mode=0700"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "moyai-chaos", str(data)],
        capture_output=True,
        check=False,
    )
    for entry in aside.iterdir():
        shutil.move(entry, data / entry.name)
    aside.rmdir()
    return mounted.returncode == 0


def _unmount(data: Path, *, keep: bool) -> None:
    """Take the small disk away; what is on it stays beside it where it is wanted."""
    if keep:
        shutil.copytree(data, data.with_name("data-kept"))
    subprocess.run(["umount", "--lazy", str(data)], check=False)
