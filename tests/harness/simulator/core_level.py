"""Level 1: the shipped protocol core alone, with abstract signatures and an abstract disk."""

from collections.abc import Iterator

from harness.byzantine import TRAITORS
from harness.consensus.recorder import Recorder
from harness.simulator.core_city import CoreCity
from harness.simulator.core_marks import MARKS
from harness.simulator.draw import Menu, draw
from harness.simulator.level import Outcome
from harness.simulator.phases import live
from harness.simulator.plan import Plan
from harness.simulator.shrink import smaller_plans

MENU = Menu(traitors=tuple(sorted(TRAITORS)))


class CoreHistory:
    """One plan, lived by cores."""

    def __init__(self, plan: Plan, *, trace: bool) -> None:
        self._plan = plan
        self._city = CoreCity(plan)
        self.lines: list[str] = []
        if trace:
            self.lines = Recorder(self._city).lines
            self._city.tell = lambda line: self.lines.append(f"{self._city.now_ms:10.1f} {line}")

    def run(self) -> Outcome:
        return live(self._plan, self._city)


class CoreLevel:
    """The door of level 1."""

    name = "L1"
    share = 0.4
    enough = 1_500
    marks = MARKS

    def plan(self, seed: int) -> Plan:
        return draw(seed, MENU)

    def history(self, plan: Plan, *, trace: bool = False) -> CoreHistory:
        return CoreHistory(plan, trace=trace)

    def smaller(self, plan: Plan) -> Iterator[Plan]:
        return smaller_plans(plan)
