"""Links of a node that does not vote yet: peers answer at once, from the stores of core nodes."""

from collections.abc import Callable

from harness.core_city import CoreNode
from moyai.node.bootstrap import Phase
from moyai.node.serving import SnapshotReader
from moyai.node.state_serving import StateReader
from moyai.p2p.messages import (
    BelowBase,
    BodiesAnswer,
    BodiesRequest,
    HeadersAnswer,
    HeadersRequest,
    TargetRequest,
    WireMessage,
)
from moyai.p2p.serving import answer_state, answer_sync
from moyai.p2p.snapshot_messages import (
    EpochEndRequest,
    RecentRequest,
    SnapshotPartRequest,
    SnapshotRequest,
)
from moyai.primitives.ids import Height, NetworkKey
from moyai.storage.state_snapshots import SnapshotFolder

Lie = Callable[[WireMessage], WireMessage | None]
TURN_MS = 10


class StoreLinks:
    """The transport of one phase; `drive` carries the phase to its end."""

    def __init__(self, peers: list[CoreNode], lies: dict[NetworkKey, Lie] | None = None) -> None:
        self.peers = {node.key: node for node in peers}
        self.mail: list[tuple[NetworkKey, WireMessage]] = []
        self.asked: list[WireMessage] = []
        self.reports: list[NetworkKey] = []
        self.base = 0
        self.now_ms = 0
        self._lies = lies or {}
        self._folders = {node.key: SnapshotFolder(node.folder / "snapshots") for node in peers}

    def send(self, to: NetworkKey, message: WireMessage) -> bool:
        self.asked.append(message)
        answer: WireMessage | None = self._answer(to, message)
        lie = self._lies.get(to)
        if lie is not None and answer is not None:
            answer = lie(answer)
        if answer is not None:
            self.mail.append((to, answer))
        return True

    def broadcast(self, message: WireMessage, *, validators_only: bool = False) -> int:
        raise AssertionError("nothing is said to all")

    def report(self, peer: NetworkKey, reason: str) -> None:
        self.reports.append(peer)

    def connected(self) -> tuple[NetworkKey, ...]:
        return tuple(self.peers)

    def drive(self, phase: Phase, turns: int = 20_000) -> None:
        """Let a phase go on until it ends, or has had so many turns."""
        while phase.ending is None and turns:
            turns -= 1
            self.now_ms += TURN_MS
            if self.mail:
                phase.receive(*self.mail.pop(0), self.now_ms)
            phase.tick(self.now_ms)
            while phase.work(self.now_ms):
                continue

    def _answer(self, to: NetworkKey, message: WireMessage) -> WireMessage:
        with self.peers[to].chain.snapshot() as snapshot:
            match message:
                case TargetRequest() | HeadersRequest() | BodiesRequest():
                    answer = answer_sync(message, SnapshotReader(snapshot))
                    if (
                        isinstance(answer, HeadersAnswer | BodiesAnswer)
                        and answer.first < self.base
                    ):
                        return BelowBase(answer.first, Height(self.base))
                    return answer
                case (
                    EpochEndRequest() | SnapshotRequest() | SnapshotPartRequest() | RecentRequest()
                ):
                    return answer_state(message, StateReader(snapshot, self._folders[to]))
                case _:
                    raise AssertionError(f"nobody asks {message}")
