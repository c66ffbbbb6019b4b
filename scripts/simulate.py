"""Lives random histories of simulated cities; a seed reproduces one of them exactly.

Not here: what a history is. `scripts/simulate` runs it in the environment of the checkout, whose
import root holds the harness of the tests as well.
"""

import argparse
import subprocess
import sys
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

from harness.simulator.level import Level, Violation, digest_of
from harness.simulator.levels import LEVELS
from harness.simulator.plan import Plan, Submit
from harness.simulator.search import Search, Tally
from harness.simulator.shrink import shrink
from harness.simulator.spelling import regression_test, spelled

ROOT = Path(__file__).resolve().parent.parent
SHRINK_SECONDS_MAX = 300.0
SPEED_MS = 60_000
SPEED_GAPS_MS = (2_000, 1_000, 500)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", help="live this one history: commit:L1:7, L1:7, or 7")
    parser.add_argument("--minutes", type=float, default=1.0, help="how long to try new seeds")
    parser.add_argument("--first", type=int, default=0, help="the first seed to try")
    parser.add_argument(
        "--level", action="append", choices=[name.lstrip("L") for name in LEVELS], help="only these"
    )
    parser.add_argument("--show", action="store_true", help="print every input and effect")
    parser.add_argument("--shrink", action="store_true", help="look for less that fails as well")
    parser.add_argument("--speed", action="store_true", help="time level 2 under a steady load")
    parser.add_argument("--digests", nargs="+", metavar="SEED", help="print digests of histories")
    return parser.parse_args()


def commit() -> str:
    answer = subprocess.run(
        ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"],
        capture_output=True,
        check=False,
        text=True,
    )
    return answer.stdout.strip() or "unknown"


def named(seed: str, chosen: list[str]) -> tuple[Level[Any], int]:
    """Return level and number of `commit:level:seed`; commit and level may be left out."""
    *before, number = seed.split(":")
    level = before[-1] if before else chosen[0]
    if level not in LEVELS:
        raise SystemExit(f"{seed}: there is no level {level}; there are {', '.join(LEVELS)}")
    return LEVELS[level], int(number)


def one(seed: str, options: argparse.Namespace, chosen: list[str]) -> int:
    level, number = named(seed, chosen)
    plan = level.plan(number)
    failure = _lived(level, plan, show=options.show and not options.shrink)
    if failure is None:
        print("every invariant held")
        return 0
    if options.shrink:
        plan = shrink(level, plan, failure.kind, seconds_max=SHRINK_SECONDS_MAX)
        _lived(level, plan, show=options.show)
        print("\n" + regression_test(level.name, plan, failure.kind))
    return 1


def _lived(level: Level[Any], plan: object, *, show: bool) -> Violation | None:
    history = level.history(plan, trace=show)
    failure = None
    try:
        history.run()
    except Violation as violation:
        failure = violation
    print("\n".join(history.lines), end="\n" if history.lines else "")
    print(f"plan: {spelled(plan)}")
    if failure is not None:
        if failure.__cause__ is not None:
            traceback.print_exception(failure.__cause__)
        print(f"violation: {failure}")
    return failure


def digests(seeds: list[str], chosen: list[str]) -> int:
    for seed in seeds:
        level, number = named(seed, chosen)
        history = level.history(level.plan(number), trace=True)
        with suppress(Violation):  # whoever asks has seen it; what came before is compared
            history.run()
        print(seed, digest_of(history))
    return 0


def speed() -> int:
    """Time four nodes of level 2 without faults at four transactions a second, in bursts."""
    level = LEVELS["L2"]
    level.history(Plan(seed=0)).run()
    for gap_ms in SPEED_GAPS_MS:
        moments_ms = range(100, SPEED_MS, gap_ms)
        events = tuple(Submit(at, at // gap_ms % 4, gap_ms // 250) for at in moments_ms)
        began = time.process_time()
        outcome = level.history(Plan(seed=1, chaos_ms=SPEED_MS, events=events)).run()
        seconds = outcome.simulated_ms / 1_000
        times = seconds / (time.process_time() - began)
        print(
            f"{gap_ms // 250} transactions every {gap_ms} ms: "
            f"{outcome.views / seconds:.1f} views a simulated second, {times:.0f} times real time"
        )
    return 0


def many(options: argparse.Namespace, chosen: list[str]) -> int:
    name, began = commit(), time.monotonic()
    search = Search(
        [LEVELS[each] for each in chosen],
        options.first,
        Path(__file__),
        lambda line: print(f"{name}:{line}", flush=True),
    )
    search.run(60 * options.minutes)
    unreached = 0
    for tally in search.tallies:
        _print_marks(tally)
        unreached += len(tally.unreached)
    print(
        f"\n{'level':<6}{'histories':>10}{'views':>9}{'seconds':>9}{'a second of them':>24}  times"
    )
    for tally in search.tallies:
        _print_speed(tally)
    histories = sum(tally.histories for tally in search.tallies)
    views = sum(tally.views for tally in search.tallies)
    print(
        f"{histories} histories, {views} views in {time.monotonic() - began:.0f} s: "
        f"{search.failures} violations, {unreached} marks not reached"
    )
    return 1 if search.failures or unreached else 0


def _print_speed(tally: Tally) -> None:
    """Print simulated seconds, the load in each, and how many of them a second of processor is."""
    seconds = tally.simulated_ms / 1_000
    load = (
        f"{tally.views / max(seconds, 1):.1f} views, {tally.transactions / max(seconds, 1):.1f} tx"
    )
    times = seconds / max(tally.processor_seconds, 0.001)
    print(
        f"{tally.level.name:<6}{tally.histories:>10}{tally.views:>9}{seconds:>9.0f}"
        f"{load:>24}{times:>7.0f}"
    )


def _print_marks(tally: Tally) -> None:
    print(f"\n{tally.level.name}: reached in so many of {tally.histories} histories")
    for mark in tally.level.marks:
        missing = "  <- never" if mark in tally.unreached else ""
        print(f"  {tally.marks[mark]:>7}  {mark}{missing}")
    print(f"  {tally.twice:>7}  lived twice, in two processes")


def main(options: argparse.Namespace) -> int:
    chosen = [f"L{number}" for number in options.level or ()] or list(LEVELS)
    if options.speed:
        return speed()
    if options.digests:
        return digests(options.digests, chosen)
    if options.seed is not None:
        return one(options.seed, options, chosen)
    return many(options, chosen)


if __name__ == "__main__":
    sys.exit(main(arguments()))
