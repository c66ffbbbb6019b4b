"""Random histories: a seed draws which faults happen and how strongly, then the city must recover.

Not here: what must always hold (`invariants`); scenarios written by hand (tests/consensus).
"""

from collections.abc import Callable
from random import Random

import msgspec

from harness.consensus.invariants import Violation
from harness.consensus.shell import Node
from harness.consensus.world import Behaviour, Network, World
from moyai.consensus.effects import (
    Broadcast,
    CatchUp,
    Count,
    Effect,
    EpochEnded,
    EvidenceFound,
    ProveEpochEnd,
)
from moyai.consensus.messages import CertificateMessage, VoteMessage
from moyai.primitives.parameters import Parameters

CHAOS_MS = 8_000
RECOVERY_MS = 30_000
STEP_MS = 100


class Faults(msgspec.Struct):
    """What may happen in one history; chances are per 100 ms."""

    loss: float = 0.0
    duplicate: float = 0.0
    slow: float = 0.0
    partition: float = 0.0
    isolate_leader: float = 0.0
    crash: float = 0.0
    crash_all: float = 0.0
    clock: float = 0.0
    change: float = 0.0
    traitor: str = ""


class Outcome(msgspec.Struct):
    """What came of a history."""

    seed: int
    faults: Faults
    steps: int
    views: int
    heights: list[int]
    restarts: int
    recovery_ms: float
    marks: list[str]


class Swarm:
    """One history."""

    def __init__(
        self,
        seed: int,
        traitors: dict[str, Callable[[], Behaviour]],
        *,
        restarts: bool = False,
        changes: bool = False,
    ) -> None:
        self.seed = seed
        self.random = Random(seed ^ 0x5EED)
        size = self.random.choice((4, 4, 4, 4, 5, 7))
        parameters = Parameters(
            delta_ms=self.random.choice((100, 250)), status_ms=1_000, rebroadcast_ms=500
        )
        observers = self.random.choice((0, 1))
        self.size, self.joining = size, 2 if changes else 0
        self.world = World(
            size, seed, parameters=parameters, observers=observers, joining=self.joining
        )
        self.faults = Faults(crash_all=0.08) if restarts else self._draw(sorted(traitors))
        if changes:
            self.faults.change, self.faults.traitor = 0.1, ""
        self.restarts = 0
        self.marks: dict[str, None] = {}
        if self.faults.traitor:
            traitor = self.world.nodes[self.random.randrange(size)]
            self.world.byzantine[traitor.key] = traitors[self.faults.traitor]()
        self.world.network = self._network()
        self.world.taps.append(self._mark)

    def _mark(self, node: Node, effect: Effect) -> None:
        """Note what this history reached, so that a swarm that reaches too little fails."""
        match effect:
            case CatchUp():
                self.marks["synced"] = None
            case EvidenceFound():
                self.marks["evidence"] = None
            case EpochEnded(headers=headers):
                self.marks["an epoch ended"] = None
                if len(headers) > 1:
                    self.marks["an epoch ended by a filler"] = None
            case ProveEpochEnd():
                self.marks["led through the end of an epoch"] = None
            case Count(counter="abstaining"):
                self.marks["abstained"] = None
            case Broadcast(message=CertificateMessage()):
                both = self.world.invariants.notarized.keys() & self.world.invariants.nullified
                if both:
                    self.marks["both certificates of a view"] = None
            case Broadcast(message=VoteMessage()) if node.lives > 1:
                self.marks["in the middle of a view"] = None
            case _:
                pass

    def _draw(self, traitors: list[str]) -> Faults:
        random = self.random
        if random.random() < 0.02:
            return Faults()

        def maybe(most: float) -> float:
            return random.random() * most if random.random() < 0.5 else 0.0

        return Faults(
            loss=maybe(0.3),
            duplicate=maybe(0.3),
            slow=maybe(0.3),
            partition=maybe(0.2),
            isolate_leader=maybe(0.1),
            crash=maybe(0.2),
            crash_all=maybe(0.03),
            clock=maybe(0.1),
            traitor=random.choice(traitors) if traitors and random.random() < 0.5 else "",
        )

    def _network(self) -> Network:
        return Network(
            delay_ms=self.random.choice((1.0, 5.0, 20.0)),
            spread_ms=self.random.choice((1.0, 10.0, 60.0)),
            loss=self.faults.loss,
            duplicate=self.faults.duplicate,
            slow=self.faults.slow,
            slow_ms=self.random.choice((100.0, 1_500.0)),
        )

    def run(self) -> Outcome:
        """Let anything happen, heal, and see that the city recovers; raises `Violation`."""
        world = self.world
        world.start()
        while world.now_ms < CHAOS_MS:
            self._disturb()
            if self.faults.change and self.random.random() < self.faults.change:
                self._change_members()
            if self.random.random() < 0.5:
                living = [node for node in world.honest if node.alive]
                if living:
                    world.submit(self.random.randrange(1, 4), self.random.choice(living))
            world.run(STEP_MS)
            self._bring_back(0.1)
        self._heal()
        started_ms = world.now_ms
        ids = world.submit(3)
        if not world.run(RECOVERY_MS, lambda: world.all_final(ids)):
            raise Violation(f"no new final block after healing: heights {world.heights()}")
        recovery_ms = world.now_ms - started_ms
        world.run(12_000, self._tips_equal)
        if not self._tips_equal():
            raise Violation(f"tips differ on a quiet chain: {world.heights()}")
        self._check_fault_free()
        views = max(node.machine.status().view for node in world.honest if node.machine)
        return Outcome(
            self.seed,
            self.faults,
            world.steps,
            views,
            world.heights(),
            self.restarts,
            recovery_ms,
            list(self.marks),
        )

    def _tips_equal(self) -> bool:
        tips = {node.chain.tip.digest for node in self.world.honest}
        roots = {node.chain.tip.executed for node in self.world.honest}
        return len(tips) == 1 and len(roots) == 1

    def _check_fault_free(self) -> None:
        network = self.world.network
        quick = network.delay_ms + network.spread_ms < 50
        if quick and self.faults == Faults() and self.world.invariants.nullified:
            raise Violation("a view was nullified although nothing went wrong")

    # -- faults

    def _disturb(self) -> None:
        random, world, faults = self.random, self.world, self.faults
        if random.random() < faults.partition:
            self._partition()
        if random.random() < faults.isolate_leader:
            views = [n.machine.status() for n in world.honest if n.machine is not None]
            if views:
                leader = world.nodes[views[0].leader]
                world.partition([node for node in world.nodes if node is not leader], [leader])
        if world.cut and random.random() < 0.2:
            world.cut = set()
            world.links_changed()
        if random.random() < faults.crash:
            node = random.choice(world.nodes)
            if node.alive:
                node.crash_after = random.randrange(12)
        if random.random() < faults.crash_all:
            for node in world.nodes:
                node.crash_after = random.randrange(6)
        if random.random() < faults.clock:
            world.clock_offset_ms[random.choice(world.nodes).key] = random.randrange(-1_000, 1_000)

    def _change_members(self) -> None:
        """Let the next epoch have at least four of all who could vote, whoever they are."""
        people = list(range(self.size + self.joining))
        self.random.shuffle(people)
        self.world.change_members(*people[: self.random.randrange(4, len(people) + 1)])

    def _partition(self) -> None:
        nodes = list(self.world.nodes)
        self.random.shuffle(nodes)
        cut = self.random.randrange(1, len(nodes))
        self.world.partition(nodes[:cut], nodes[cut:])

    def _bring_back(self, chance: float) -> None:
        self.world.notice_deaths()
        for node in self.world.nodes:
            if not node.alive and self.random.random() < chance:
                self.restarts += 1
                self._back(node)

    def _back(self, node: Node) -> None:
        self.world.start(node)

    def _heal(self) -> None:
        world = self.world
        for node in world.nodes:
            node.crash_after = None
        world.clock_offset_ms = {}
        world.heal()
        self._bring_back(1.0)
