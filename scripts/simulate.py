"""Runs the protocol core through random histories; a seed reproduces one of them exactly.

Not here: real signatures, storage or sockets. `scripts/simulate` runs it in the environment of
the checkout, whose import root holds the harness of the tests as well.
"""

import argparse
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

from harness.byzantine import TRAITORS
from harness.consensus.invariants import Violation
from harness.consensus.recorder import Recorder
from harness.consensus.swarm import Swarm

ROOT = Path(__file__).resolve().parent.parent


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, help="live this one history")
    parser.add_argument("--minutes", type=float, default=1.0, help="how long to try new seeds")
    parser.add_argument("--first", type=int, default=0, help="the first seed to try")
    parser.add_argument("--restarts", action="store_true", help="only restarts of all nodes (X9)")
    parser.add_argument("--changes", action="store_true", help="members change (X8), no traitors")
    parser.add_argument("--show", action="store_true", help="print every input and effect")
    parser.add_argument("--digest", action="store_true", help="print the digest of the history")
    return parser.parse_args()


def commit() -> str:
    answer = subprocess.run(
        ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"],
        capture_output=True,
        check=False,
        text=True,
    )
    return answer.stdout.strip() or "unknown"


def history(seed: int, options: argparse.Namespace) -> Swarm:
    """Return a history that has not been lived yet."""
    traitors = {} if options.changes else TRAITORS
    return Swarm(seed, traitors, restarts=options.restarts, changes=options.changes)


def one(options: argparse.Namespace) -> int:
    swarm = history(options.seed, options)
    recorder = Recorder(swarm.world)
    failure = ""
    try:
        swarm.run()
    except Violation as violation:
        failure = str(violation)
    if options.show:
        print("\n".join(recorder.lines))
    if options.digest:
        print(sha256("\n".join(recorder.lines).encode()).hexdigest())
        return 0
    print(f"faults: {swarm.faults}")
    print(f"violation: {failure}" if failure else "every invariant held")
    return 1 if failure else 0


def many(options: argparse.Namespace) -> int:
    name, end = commit(), time.monotonic() + 60 * options.minutes
    seed, views, failed = options.first, 0, 0
    while time.monotonic() < end:
        try:
            views += history(seed, options).run().views
        except Violation as violation:
            failed += 1
            print(f"{name}:{seed} {violation}", flush=True)
        seed += 1
    print(f"{seed - options.first} histories, {views} views, {failed} violations")
    return 1 if failed else 0


if __name__ == "__main__":
    chosen = arguments()
    sys.exit(one(chosen) if chosen.seed is not None else many(chosen))
