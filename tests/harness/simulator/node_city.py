"""Level 2 as a place where a plan can be lived: whole cores on real stores, bytes between them.

Not here: sockets, handshakes and the RPC door.
"""

import heapq
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from harness.simulator.level import Violation
from harness.simulator.links import Links
from harness.simulator.node_disguise import Disguise
from harness.simulator.node_judge import Judge
from harness.simulator.node_process import NodeProcess
from harness.simulator.node_site import START_MS, make_site
from harness.simulator.node_work import Work
from harness.simulator.plan import Plan
from moyai.consensus.effects import Broadcast, Persist
from moyai.consensus.inputs import MessageReceived, Timer, TimerFired
from moyai.consensus.messages import ConsensusMessage
from moyai.consensus.trace import Tracer
from moyai.node.ingest import VERIFY_QUEUE_MAX
from moyai.p2p.messages import WireMessage, decode_message, encode_message, wire_type
from moyai.primitives.errors import MoyaiError
from moyai.primitives.ids import NetworkKey, TransactionId

if TYPE_CHECKING:
    from harness.simulator.chaos import Process

DECODED_MAX = 512
RETRY_MS = 1_000
COUNCIL_MS = 400


@lru_cache(DECODED_MAX)
def decoded(kind: int, payload: bytes) -> WireMessage | None:
    """Return the message of the bytes that arrived: the same bytes are the same frozen value."""
    try:
        return decode_message(kind, payload)
    except MoyaiError:
        return None


class NodeCity:
    """One clock, and everything that will happen on it."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.site = make_site(plan.size, plan.delta_ms)
        self.links = Links(plan.weather, plan.seed)
        self.random = Random(plan.seed ^ 0xB17E5)
        self.is_torn = plan.torn
        self.now_ms = 0.0
        traitors = {plan.traitor_node} if plan.traitor else set[int]()
        self.judge = Judge(self.site, traitors)
        self.lines: list[str] | None = None
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._serial = 0
        self._encoded: tuple[WireMessage | None, int, bytes] = (None, 0, b"")
        self._tracer = Tracer(tuple(each.network_key for each in self.site.identities))
        self.nodes = [
            NodeProcess(self, folder / str(place), place, plan.seed) for place in range(plan.size)
        ]
        self.by_key = {node.key: node for node in self.nodes}
        self._work = Work(self.site, self.judge, plan.seed)
        self._disguise = Disguise(self, plan.traitor, plan.traitor_node) if plan.traitor else None

    # -- time

    def after(self, delay_ms: float, act: Callable[[], None]) -> None:
        self._serial += 1
        heapq.heappush(self._queue, (self.now_ms + delay_ms, self._serial, act))

    def pass_time(self, duration_ms: float, until: Callable[[], bool] | None = None) -> bool:
        end_ms = self.now_ms + duration_ms
        while self._queue and self._queue[0][0] <= end_ms:
            self.now_ms, _, act = heapq.heappop(self._queue)
            act()
            if until is not None and until():
                return True
        self.now_ms = end_ms
        return until is not None and until()

    # -- the network

    @property
    def processes(self) -> "list[Process]":
        return list(self.nodes)

    def linked(self, place: int) -> tuple[NetworkKey, ...]:
        """Return whom a node can reach, as far as it knows."""
        return tuple(
            sorted(
                other.key
                for other in self.nodes
                if other.place != place
                and other.alive
                and not self.links.is_cut((place, other.place))
            )
        )

    def links_changed(self) -> None:
        for node in self.nodes:
            node.tell_links()

    def post(self, sender: NodeProcess, to: NetworkKey, message: WireMessage) -> None:
        """Put a message on its way; a traitor may send something else instead."""
        disguise = self._disguise
        if disguise is None or disguise.place != sender.place:
            self.carry(sender.place, to, message)
            return
        for each in disguise.instead(to, message):
            self.carry(sender.place, to, each)

    def carry(self, place: int, to: NetworkKey, message: WireMessage) -> None:
        """Put the bytes of a message on their link."""
        if self._encoded[0] is not message:
            self._encoded = (message, wire_type(message).kind, encode_message(message))
        _, kind, payload = self._encoded
        receiver, sender = self.by_key[to], self.nodes[place].key
        link = (place, receiver.place)

        def deliver() -> None:
            arrived = decoded(kind, payload)
            if arrived is not None:
                receiver.receive(sender, arrived)

        for arrival_ms in self.links.arrivals(self.now_ms, link, len(payload)):
            self.after(arrival_ms - self.now_ms, deliver)

    def leader(self) -> int | None:
        for node in self.nodes:
            if node.core is not None:
                status = node.core.machine.status()
                keys = node.core.config.network_keys
                return self.by_key[keys[status.leader]].place
        return None

    # -- work

    def submit_some(self, count: int, node: int) -> None:
        process = self.nodes[node]
        if not process.alive or self._is_traitor(process):
            return
        wall_ms = START_MS + int(self.now_ms)
        raws = [self._work.transaction(wall_ms) for _ in range(count)]
        process.submit(raws, lambda said: self._work.said(raws, said))

    def change_members(self, *people: int) -> None:
        """Let a member propose a change; who these people are is drawn when it can be known."""
        self._submit_anywhere([self._work.proposal(START_MS + int(self.now_ms))])

    def _hold_council(self) -> None:
        """Let the other members approve of what has been proposed."""
        self._submit_anywhere(self._work.approvals(START_MS + int(self.now_ms)))
        self.after(COUNCIL_MS, self._hold_council)

    def _submit_anywhere(self, raws: list[bytes]) -> None:
        living = [node for node in self.honest if node.alive]
        if raws and living:
            self.random.choice(living).submit(raws, lambda said: self._work.said(raws, said))

    def work(self, count: int, left_out: tuple[int, ...]) -> Callable[[], bool]:
        """Let a client send what is not final yet again, and new transactions."""
        waited = [each for each in self.honest if each.place not in left_out]
        wall_ms = START_MS + int(self.now_ms)
        for _ in range(count):
            self._work.said([self._work.document(wall_ms)], [True])
        wanted = self._work.accepted

        def send() -> None:
            missing = [raw for each, raw in wanted.items() if each not in self.judge.placed]
            if missing:
                living = [node for node in waited if node.alive]
                self.random.choice(living).submit(missing, lambda _: None)
                self.after(RETRY_MS, send)

        send()
        return lambda: self._are_final(tuple(wanted), waited)

    def _are_final(self, ids: tuple[TransactionId, ...], nodes: list[NodeProcess]) -> bool:
        if any(each not in self.judge.placed for each in ids):
            return False
        height = max((self.judge.placed[each] for each in ids), default=0)
        return all(node.alive and node.chain.committed_height >= height for node in nodes)

    # -- phases

    @property
    def honest(self) -> list[NodeProcess]:
        return [node for node in self.nodes if not self._is_traitor(node)]

    def _is_traitor(self, node: NodeProcess) -> bool:
        return node.place in self.judge.traitors

    @property
    def marks(self) -> dict[str, None]:
        return self.judge.marks

    def mark(self, name: str) -> None:
        self.marks[name] = None

    def begin(self) -> None:
        for node in self.nodes:
            node.live()
        self._hold_council()

    def tips_are_equal(self) -> bool:
        """Return whether all have the same, and no change of members is under way."""
        if self._work.is_deciding:
            return False
        heights = {node.chain.committed_height for node in self.honest if node.alive}
        return len(heights) == 1 and all(node.alive for node in self.honest)

    def heights(self) -> list[int]:
        return self.judge.served

    def nullified_views(self) -> int:
        return len(self.judge.nullified)

    def views(self) -> int:
        return sum(self.judge.views.values())

    def transactions(self) -> int:
        return len(self.judge.placed)

    def judge_end(self) -> None:
        self.judge.judge_end()
        for node in self.honest:
            self.judge.judge_balances(node.chain)
            core = node.core
            if core is None or core.ingest.backlog > VERIFY_QUEUE_MAX:
                raise Violation(f"a queue is over its bound: of member-{node.place}")

    def close(self) -> None:
        for node in self.nodes:
            node.die(lambda: False)

    # -- the trace

    def tell(self, line: str) -> None:
        if self.lines is not None:
            self.lines.append(f"{self.now_ms:10.1f} {line}")

    def trace(self, place: int, event: object) -> None:
        """Write down one thing that happened to a node."""
        core = self.nodes[place].core
        if self.lines is None or core is None:
            return
        where = f"{core.config.validators.epoch}/{core.machine.status().view}"
        self.tell(f"v{place} {where:<7} {self._spoken(event)}")

    def _spoken(self, event: object) -> str:
        tracer = self._tracer
        match event:
            case Timer():
                return tracer.input(TimerFired(event))
            case (bytes() as sender, message) if isinstance(message, ConsensusMessage):
                return tracer.input(MessageReceived(NetworkKey(sender), message))
            case (bytes() as sender, message):
                return f"> {tracer.peer(NetworkKey(sender))}: {type(message).__name__}"
            case tuple() | list():
                return tracer.effect(Persist(tuple(event)))
            case str():
                return f"  {event}"
            case _ if isinstance(event, ConsensusMessage):
                return tracer.effect(Broadcast(event))
            case _:
                return f"  to all: {type(event).__name__}"
