"""Levels 3 and 4: whole shipped nodes on virtual time, with abstract or with real signatures.

Not here: what a history of them is (`city`).
"""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import gettempdir

import msgspec

from harness.core_city import MEMORY
from harness.simulator.level import Outcome
from harness.simulator.plan import Weather
from harness.whole_city import chaos, city, customers, watching
from harness.whole_city.city import WholeCity, fresh_folder
from harness.whole_city.draw import draw
from harness.whole_city.fast_signatures import fast_signatures
from harness.whole_city.hosted_node import MIDDLE_MARK
from harness.whole_city.plan import CityPlan, KillPoint

MARKS = (
    *(point.mark for point in KillPoint),
    MIDDLE_MARK,
    chaos.BROKEN_MARK,
    chaos.CUT_MARK,
    chaos.FULL_MARK,
    chaos.PAUSED_MARK,
    chaos.RESTORED_MARK,
    chaos.STOPPED_MARK,
    chaos.WIPED_MARK,
    city.BOTH_DIALLED_MARK,
    city.WHOLE_MARK,
    customers.DURING_CATCH_UP_MARK,
    customers.RESUMED_MARK,
    customers.SENT_AGAIN_MARK,
    watching.CATCH_UP_MARK,
    watching.REPLACED_MARK,
    watching.STATE_MARK,
)


class WholeHistory:
    """One plan, lived by whole nodes."""

    def __init__(self, plan: CityPlan, *, is_real: bool, trace: bool) -> None:
        self.lines: list[str] = []
        self._plan = plan
        self._is_real = is_real
        self._trace = trace

    def run(self) -> Outcome:
        parent = Path(gettempdir()) if self._is_real else MEMORY
        with ExitStack() as stack:
            if not self._is_real:
                stack.enter_context(fast_signatures())
            folder = stack.enter_context(fresh_folder(parent))
            lived = WholeCity(self._plan, folder, trace=self._trace)
            self.lines = lived.lines
            return lived.run()


class WholeLevel:
    """The door of level 3, or of level 4 when signatures and disk are real."""

    def __init__(self, name: str, share: float, enough: int, *, is_real: bool) -> None:
        self.name = name
        self.share = share
        self.enough = enough
        self.marks = MARKS
        self._is_real = is_real

    def plan(self, seed: int) -> CityPlan:
        return draw(seed)

    def history(self, plan: CityPlan, *, trace: bool = False) -> WholeHistory:
        return WholeHistory(plan, is_real=self._is_real, trace=trace)

    def smaller(self, plan: CityPlan) -> Iterator[CityPlan]:
        events = plan.events
        size = len(events)
        while size:
            for first in range(0, len(events), size):
                left = events[:first] + events[first + size :]
                yield msgspec.structs.replace(plan, events=left)
            size //= 2
        for simpler in (
            {"weather": Weather()},
            {"rates": (1.0,)},
            {"writers": 1},
            {"snapshot_blocks": 0},
        ):
            changed = msgspec.structs.replace(plan, **simpler)
            if changed != plan:
                yield changed
        last_ms = max((event.at_ms for event in events), default=0) + 500
        if last_ms < plan.chaos_ms:
            yield msgspec.structs.replace(plan, chaos_ms=last_ms)


ABSTRACT = WholeLevel("L3", share=0.15, enough=200, is_real=False)
REAL = WholeLevel("L4", share=0.1, enough=200, is_real=True)
