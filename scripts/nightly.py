"""Shares out a number of minutes among everything that runs for long, and sums up in a table.

Each day has seeds of its own, and begins lists at another place; `--first` repeats those of
another. Not here: the quick suite.
"""

import argparse
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parent.parent
SEEDS_A_DAY = 1_000_000
GRACE_SECONDS = 300.0  # for the last history or bug that was begun in time

STOPPING_SECONDS = 30.0


class Stage(msgspec.Struct, frozen=True):
    """A program, and its share of the time; `start` is the option that is told where to begin."""

    name: str
    share: float
    command: tuple[str, ...]
    start: str = "--first"


class Result(msgspec.Struct, frozen=True):
    """How a stage ended, and the last line it said."""

    name: str
    verdict: str
    seconds: float
    said: str


STAGES = (
    Stage("histories of many faults", 0.25, ("simulate.py",)),
    Stage("real processes in trouble", 0.15, ("chaos.py", "--rate", "100"), start="--seed"),
    Stage("twins, cases of four views", 0.1, ("twins.py", "--all", "4"), start="--begin"),
    Stage("twins, drawn", 0.15, ("twins.py",)),
    Stage("planted bugs", 0.2, ("mutate.py",), start="--begin"),
    Stage("tests marked nightly", 0.15, ("nightly_tests.py",), start="--begin"),
)


def run(stage: Stage, minutes: float, first: int) -> Result:
    """Run one stage; what it said is passed on when it ends."""
    given = minutes * stage.share
    script, *arguments = stage.command
    command = [sys.executable, "-u", str(ROOT / "scripts" / script), *arguments]
    command += ["--minutes", f"{given:.3f}", stage.start, str(first)]
    print(f"\n==> {stage.name}: {' '.join(command[2:])}", flush=True)
    began = time.monotonic()
    lines: list[str] = []
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            output, _ = process.communicate(timeout=60 * given + GRACE_SECONDS)
            verdict = "FAILED" if process.returncode else "ok"
        except subprocess.TimeoutExpired:
            output, verdict = stopped(process), "LATE"
        lines = output.splitlines()
    print("\n".join(lines), flush=True)
    return Result(stage.name, verdict, time.monotonic() - began, lines[-1] if lines else "")


def stopped(process: subprocess.Popen[str]) -> str:
    """Ask a stage to end what it started, as Ctrl-C does, and return what it has said."""
    process.send_signal(signal.SIGINT)
    try:
        output, _ = process.communicate(timeout=STOPPING_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
    return output


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("minutes", type=float, help="for all of it together")
    parser.add_argument("--first", type=int, help="the first seed, as a former run printed it")
    return parser.parse_args()


def main(options: argparse.Namespace) -> int:
    today = int(datetime.now(UTC).timestamp()) // 86_400
    first = today * SEEDS_A_DAY if options.first is None else options.first
    results = [run(stage, options.minutes, first) for stage in STAGES]
    print(f"\nnightly: seeds from {first}")
    for each in results:
        print(f"{each.verdict:<8} {each.seconds:6.0f} s  {each.name:<26} {each.said}")
    return 0 if all(each.verdict == "ok" for each in results) else 1


if __name__ == "__main__":
    sys.exit(main(parsed()))
