"""What happens to a simulated city, as data: the network, who lies, and a list of events in time.

A plan says all of a history but the draws of the network, which come from its seed. Nodes are
numbers: validators first, then those who may join, then observers. Not here: drawing one (`draw`),
making it happen (`chaos`).
"""

from enum import StrEnum

import msgspec

Link = tuple[int, int]
"""From whom, to whom."""


class Shape(StrEnum):
    """How the delays of a link are spread."""

    UNIFORM = "uniform"
    LOGNORMAL = "lognormal"
    HEAVY_TAIL = "heavy tail"


class Weather(msgspec.Struct, frozen=True):
    """How messages travel all the time; a share of 0 is none."""

    shape: Shape = Shape.UNIFORM
    delay_ms: float = 5.0
    spread_ms: float = 2.0
    loss: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0  # share of messages that overtake or are overtaken
    slow: float = 0.0  # share of messages that take up to `slow_ms` more
    slow_ms: float = 300.0
    bytes_per_ms: float = 0.0  # of each link; 0 is without a limit


class Submit(msgspec.Struct, frozen=True, tag=True):
    """A client gives transactions to a node; the ledger refuses some of what it orders."""

    at_ms: int
    node: int
    count: int


class Crash(msgspec.Struct, frozen=True, tag=True):
    """A node dies at the effect or storage call that many from now, and is started again.

    Of what was written and not synced it keeps this share, each write by itself.
    """

    at_ms: int
    node: int
    after: int
    down_ms: int
    kept: float = 0.0


class Pause(msgspec.Struct, frozen=True, tag=True):
    """A process gets no time; what arrives meanwhile waits."""

    at_ms: int
    node: int
    for_ms: int


class Clock(msgspec.Struct, frozen=True, tag=True):
    """The clock of a node jumps, and goes wrong by so many parts of a thousand from then on."""

    at_ms: int
    node: int
    jump_ms: int
    drift: int


class Cut(msgspec.Struct, frozen=True, tag=True):
    """Links lose everything; a pair cut both ways knows that it is cut."""

    at_ms: int
    links: tuple[Link, ...]
    for_ms: int


class Isolate(msgspec.Struct, frozen=True, tag=True):
    """Whoever leads at that moment is cut off."""

    at_ms: int
    for_ms: int


class Freeze(msgspec.Struct, frozen=True, tag=True):
    """A link holds back what is sent, and lets go of all of it at once."""

    at_ms: int
    link: Link
    for_ms: int


class Clog(msgspec.Struct, frozen=True, tag=True):
    """A link carries a trickle."""

    at_ms: int
    link: Link
    for_ms: int
    bytes_per_ms: float


class Wipe(msgspec.Struct, frozen=True, tag=True):
    """A node loses its disk, but not its key, and is started again."""

    at_ms: int
    node: int
    down_ms: int


class Restore(msgspec.Struct, frozen=True, tag=True):
    """A node is put back to a copy of its disk taken before, as `moyai restore` does it."""

    at_ms: int
    node: int
    copied_ms: int
    down_ms: int


class FillDisk(msgspec.Struct, frozen=True, tag=True):
    """The disk of a node is full for a while: the node stops, then space is made."""

    at_ms: int
    node: int
    for_ms: int


class Change(msgspec.Struct, frozen=True, tag=True):
    """It is decided that these people vote in the next epoch."""

    at_ms: int
    people: tuple[int, ...]


Event = (
    Submit
    | Crash
    | Pause
    | Clock
    | Cut
    | Isolate
    | Freeze
    | Clog
    | Wipe
    | Restore
    | FillDisk
    | Change
)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One history, before it is lived."""

    seed: int
    size: int = 4
    joining: int = 0
    observers: int = 0
    delta_ms: int = 250
    weather: Weather = Weather()
    traitor: str = ""
    traitor_node: int = 0
    chaos_ms: int = 8_000
    events: tuple[Event, ...] = ()
    left_out: tuple[int, ...] = ()  # who stays away until the others have gone on
    torn: bool = False  # crashes leave half a commit on a real disk

    @property
    def is_fault_free(self) -> bool:
        """Return whether nothing but work happens, on a good network."""
        return (
            not self.traitor
            and not self.left_out
            and self.weather.spread_ms + self.weather.delay_ms < self.delta_ms / 4
            and msgspec.structs.replace(self.weather, delay_ms=5.0, spread_ms=2.0) == Weather()
            and all(isinstance(event, Submit) for event in self.events)
        )
