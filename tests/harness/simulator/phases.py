"""The two phases of every history: anything may fail, then a core quorum heals and must go on.

Not here: what must hold at every step (the invariants of each level).
"""

from collections.abc import Callable
from typing import Protocol

from harness.simulator.chaos import Chaos, Stage
from harness.simulator.level import Outcome, Violation
from harness.simulator.plan import Plan

RECOVERY_MS = 30_000
QUIET_MS = 15_000
LAST_WORK = 3


class City(Stage, Protocol):
    """What a level brings so that a plan can be lived in it."""

    @property
    def now_ms(self) -> float: ...

    @property
    def marks(self) -> dict[str, None]: ...

    def begin(self) -> None:
        """Start every node."""

    def pass_time(self, duration_ms: float, until: Callable[[], bool] | None = None) -> bool:
        """Let time pass; return whether `until` came true."""

    def work(self, count: int, left_out: tuple[int, ...]) -> Callable[[], bool]:
        """Give work to everybody; return what says whether all but these have it final."""

    def tips_are_equal(self) -> bool: ...

    def heights(self) -> list[int]: ...

    def nullified_views(self) -> int: ...

    def views(self) -> int: ...

    def transactions(self) -> int: ...

    def judge_end(self) -> None:
        """Check what can be checked once, after everything. Raises `Violation`."""


def live(plan: Plan, city: City) -> Outcome:
    """Live a plan in a city of its size.

    Raises `Violation`, also for whatever else a node raises: a node never does.
    """
    try:
        return _live(plan, city)
    except Violation:
        raise
    except Exception as error:  # a bug of the node, whatever it raises, is what is looked for
        raise Violation(f"a node raised {type(error).__name__}: {error}") from error


def _live(plan: Plan, city: City) -> Outcome:
    chaos = Chaos(city, plan.seed)
    for event in plan.events:
        chaos.schedule(event)
    city.begin()
    city.pass_time(plan.chaos_ms)
    city.tell("== everything heals")
    chaos.heal(plan.left_out)
    recovery_ms = _goes_on(city, plan.left_out)
    if plan.left_out:
        city.mark("a quorum went on alone")
        chaos.heal()
        _goes_on(city, ())
    if not city.pass_time(QUIET_MS, city.tips_are_equal):
        raise Violation(f"tips differ on a quiet chain: {city.heights()}")
    if plan.is_fault_free:
        city.mark("nothing went wrong")
        if city.nullified_views():
            raise Violation("a view was nullified although nothing went wrong")
    city.judge_end()
    return Outcome(
        views=city.views(),
        simulated_ms=city.now_ms,
        marks=tuple(city.marks),
        transactions=city.transactions(),
        restarts=chaos.restarts,
        recovery_ms=recovery_ms,
    )


def _goes_on(city: City, left_out: tuple[int, ...]) -> float:
    """See new work become final within the bound; return how long it took."""
    began_ms = city.now_ms
    if not city.pass_time(RECOVERY_MS, city.work(LAST_WORK, left_out)):
        raise Violation(f"no new final block after healing: heights {city.heights()}")
    return city.now_ms - began_ms
