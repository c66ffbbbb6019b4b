"""The state of the current view: when and by what it was entered, and what has happened in it.

Not here: the rules that change it (`views`, `timeouts`, `leading`).
"""

from moyai.primitives.certificate import Certificate
from moyai.primitives.ids import Digest, TimeMs, View


class Building:
    """A block asked from the shell, not built yet."""

    __slots__ = ("parent", "time_ms")

    def __init__(self, parent: Digest, time_ms: TimeMs) -> None:
        self.parent = parent
        self.time_ms = time_ms


class Round:
    """One view of this node."""

    __slots__ = (
        "building",
        "clock_asked",
        "entered_by",
        "entered_ms",
        "expired",
        "invalid_reason",
        "nothing_at",
        "proposed",
        "skipped_leader",
        "timers_started_ms",
        "view",
    )

    def __init__(self, view: View, entered_ms: int, entered_by: Certificate | None) -> None:
        self.view = view
        self.entered_ms = entered_ms
        self.entered_by = entered_by
        self.timers_started_ms: int | None = None
        self.expired = False  # a timer has fired: nullify as soon as a vote is allowed
        self.skipped_leader = False  # it expired at once, the leader being inactive
        self.invalid_reason = ""  # why the leader's proposal gets no vote
        self.clock_asked = False  # the proposal's time is compared with the clock once
        self.proposed = False
        self.building: Building | None = None
        self.nothing_at: tuple[Digest, int] | None = None  # (parent, work) that gave an empty build
