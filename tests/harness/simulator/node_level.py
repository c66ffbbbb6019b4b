"""Level 2: the shipped core of a node with its stores, ledger and codec; fast signatures."""

from collections.abc import Iterator

from harness.byzantine import TRAITORS
from harness.core_city import fast_folder
from harness.simulator.draw import Menu, draw
from harness.simulator.level import Outcome
from harness.simulator.node_city import NodeCity
from harness.simulator.phases import live
from harness.simulator.plan import Plan
from harness.simulator.shrink import smaller_plans
from harness.simulator.signatures import fast_signatures

MENU = Menu(
    traitors=tuple(sorted(TRAITORS)),
    observers=0,
    joining=0,
    sizes=(4,),
    size_of_changes=5,
    has_disks=True,
    crash_steps=30,
)
MARKS = (
    "a view with both certificates",
    "resumed in mid view",
    "a block came back from the journal",
    "nullified what it had notarized",
    "a body was asked for",
    "caught up",
    "evidence",
    "an epoch ended",
    "abstained",
    "abstained and came back",
    "the ledger did it",
    "the ledger refused",
    "a commit was torn",
    "a full disk stopped a node",
    "a process got no time",
    "the leader was cut off",
    "a disk was lost",
    "a backup was restored",
    "all were dead at once",
    "a quorum went on alone",
    "nothing went wrong",
)


class NodeHistory:
    """One plan, lived by nodes in a folder of their own."""

    def __init__(self, plan: Plan, *, trace: bool) -> None:
        self._plan = plan
        self._trace = trace
        self.lines: list[str] = []

    def run(self) -> Outcome:
        with fast_folder() as folder, fast_signatures():
            city = NodeCity(self._plan, folder)
            city.lines = self.lines if self._trace else None
            try:
                return live(self._plan, city)
            finally:
                city.close()


class NodeLevel:
    """The door of level 2."""

    name = "L2"
    share = 0.6
    enough = 600
    marks = MARKS

    def plan(self, seed: int) -> Plan:
        return draw(seed, MENU)

    def history(self, plan: Plan, *, trace: bool = False) -> NodeHistory:
        return NodeHistory(plan, trace=trace)

    def smaller(self, plan: Plan) -> Iterator[Plan]:
        return smaller_plans(plan)
