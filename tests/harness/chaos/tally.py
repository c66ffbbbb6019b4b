"""What a run measured, as a table and as JSON."""

import math
from collections.abc import Sequence

import msgspec


class Recovery(msgspec.Struct, frozen=True):
    """After one heal, in seconds: the first new final block, each started node leading."""

    finalization: float
    leading: tuple[float, ...] = ()


class Tally(msgspec.Struct):
    """One kind of harm: how often, and how the city came back."""

    name: str
    possible: bool = True
    recoveries: list[Recovery] = []

    def row(self) -> str:
        """Return its line of the table."""
        if not self.possible:
            return f"| {self.name} | not possible on this machine | | | | |"
        final = [one.finalization for one in self.recoveries]
        leading = [each for one in self.recoveries for each in one.leading]
        return (
            f"| {self.name} | {len(self.recoveries)} | {_shown(final, 0.5)} | {_shown(final, 0.99)}"
            f" | {_shown(leading, 0.5)} | {_shown(leading, 0.99)} |"
        )


class OneDown(msgspec.Struct, frozen=True):
    """The load with all nodes, and with one of them dead."""

    throughput_share: float
    p99_ms_all: float
    p99_ms_one_down: float


class Report(msgspec.Struct):
    """All of one run."""

    seed: int
    nodes: int
    capacity_tps: float
    rate_tps: float
    tallies: list[Tally]
    one_down: OneDown | None = None
    sent: int = 0
    final: int = 0
    expired: int = 0
    blocks: int = 0
    reads: int = 0
    shed: int = 0
    eased: int = 0
    memory_mb_max: float = 0.0
    bit_flips_noticed: int = 0
    bit_flips_unread: int = 0
    violations: list[str] = []

    def lines(self) -> list[str]:
        """Return the table and the verdict."""
        most = f" while the machine took {self.capacity_tps:.0f}" if self.capacity_tps else ""
        lines = [
            "| fault | times | new final block, p50 s | p99 s | started node leads again, p50 s"
            " | p99 s |",
            "|---|---|---|---|---|---|",
            *(tally.row() for tally in self.tallies),
            "",
            f"{self.sent} transactions sent, {self.rate_tps:.0f} a second{most} (halved"
            f" {self.eased} times, {self.shed} due while nobody answered were not sent):"
            f" {self.final} final, {self.expired} accepted and out of time;"
            f" {self.blocks} blocks, {self.reads} reads judged",
            f"memory of a node: {self.memory_mb_max:.0f} MB at most; bit flips: "
            f"{self.bit_flips_noticed} noticed, {self.bit_flips_unread} in bytes never read",
        ]
        if self.one_down is not None:
            one = self.one_down
            lines.append(
                f"one node down: {one.throughput_share:.0%} of the throughput,"
                f" p99 {one.p99_ms_one_down:.0f} ms instead of {one.p99_ms_all:.0f} ms"
            )
        verdict = f"{len(self.violations)} violations" if self.violations else "clean history"
        return [*lines, *self.violations[:20], f"{verdict}; seed {self.seed}"]


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)]


def _shown(values: Sequence[float], share: float) -> str:
    return f"{percentile(values, share):.2f}" if values else ""
