"""What the demonstration says at the end: one table, and how to talk to a city that was kept."""

import math
from collections.abc import Sequence
from typing import Any

import msgspec

from moyai.node.cli_output import print_fields, print_table, program, say
from moyai.node.testnet import City


class DemoReport(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one run; times in milliseconds, from sending to a checked proof."""

    transactions: int
    refused: int
    seconds: float
    p50_ms: float
    p99_ms: float
    blocks: int
    heights: dict[str, int]
    state_roots: dict[str, str]
    files: int
    caught_up_seconds: float

    @property
    def is_agreed(self) -> bool:
        """Whether all nodes have the same height and state root."""
        return len(set(self.state_roots.values())) == 1 == len(set(self.heights.values()))


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` of all values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)]


def print_report(report: DemoReport) -> None:
    """Print the table."""
    fields: dict[str, Any] = {
        "transactions final": f"{report.transactions}, {report.refused} of them refused as wanted",
        "rate": f"{report.transactions / report.seconds:.0f} a second over {report.seconds:.1f} s",
        "time to finality, proven": f"p50 {report.p50_ms:.0f} ms, p99 {report.p99_ms:.0f} ms",
        "files registered": str(report.files),
        "blocks": str(report.blocks),
        "restarted node caught up": f"in {report.caught_up_seconds:.1f} s",
    }
    print_fields(fields, title="\nWhat happened")
    rows = [
        (name, str(report.heights[name]), report.state_roots[name][:32] + "…")
        for name in report.heights
    ]
    print_table(("node", "height", "state root"), rows, title="")
    say("state root equal on all nodes" if report.is_agreed else "THE NODES DO NOT AGREE")


def print_how_to_talk(city: City) -> None:
    """Say how to talk to a city that was left running."""
    url, folder = city.nodes[0].url, city.directory
    say(f"\nThe city is running in {folder}. Talk to it:")
    say(f"  {program()} status --city {folder}")
    say(f"  {program()} get token coin --city {folder}")
    say(
        f"  curl -s {url} -H 'Content-Type: application/json' "
        '-d \'{"jsonrpc":"2.0","id":1,"method":"chain_head"}\''
    )
    say(f"Stop it, and leave nothing behind:\n  {program()} demo --stop {folder} && rm -r {folder}")
