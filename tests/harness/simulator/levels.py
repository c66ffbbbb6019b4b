"""The levels there are, by name."""

from typing import Any

from harness.simulator.core_level import CoreLevel
from harness.simulator.level import Level
from harness.simulator.node_level import NodeLevel
from harness.whole_city.levels import ABSTRACT, REAL

LEVELS: dict[str, Level[Any]] = {
    level.name: level for level in (CoreLevel(), NodeLevel(), ABSTRACT, REAL)
}
