"""What every level of the simulator looks like from its front door, `scripts/simulate`.

A level draws a plan from a seed and lives it: one history. Not here: what a history consists of.
"""

import re
from collections.abc import Iterator
from hashlib import sha256
from typing import Protocol, TypeVar

import msgspec


class Violation(AssertionError):
    """An invariant does not hold."""

    @property
    def kind(self) -> str:
        """Return which invariant it is, without the numbers and names of this one history."""
        return re.sub(r"\d+", "#", str(self).split(":", 1)[0])


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a history in which everything held."""

    views: int
    simulated_ms: float
    marks: tuple[str, ...]
    transactions: int = 0
    restarts: int = 0
    recovery_ms: float = 0.0


class History(Protocol):
    """One history, not lived yet."""

    @property
    def lines(self) -> list[str]:
        """Return one line for each event so far, for a person to follow; none unless traced."""
        ...

    def run(self) -> Outcome:
        """Live it to its end. Raises `Violation`."""
        ...


Plan = TypeVar("Plan")


class Level(Protocol[Plan]):
    """A way to simulate: the shipped core alone, or more of the node.

    `share` is its part of the time when all levels run. A run of at least `enough` histories must
    have reached every mark of `marks`.
    """

    name: str
    share: float
    enough: int
    marks: tuple[str, ...]

    def plan(self, seed: int) -> Plan:
        """Draw the history of a seed; a frozen value whose `repr` makes it again."""
        ...

    def history(self, plan: Plan, *, trace: bool = False) -> History:
        """Return the history of a plan, not lived yet."""
        ...

    def smaller(self, plan: Plan) -> Iterator[Plan]:
        """Yield plans with something left out, the boldest first."""
        ...


def digest_of(history: History) -> str:
    """Return the digest of everything that happened in a traced history."""
    return sha256("\n".join(history.lines).encode()).hexdigest()
