"""Runs a city of real processes through faults under load, and says whether its history is clean.

A seed draws the faults, their order and their victims; when something happens, the machine decides.
Not here: the faults and the judge (`tests/harness/chaos`).
"""

import argparse
import asyncio
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from harness.chaos.nemeses.all import NEMESES
from harness.chaos.run import Plan, live, names


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=1.0, help="how long, the end included")
    parser.add_argument("--seed", type=int, help="the one a former run printed")
    parser.add_argument("--nodes", type=int, choices=(4, 7), default=4)
    parser.add_argument(
        "--only", action="append", choices=names(), help="these faults alone", metavar="FAULT"
    )
    parser.add_argument("--rate", type=float, help="transactions a second; else 60 %% of the most")
    parser.add_argument("--json", action="store_true", help="print the report as one line of JSON")
    return parser.parse_args()


def main(options: argparse.Namespace) -> int:
    seed = random.SystemRandom().randrange(2**32) if options.seed is None else options.seed
    folder = Path(tempfile.mkdtemp(prefix="moyai-chaos-"))
    chosen = [make for make in NEMESES if options.only is None or make().name in options.only]
    plan = Plan(
        folder=folder,
        seconds=60 * options.minutes,
        seed=seed,
        nodes=options.nodes,
        nemeses=tuple(chosen),
        rate_tps=options.rate,
    )
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {text}", file=sys.stderr, flush=True)

    say(f"seed {seed}, {options.nodes} nodes in {folder}")
    # Asked to end, also from the background, the run stops its nodes and takes its disk away.
    for kind in (signal.SIGINT, signal.SIGTERM):
        signal.signal(kind, signal.default_int_handler)
    try:
        report = asyncio.run(live(plan, say))
    except KeyboardInterrupt:
        print(f"interrupted; what there is lies in {folder}", file=sys.stderr)
        return 130
    print(msgspec.json.encode(report).decode() if options.json else "\n".join(report.lines()))
    if report.violations:
        print(f"everything is kept in {folder}", file=sys.stderr)
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(parsed()))
