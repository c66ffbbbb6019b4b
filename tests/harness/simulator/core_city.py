"""Level 1 as a place where a plan can be lived: the shipped protocol core with abstract signatures.

Not here: journals and stores as they are shipped (`node_city`).
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from typing_extensions import override

from harness.byzantine import TRAITORS
from harness.consensus.shell import Node, Transactions, WireMessage
from harness.consensus.store import Chain, Journal
from harness.consensus.world import World
from harness.simulator.core_marks import CoreMarks
from harness.simulator.level import Violation
from harness.simulator.links import Links
from harness.simulator.plan import Plan
from moyai.consensus.messages import BlockMessage, Proposal
from moyai.primitives.ids import NetworkKey, TransactionId
from moyai.primitives.parameters import Parameters

if TYPE_CHECKING:
    from harness.simulator.chaos import Process

MESSAGE_BYTES = 250
ID_BYTES = 34


class CoreProcess:
    """A simulated node as faults see it."""

    def __init__(self, city: "CoreCity", node: Node) -> None:
        self._city = city
        self.node = node

    @property
    def alive(self) -> bool:
        return self.node.alive

    def die_after(self, steps: int, keep: Callable[[], bool]) -> None:
        self.node.crash_after, self.node.keep = steps, keep

    def die(self, keep: Callable[[], bool]) -> None:
        self.node.keep = keep
        self._city.kill(self.node)

    def live(self) -> None:
        self._city.start(self.node)

    def spare(self) -> None:
        self.node.crash_after = None

    def pause(self, until_ms: float) -> None:
        self.node.paused_until_ms = until_ms

    def set_clock(self, jump_ms: int, drift: int) -> None:
        self._city.set_clock(self.node.key, jump_ms, drift)
        self.node.timer_rate = 1 + drift / 1_000

    def wipe(self) -> None:
        self.node.wipe()

    def copy(self) -> object:
        return self.node.journal.copy(), self.node.chain.copy()

    def restore(self, copy: object) -> None:
        match copy:
            case (Journal() as journal, Chain() as chain):
                self.node.journal, self.node.chain = journal.copy(), chain.copy()
            case _:
                raise AssertionError(copy)

    def fill_disk(self, *, full: bool) -> None:
        """Do nothing: the disk of this level has no end."""


class CoreCity(World):
    """A world on links with faults."""

    def __init__(self, plan: Plan) -> None:
        self.links = Links(plan.weather, plan.seed)
        self._skew: dict[NetworkKey, tuple[int, int, float]] = {}
        parameters = Parameters(delta_ms=plan.delta_ms, status_ms=1_000, rebroadcast_ms=500)
        super().__init__(
            plan.size,
            plan.seed,
            parameters=parameters,
            observers=plan.observers,
            joining=plan.joining,
        )
        self._place = {node.key: number for number, node in enumerate(self.nodes)}
        self.processes: list[Process] = [CoreProcess(self, node) for node in self.nodes]
        if plan.traitor:
            self.byzantine[self.nodes[plan.traitor_node].key] = TRAITORS[plan.traitor]()
        self._marks = CoreMarks(self)
        self._told: list[str] = []
        self.tell: Callable[[str], None] = self._told.append
        self._views = 0

    # -- links

    @override
    def linked(self, one: NetworkKey, other: NetworkKey) -> bool:
        link = (self._place[one], self._place[other])
        return one not in self.down and other not in self.down and not self.links.is_cut(link)

    @override
    def carry(self, sender: NetworkKey, to: NetworkKey, message: WireMessage) -> None:
        if to not in self.by_key or not self.linked(sender, to):
            return
        link = (self._place[sender], self._place[to])
        for arrival_ms in self.links.arrivals(self.now_ms, link, _size(message)):
            self.after(arrival_ms - self.now_ms, lambda: self._deliver(sender, to, message))

    def leader(self) -> int | None:
        for node in self.honest:
            if node.machine is not None:
                index = node.machine.status().leader
                return self._place[self.city.at(node.chain.epoch).network_keys[index]]
        return None

    # -- clocks

    def set_clock(self, key: NetworkKey, jump_ms: int, drift: int) -> None:
        """Let a clock jump, and go wrong from now on."""
        self._skew[key] = (jump_ms, drift, self.now_ms)

    @override
    def clock_error_ms(self, key: NetworkKey) -> int:
        jump_ms, drift, since_ms = self._skew.get(key, (0, 0, 0.0))
        return jump_ms + int((self.now_ms - since_ms) * drift / 1_000)

    # -- phases

    @property
    def marks(self) -> dict[str, None]:
        return self._marks.seen

    def mark(self, name: str) -> None:
        self.marks[name] = None

    def begin(self) -> None:
        self.start()

    def pass_time(self, duration_ms: float, until: Callable[[], bool] | None = None) -> bool:
        """Let time pass; whoever died on its own is taken off the network soon."""
        end_ms = self.now_ms + duration_ms
        while self.now_ms < end_ms:
            if self.run(min(100.0, end_ms - self.now_ms), until):
                return True
            self.notice_deaths()
        return until is not None and until()

    def submit_some(self, count: int, node: int) -> None:
        if self.nodes[node].alive:
            self.submit(count, self.nodes[node])

    def work(self, count: int, left_out: tuple[int, ...]) -> Callable[[], bool]:
        ids = self.submit(count)
        nodes = [each for each in self.honest if self._place[each.key] not in left_out]

        def is_done() -> bool:
            return all(_has(node.chain, ids) for node in nodes)

        return is_done

    def tips_are_equal(self) -> bool:
        tips = {node.chain.tip.digest for node in self.honest}
        roots = {node.chain.tip.executed for node in self.honest}
        return len(tips) == 1 and len(roots) == 1

    def nullified_views(self) -> int:
        return len(self.invariants.nullified)

    def views(self) -> int:
        return sum(self._marks.views.values())

    def transactions(self) -> int:
        return max(len(node.chain.final_ids) for node in self.honest)

    def judge_end(self) -> None:
        for node in self.honest:
            if not node.alive:
                raise Violation(f"a node is dead although all was healed: {self._place[node.key]}")


def _has(chain: Chain, ids: tuple[TransactionId, ...]) -> bool:
    return all(each in chain.final_ids for each in ids)


def _size(message: WireMessage) -> int:
    match message:
        case Proposal() | BlockMessage():
            return MESSAGE_BYTES + ID_BYTES * len(message.transaction_ids)
        case Transactions():
            return MESSAGE_BYTES * len(message.ids)
        case _:
            return MESSAGE_BYTES
