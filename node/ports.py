"""What the core of a node needs from the outside world; the daemon and the simulator supply it.

Synchronous on purpose: a turn of the core never waits.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

from moyai.consensus.inputs import Now, Timer
from moyai.consensus.records import JournalRecord, Recovered
from moyai.p2p.messages import WireMessage
from moyai.primitives.ids import Digest, Epoch, NetworkKey, View
from moyai.primitives.state_snapshot import SnapshotDescription, SnapshotLeaf


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> Now: ...


class Timers(Protocol):
    """Named one-shot timers whose firing becomes an input."""

    def set(self, timer: Timer, delay_ms: int) -> None: ...

    def clear(self, timer: Timer) -> None: ...


class Transport(Protocol):
    """Sends to linked peers, in order or not at all; `report` counts a fault and ends the link."""

    def send(self, to: NetworkKey, message: WireMessage) -> bool: ...

    def broadcast(self, message: WireMessage, *, validators_only: bool = False) -> int: ...

    def report(self, peer: NetworkKey, reason: str) -> None: ...

    def connected(self) -> tuple[NetworkKey, ...]: ...


class JournalPort(Protocol):
    """Durable memory of consensus; `commit` returns once the records are on disk, or raises."""

    def commit(
        self, records: Sequence[JournalRecord], bodies: Mapping[Digest, tuple[bytes, ...]]
    ) -> None: ...

    def load(self) -> Recovered: ...

    def prune(self, floor_view: View, epoch: Epoch, keep: Collection[Digest]) -> None: ...


class KeptSnapshot(Protocol):
    """A state snapshot on this node's disk."""

    @property
    def description(self) -> SnapshotDescription: ...

    def part(self, index: int) -> Sequence[SnapshotLeaf]: ...


class KeptSnapshots(Protocol):
    """The state snapshots on this node's disk, newest first."""

    def all(self) -> Sequence[KeptSnapshot]: ...


class StateImport(Protocol):
    """A state on its way onto this node's disk, part by part; what was added survives a crash."""

    def missing(self) -> Iterable[int]: ...

    def add_part(self, index: int, leaves: Sequence[SnapshotLeaf]) -> None: ...

    def close(self) -> None: ...


class Observer(Protocol):
    """Where counts and news for operators go."""

    def count(self, counter: str, reason: str) -> None: ...

    def note(self, event: str, **details: object) -> None: ...
