"""Lives new seeds of several levels for a time, and sums up what was reached.

Each level gets its share of the time. One history of a hundred is lived again in another process
whose hashes are salted otherwise, and must be the same to the byte.
"""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from harness.simulator.level import History, Level, Outcome, Violation, digest_of

TWICE_EVERY = 100
TWICE_AT_ONCE = 10
OTHER_HASH_SEED = "4711"


class Tally(msgspec.Struct):
    """What one level has lived through in this run."""

    level: Level[Any]
    histories: int = 0
    views: int = 0
    transactions: int = 0
    simulated_ms: float = 0.0
    wall_seconds: float = 0.0
    processor_seconds: float = 0.0
    marks: Counter[str] = msgspec.field(default_factory=Counter)
    twice: int = 0

    def add(self, outcome: Outcome) -> None:
        self.views += outcome.views
        self.transactions += outcome.transactions
        self.simulated_ms += outcome.simulated_ms
        self.marks.update(outcome.marks)

    @property
    def unreached(self) -> list[str]:
        """Return the marks that a run of this length should have reached."""
        if self.histories < self.level.enough:
            return []
        return [mark for mark in self.level.marks if not self.marks[mark]]


def _time_had(tally: Tally) -> float:
    """Return how much of its share of the time a level has had."""
    return tally.wall_seconds / tally.level.share


class Search:
    """One run of `scripts/simulate --minutes`."""

    def __init__(
        self, levels: Sequence[Level[Any]], first: int, program: Path, report: Callable[[str], None]
    ) -> None:
        self.tallies = [Tally(level) for level in levels]
        self.failures = 0
        self._first = first
        self._program = program
        self._report = report
        self._digests: dict[str, str] = {}

    def run(self, seconds: float) -> None:
        """Live seeds until the time is over."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._live_next(min(self.tallies, key=_time_had))
        self._compare()

    def _live_next(self, tally: Tally) -> None:
        began, spent = time.monotonic(), time.process_time()
        level, seed = tally.level, self._first + tally.histories
        name = f"{level.name}:{seed}"
        twice = tally.histories % TWICE_EVERY == 0
        history = level.history(level.plan(seed), trace=twice)
        try:
            tally.add(history.run())
        except Violation as violation:
            self.failures += 1
            self._report(f"{name} {violation}")
        if twice:
            tally.twice += 1
            self._live_again(name, history)
        tally.histories += 1
        tally.wall_seconds += time.monotonic() - began
        tally.processor_seconds += time.process_time() - spent

    def _live_again(self, name: str, history: History) -> None:
        self._digests[name] = digest_of(history)
        if len(self._digests) >= TWICE_AT_ONCE:
            self._compare()

    def _compare(self) -> None:
        """Live what is noted once more, elsewhere."""
        if not self._digests:
            return
        said = subprocess.run(
            [sys.executable, str(self._program), "--digests", *self._digests],
            env={**os.environ, "PYTHONHASHSEED": OTHER_HASH_SEED},
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        ).stdout
        again = dict(line.split() for line in said.splitlines())
        for name, digest in self._digests.items():
            if again.get(name) != digest:
                self.failures += 1
                self._report(f"{name} is another history in another process")
        self._digests = {}
