"""One history of whole nodes: faults while customers work, then healing, then judgement.

Not here: single faults (`chaos`), and how plans are drawn (`draw`).
"""

import gc
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from harness.core_city import MEMORY
from harness.simulator.level import Outcome, Violation
from harness.simulator.plan import Weather
from harness.whole_city.chaos import Chaos
from harness.whole_city.customers import ENDED, Customer, Told
from harness.whole_city.hosted_node import HostedNode
from harness.whole_city.judge import judge
from harness.whole_city.machine_loop import Nature
from harness.whole_city.network import Network
from harness.whole_city.plan import CityPlan
from harness.whole_city.virtual_time import MICROSECONDS_PER_MS, VirtualTime
from harness.whole_city.watching import Watcher
from harness.whole_city.world import World

STEP_MS = 250
HEALED_MS_MAX = 90_000
STOPPED_MS_MAX = 30_000
AT_REST_MAX = {
    "inputs": 64,
    "signatures": 16,
    "transactions": 16,
    "unsent bytes": 65_536,
    "half open": 8,
    "waiters": 16,
    "tasks": 120,
}
REPLACING_MS = 5_000
BOTH_DIALLED_MARK = "both ends dialled at once"
WHOLE_MARK = "every node has every block"
P2P_PORT = 7000


class WholeCity:
    """A history, not lived yet; `lines` is its trace."""

    def __init__(self, plan: CityPlan, folder: Path, *, trace: bool) -> None:
        time = VirtualTime()
        network = Network(time, plan.seed, plan.weather)
        self._plan = plan
        self._watcher = Watcher(time, trace=trace)
        self._world = World(plan.seed, folder, time, network, self._watcher)
        self._told = Told()
        self._dialled_ms: dict[tuple[str, str], float] = {}
        network.met = self._met

    @property
    def lines(self) -> list[str]:
        return self._watcher.lines

    def run(self) -> Outcome:
        """Live the history. Raises `Violation`."""
        with self._watcher.watching():
            self._begin()
            try:
                return self._live()
            finally:
                self._clear()

    def _live(self) -> Outcome:
        plan, world = self._plan, self._world
        self._live_for(plan.chaos_ms)
        self._heal()
        healed_ms = world.time.now_ms
        self._live_until(self._has_recovered(healed_ms), HEALED_MS_MAX, "no progress after healing")
        recovered_ms = world.time.now_ms - healed_ms
        self._rest()
        views = max(node.node._core.machine.status().view for node in self._nodes if node.node)
        self._check_bounds()
        judge(self._nodes, self._told)
        self._stop()
        ended = sum(1 for each in self._told.promises.values() if each.ended in ENDED)
        return Outcome(
            views=views,
            simulated_ms=world.time.now_ms,
            marks=tuple(sorted(self._watcher.marks)),
            transactions=ended,
            restarts=sum(node.starts for node in self._nodes) - plan.size,
            recovery_ms=recovered_ms,
        )

    def _clear(self) -> None:
        """End whatever still runs, so that nothing of this history is left in the process."""
        for node in self._nodes:
            node.kill()
        self._live_for(1)
        for customer in self._customers:
            customer.bury()

    def _begin(self) -> None:
        plan, world = self._plan, self._world
        self._nodes = [
            HostedNode(place, world, snapshot_blocks=plan.snapshot_blocks)
            for place in range(plan.size)
        ]
        self._customers = [
            Customer(number, self._nodes, world, self._told) for number in range(plan.writers)
        ]
        self._chaos = Chaos(world, self._nodes, self._customers)
        for place, node in enumerate(self._nodes):
            node.nature = Nature(
                turn_us=plan.turns_us[place % len(plan.turns_us)],
                thread_us=plan.threads_us[place % len(plan.threads_us)],
                rate=plan.rates[place % len(plan.rates)],
            )
            node.start()
        for customer in self._customers:
            customer.begin(plan.gap_ms)
        self._chaos.schedule(plan.events)

    def _heal(self) -> None:
        """From now on nothing new goes wrong, and operators put right what they can."""
        self._chaos.is_over = True
        self._world.network.heal(Weather())
        for node in self._nodes:
            node.ahead_ms = 0
            node.spare()
            if not node.is_running:
                node.start()

    def _has_recovered(self, healed_ms: float) -> Callable[[], bool]:
        """Return the question whether each customer has brought something new to its end, and every
        node has the blocks that any had.
        """
        target = max(node.height for node in self._nodes)

        def recovered() -> bool:
            for node in self._nodes:
                if not node.is_running:
                    node.start()
            fresh = {
                name
                for name, promise in self._told.promises.items()
                if promise.ended == "final" and promise.submitted_ms >= healed_ms
            }
            there = all(node.height > target for node in self._nodes)
            return there and len(fresh) >= len(self._customers)

        return recovered

    def _rest(self) -> None:
        """Let customers end what they began and hear of it, and nodes have the same blocks."""
        for customer in self._customers:
            customer.is_stopping = True

        def rested() -> bool:
            promises = self._told.promises.values()
            return all(promise.ended for promise in promises)

        self._live_until(rested, HEALED_MS_MAX, "a transaction does not end")
        target = max(node.height for node in self._nodes)
        self._live_until(
            lambda: all(node.height >= target for node in self._nodes),
            HEALED_MS_MAX,
            "a node does not catch up",
        )
        self._watcher.mark(WHOLE_MARK)
        self._live_until(self._all_heard, HEALED_MS_MAX, "a subscription does not go on")
        for customer in self._customers:
            customer.end()

    def _all_heard(self) -> bool:
        """Return whether every follower was told of the last transaction that is final."""
        final = [name for name, each in self._told.promises.items() if each.ended == "final"]
        last = max(final, key=lambda name: self._told.promises[name].place or (0, 0))
        return all(any(last in line for line in seen[-50:]) for seen in self._told.events if seen)

    def _check_bounds(self) -> None:
        """Nothing piles up in a city at rest. Raises `Violation`."""
        for node in self._nodes:
            shipped = node.node
            assert shipped is not None
            core = shipped._core
            sizes = {
                "inputs": len(core._inbox),
                "signatures": core.ingest.backlog,
                "transactions": len(core.mempool),
                "unsent bytes": sum(peer.unsent_bytes for peer in shipped._hub.peers()),
                "half open": shipped._hub.half_open,
                "waiters": len(shipped._rpc._waiting.waiters),
            }
            assert node.loop is not None
            sizes["tasks"] = len(node.loop.unfinished)
            full = {name: size for name, size in sizes.items() if size > AT_REST_MAX[name]}
            if full:
                raise Violation(f"something has piled up in {node.name}: {full}")
        if self._plan.is_fault_free:
            self._check_calm()
        if self._watcher.complaints:
            raise Violation(f"a library complained: {self._watcher.complaints[0]}")

    def _check_calm(self) -> None:
        for node in self._nodes:
            assert node.node is not None
            counts = node.node._observer.counts
            nullified = {
                reason: counts[key, reason] for key, reason in counts if key == "nullified"
            }
            if nullified:
                raise Violation(f"a view was nullified in a calm city: {nullified}")

    def _stop(self) -> None:
        """Stop all nodes as their operators would; each checks that nothing is left of it."""
        for node in self._nodes:
            node.stop()
        gone = lambda: not any(node.is_running for node in self._nodes)  # noqa: E731 - a question
        self._live_until(gone, STOPPED_MS_MAX, "a node does not stop")

    # -- time

    def _live_for(self, for_ms: int) -> None:
        self._world.time.run_until(self._world.time.now_us + for_ms * MICROSECONDS_PER_MS)

    def _live_until(self, there: Callable[[], bool], longest_ms: int, failure: str) -> None:
        for _ in range(longest_ms // STEP_MS):
            if there():
                return
            self._live_for(STEP_MS)
        raise Violation(f"{failure}: {[(node.name, node.height) for node in self._nodes]}")

    def _met(self, origin: str, target: str, port: int) -> None:
        """See a connection come about; two nodes that dial each other must keep one."""
        if port != P2P_PORT:
            return
        now_ms = self._world.time.now_ms
        self._dialled_ms[origin, target] = now_ms
        if now_ms - self._dialled_ms.get((target, origin), -REPLACING_MS) < REPLACING_MS:
            self._watcher.mark(BOTH_DIALLED_MARK)


@contextmanager
def fresh_folder(parent: Path = MEMORY) -> Iterator[Path]:
    """Give a folder that is gone afterwards."""
    folder = Path(mkdtemp(prefix="moyai-city-", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        gc.collect()
