"""One run: load first, then fault after fault, each healed and measured, and the judgement."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from harness.chaos.calls import Calls, NoAnswer, calls_session
from harness.chaos.city import ChaosCity, ChaosError, ChaosNode, chaos_city
from harness.chaos.history import History
from harness.chaos.load import Load
from harness.chaos.nemeses.all import NEMESES
from harness.chaos.nemeses.bit_flips import BitFlips
from harness.chaos.nemeses.nemesis import Nemesis
from harness.chaos.people import COINS_EACH, VALID_SECONDS, Person, settle
from harness.chaos.tally import OneDown, Recovery, Report, Tally, percentile
from harness.chaos.verdict import judge_end
from harness.chaos.watching import Watching
from moyai.primitives.ids import format_account

LOAD_SHARE = 0.6
RECOVERY_SECONDS_MAX = 60.0
CATCH_UP_SECONDS_MAX = 300.0
BASELINE_SECONDS = 8.0
POLL_SECONDS = 0.02
EASE_SECONDS = 10.0
LOAD_TPS_MIN = 5.0  # a chain without work rests, and nobody could be seen to lead


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How long, from which seed, how many nodes, which faults, and where."""

    folder: Path
    seconds: float
    seed: int
    nodes: int = 4
    nemeses: tuple[Callable[[], Nemesis], ...] = NEMESES
    rate_tps: float | None = None
    """The load; without one, a share of what the machine takes at the beginning of the run."""
    measure_one_down: bool = True


Say = Callable[[str], None]


async def live(plan: Plan, say: Say) -> Report:
    """Run a city through its faults and return what was found. Never raises what a node did."""
    async with (
        chaos_city(plan.folder, plan.nodes, plan.seed) as city,
        calls_session() as session,
    ):
        calls = Calls(session)
        people = await settle(city, calls, city.chance)
        head = await calls.call(city.nodes[0], "chain_head")
        coins = {format_account(person.account): COINS_EACH for person in people}
        run = _Run(plan, city, calls, say)
        run.begin(people, History(coins, int(head["height"])))
        await run.whole()
        city.keep = bool(run.report.violations)
        return run.report


class _Run:
    def __init__(self, plan: Plan, city: ChaosCity, calls: Calls, say: Say) -> None:
        self._plan = plan
        self._city = city
        self._calls = calls
        self._say = say
        self._nemeses = [make() for make in plan.nemeses]
        self._tallies = {one.name: Tally(one.name) for one in self._nemeses}
        self._keys: list[str] = []
        self.report = Report(
            seed=plan.seed,
            nodes=plan.nodes,
            capacity_tps=0.0,
            rate_tps=0.0,
            tallies=list(self._tallies.values()),
        )

    def begin(self, people: list[Person], history: History) -> None:
        """Take the accounts that act, and the history of what they do."""
        self._history = history
        self._city.leads_next = self._leads_next
        self._load = Load(self._city, self._calls, people, history)
        self._watching = Watching(self._city, self._calls, people, history)

    async def whole(self) -> None:
        """Live the run to its end, and judge it."""
        began = time.monotonic()
        self._keys = (await self._calls.call(self._city.nodes[0], "validators_get"))["keys"]
        quiet, blind = asyncio.Event(), asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watching.run(blind))
            try:
                await self._load_first()
                tasks.create_task(self._load.run(quiet))
                if self._plan.measure_one_down:
                    self.report.one_down = await self._measure_one_down()
                await self._harm_until(began + self._plan.seconds - VALID_SECONDS)
            except ChaosError as error:
                self._history.wrong(str(error))
                self._say(f"stopped early: {error}")
            quiet.set()
            await judge_end(self._city, self._calls, self._watching, self._history)
            blind.set()
        self._sum_up()

    async def _load_first(self) -> None:
        if self._plan.rate_tps is not None:
            self._load.rate = self.report.rate_tps = self._plan.rate_tps
            return
        self.report.capacity_tps = await self._load.measure_capacity()
        self._load.rate = self.report.rate_tps = LOAD_SHARE * self.report.capacity_tps
        self._say(
            f"{self.report.capacity_tps:.0f} transactions a second is what this machine takes now;"
            f" the load is {self._load.rate:.0f}"
        )

    async def _harm_until(self, ended: float) -> None:
        waiting: list[Nemesis] = []
        chance = random.Random(self._plan.seed)
        for nemesis in self._nemeses:
            self._tallies[nemesis.name].possible = nemesis.possible(self._city)
        while time.monotonic() < ended and not self._history.violations:
            if not waiting:
                waiting = [one for one in self._nemeses if one.possible(self._city)]
                chance.shuffle(waiting)
            nemesis = waiting.pop()
            self._say(await self._harm(nemesis, chance))

    async def _harm(self, nemesis: Nemesis, chance: random.Random) -> str:
        """Do one harm, heal it, and wait until all is as before; return what to say of it."""
        began = time.monotonic()
        await nemesis.inject(self._city)
        await asyncio.sleep(chance.uniform(*nemesis.hold_seconds))
        healed, height = time.monotonic(), self._history.height
        started = await nemesis.heal(self._city)
        try:
            recovery = await self._recovered(healed, height, started)
        except ChaosError as error:
            raise ChaosError(f"after {nemesis.name}, {error}", what="heal") from error
        self._tallies[nemesis.name].recoveries.append(recovery)
        self._load.rate = min(self.report.rate_tps, 2 * self._load.rate)
        leading = "".join(f", led again after {each:.1f} s" for each in recovery.leading)
        return (
            f"{nemesis.name}: {healed - began:.1f} s, new final block after"
            f" {recovery.finalization:.2f} s{leading}; height {self._history.height},"
            f" {len(self._history.violations)} violations"
        )

    async def _recovered(self, healed: float, height: int, started: list[ChaosNode]) -> Recovery:
        """Wait for the first new block, for the started nodes to lead, and for all to be equal."""
        deadline = healed + RECOVERY_SECONDS_MAX
        await self._until(lambda: self._history.height > height, deadline, "a new final block")
        finalization = self._history.seen_at[height + 1] - healed
        leading: dict[int, float] = {}
        places = [self._index_of(node) for node in started]

        def all_led() -> bool:
            for at in range(height + 1, self._history.height + 1):
                place = self._history.blocks[at].proposer
                if place in places and self._history.seen_at[at] > healed:
                    leading.setdefault(place, self._history.seen_at[at] - healed)
            return len(leading) == len(places)

        await self._until(all_led, deadline, "started nodes to lead again")
        await self._city.ready(list(self._city.nodes))
        for node in self._city.nodes:
            await self._voting(node, time.monotonic() + RECOVERY_SECONDS_MAX)
        target = self._history.height
        await self._until(
            lambda: all(node.told.height >= target for node in self._city.nodes),
            time.monotonic() + RECOVERY_SECONDS_MAX,
            "every node to catch up",
        )
        return Recovery(finalization, tuple(leading.values()))

    def _leads_next(self) -> ChaosNode:
        """Return whose last block is the oldest: leaders take turns."""
        last = {block.proposer: height for height, block in self._history.blocks.items()}
        return min(self._city.nodes, key=lambda node: last.get(self._index_of(node), 0))

    def _index_of(self, node: ChaosNode) -> int:
        key = self._city.city.genesis.members[node.place].validator_key
        return self._keys.index(key.hex())

    async def _voting(self, node: ChaosNode, deadline: float) -> None:
        mode = ""
        while mode != "validator":
            if time.monotonic() > deadline:
                raise ChaosError(f"is still {mode or 'silent'}", what=node.node.slug)
            with suppress(NoAnswer):
                mode = (await self._calls.call(node, "node_status"))["mode"]
            await asyncio.sleep(POLL_SECONDS)

    async def _until(self, holds: Callable[[], bool], deadline: float, what: str) -> None:
        """Wait; whoever is behind and comes nearer has more time, up to a limit."""
        last_deadline = time.monotonic() + CATCH_UP_SECONDS_MAX
        looked, behind = time.monotonic(), self._behind
        while not holds():
            if self._history.violations:
                raise ChaosError("a violation ended the run", what="history")
            if time.monotonic() > looked + EASE_SECONDS:
                looked, before, behind = time.monotonic(), behind, self._behind
                if behind < before:
                    deadline = min(last_deadline, looked + RECOVERY_SECONDS_MAX)
                else:
                    self._ease()
            if time.monotonic() > deadline:
                heights = {node.node.slug: node.told.height for node in self._city.nodes}
                raise ChaosError(f"waited too long for {what}: {heights}", what="city")
            await asyncio.sleep(POLL_SECONDS)

    @property
    def _behind(self) -> int:
        """Return by how many blocks the last node is behind the first."""
        return self._history.height - min(node.told.height for node in self._city.nodes)

    def _ease(self) -> None:
        """Halve a load under which nodes do not come nearer: others may have the machine."""
        self._load.rate = max(LOAD_TPS_MIN, self._load.rate / 2)
        self.report.eased += 1
        self._say(f"not back after {EASE_SECONDS:g} s: the load is halved to {self._load.rate:.0f}")

    async def _measure_one_down(self) -> OneDown:
        """Compare the load with all nodes to the same load with one of them dead."""
        await asyncio.sleep(2.0)  # the load is steady
        before = await self._window()
        (victim,) = self._city.pick()
        victim.kill()
        await asyncio.sleep(1.0)
        after = await self._window()
        healed, height = time.monotonic(), self._history.height
        victim.start()
        await self._recovered(healed, height, [victim])
        one = OneDown(after[0] / before[0], before[1] * 1000, after[1] * 1000)
        self._say(
            f"one node down: {one.throughput_share:.0%} of the throughput, p99"
            f" {one.p99_ms_one_down:.0f} ms instead of {one.p99_ms_all:.0f} ms"
        )
        return one

    async def _window(self) -> tuple[float, float]:
        """Return final transactions a second and their p99 latency, over a while of load."""
        began = time.monotonic()
        await asyncio.sleep(BASELINE_SECONDS)
        ended = time.monotonic()
        latencies = [
            sent.final_at - sent.sent_at
            for sent in self._history.sent.values()
            if sent.final_at is not None and began <= sent.final_at < ended
        ]
        if not latencies:
            raise ChaosError("nothing became final without a fault", what="city")
        return len(latencies) / (ended - began), percentile(latencies, 0.99)

    def _sum_up(self) -> None:
        report, history = self.report, self._history
        report.sent, report.final = len(history.sent), len(history.finals())
        report.expired, report.shed = len(history.lost()), self._load.shed
        report.blocks, report.reads = len(history.blocks), history.reads
        report.memory_mb_max = max(_peak_mb(node) for node in self._city.nodes)
        report.violations = history.violations
        for nemesis in self._nemeses:
            if isinstance(nemesis, BitFlips):
                report.bit_flips_noticed, report.bit_flips_unread = nemesis.noticed, nemesis.unread


def _peak_mb(node: ChaosNode) -> float:
    """Return the most memory that the process ever had."""
    if not node.process.running:
        return 0.0
    status = Path(f"/proc/{node.process.pid}/status").read_text(encoding="ascii")
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(peak.split()[1]) / 1024


def names(nemeses: Sequence[Callable[[], Nemesis]] = NEMESES) -> list[str]:
    """Return what the faults are called."""
    return [make().name for make in nemeses]
