"""What happens to a city of whole nodes, as data; a plan and its seed are the whole history.

Nodes are numbers from 0, customers go on behind them. Not here: drawing a plan (`draw`), making it
happen (`chaos`).
"""

from enum import StrEnum

import msgspec

from harness.simulator.plan import (
    Clock,
    Clog,
    Cut,
    FillDisk,
    Freeze,
    Link,
    Pause,
    Restore,
    Weather,
    Wipe,
)


class KillPoint(StrEnum):
    """What a process is about to do, or has just done, when it is killed."""

    CALLBACK = "between two callbacks"
    BEFORE_COMMIT = "before a commit of the journal"
    AFTER_COMMIT = "after a commit of the journal"
    BEFORE_WRITE = "before a write of the chain"
    AFTER_WRITE = "after a write of the chain"

    @property
    def mark(self) -> str:
        """Return what is marked when a process died there."""
        return f"killed {self.value}"


class Kill(msgspec.Struct, frozen=True, tag=True):
    """A process is killed at the point that many from now, and started again.

    When it is silent, its machine goes too: no system tells the others that connections ended.
    """

    at_ms: int
    node: int
    point: KillPoint
    after: int
    down_ms: int
    is_silent: bool = False


class Stop(msgspec.Struct, frozen=True, tag=True):
    """An operator stops a node by SIGTERM, and starts it again."""

    at_ms: int
    node: int
    down_ms: int


class Break(msgspec.Struct, frozen=True, tag=True):
    """All connections between two hosts are reset."""

    at_ms: int
    link: Link


Event = Kill | Stop | Break | Pause | Clock | Cut | Freeze | Clog | Wipe | Restore | FillDisk


class CityPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One history of whole nodes, before it is lived.

    With `snapshot_blocks` each node makes a snapshot after so many blocks; a wiped one takes it.
    """

    seed: int
    size: int = 4
    writers: int = 2
    gap_ms: int = 400
    weather: Weather = Weather()
    chaos_ms: int = 8_000
    events: tuple[Event, ...] = ()
    turns_us: tuple[int, ...] = (100,)
    threads_us: tuple[int, ...] = (2_000,)
    rates: tuple[float, ...] = (1.0,)
    snapshot_blocks: int = 0

    @property
    def is_fault_free(self) -> bool:
        """Return whether nothing but work happens, on a good network and good machines."""
        return not self.events and self.weather == Weather() and set(self.rates) == {1.0}
