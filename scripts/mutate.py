"""Plants the bugs of tests/mutations/planted.toml, one at a time, and tells which are noticed.

A bug is planted in a temporary copy, never in the checkout. It is caught when a test fails, or one
of a fixed number of histories; a run that is over its time or never starts has proven nothing. What
looks for the bugs of a batch must first pass without a bug, else being caught would mean nothing.
Not here: the tests themselves.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from harness.planted import Planted, load, mutated
from harness.simulator.level import Violation
from harness.simulator.levels import LEVELS

ROOT = Path(__file__).resolve().parent.parent
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", ".hypothesis", ".*_cache", "city", "dist", "build"
)
SCORE_MIN = 0.95
HISTORIES = 60  # a number, not a time: a busy machine looks as hard as an idle one
BATCH = 12
FAILED = 1  # exit status of pytest and of the simulator when what they look at is wrong


class Outcome(msgspec.Struct, frozen=True):
    """What became of one bug: "caught" by whom, "missed", "late" or "broken"."""

    name: str
    verdict: str
    by: str
    seconds: float


@contextmanager
def copy_of(source: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="moyai-mutate-") as folder:
        tree = Path(folder) / "tree"
        shutil.copytree(source, tree, symlinks=True, ignore=LEFT_OUT)
        yield tree


def commands(bugs: Sequence[Planted]) -> list[tuple[str, list[str]]]:
    """Return what looks for these bugs, by name, in the order of trying."""
    tests = list(dict.fromkeys(test for bug in bugs for test in bug.tests))
    pytest = ["-m", "pytest", "-q", "-x", "-m", "not nightly", "-p", "no:cacheprovider"]
    found = [("tests", [*pytest, *tests])]
    if any(bug.simulate for bug in bugs):
        found.append(("simulation", ["scripts/mutate.py", "--live", str(HISTORIES)]))
    return found


def run(tree: Path, arguments: list[str], seconds: float) -> tuple[int | None, str]:
    """Return exit status and last words; no status when the time was over."""
    environment = {**os.environ, "PYTHONPATH": str(tree / ".dev")}
    try:
        answer = subprocess.run(
            [sys.executable, *arguments],
            cwd=tree,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        return None, f"more than {seconds:.0f} s"
    return answer.returncode, answer.stdout


def first_failure(said: str) -> str:
    """Return the line that names what failed."""
    lines = said.splitlines()
    told = [line for line in lines if line.startswith("FAILED ")] or lines[-1:] or ["nothing said"]
    return told[0].removeprefix("FAILED ").split(" - ")[0][:96]


def try_one(bug: Planted, clean: Path, seconds: float) -> Outcome:
    """Plant one bug and look for it."""
    began = time.monotonic()

    def outcome(verdict: str, by: str) -> Outcome:
        return Outcome(bug.name, verdict, by, round(time.monotonic() - began, 1))

    with copy_of(clean) as tree:
        path = tree / bug.file
        path.write_text(mutated(bug, path.read_text(encoding="utf-8")), encoding="utf-8")
        for name, arguments in commands([bug]):
            status, said = run(tree, arguments, seconds)
            if status is None:
                return outcome("late", f"{name}: {said}")
            if status == FAILED:
                by = first_failure(said) if name == "tests" else name
                return outcome("caught", by)
            if status != 0:
                return outcome("broken", first_failure(said))
    return outcome("missed", bug.breaks)


def passes_without(bugs: Sequence[Planted], clean: Path, seconds: float) -> bool:
    """Return whether everything that will be run passes on the tree as it is."""
    for name, arguments in commands(bugs):
        status, said = run(clean, arguments, seconds)
        if status != 0:
            print(f"{name} fails without any bug: {first_failure(said)}", file=sys.stderr)
            return False
    return True


def try_all(bugs: Sequence[Planted], seconds: float, minutes: float) -> list[Outcome] | None:
    """Try each bug in a copy of one clean copy, so that edits meanwhile change nothing.

    Returns none when something fails without a bug.
    """
    outcomes: list[Outcome] = []
    end = time.monotonic() + 60 * minutes
    with copy_of(ROOT) as clean:
        for place, bug in enumerate(bugs):
            if time.monotonic() > end:
                break
            if place % BATCH == 0:
                batch = bugs[place : place + BATCH]
                if not passes_without(batch, clean, seconds * len(batch)):
                    return None
            outcomes.append(try_one(bug, clean, seconds))
            print(table(outcomes[-1:]).splitlines()[0], file=sys.stderr, flush=True)
    return outcomes


def live(histories: int) -> int:
    """Live the first histories of the core; return the exit status."""
    level = LEVELS["L1"]
    for seed in range(histories):
        try:
            level.history(level.plan(seed), trace=False).run()
        except Violation as violation:
            print(f"seed {seed}: {violation}")
            return FAILED
    return 0


def table(outcomes: Sequence[Outcome]) -> str:
    width = max(len(outcome.name) for outcome in outcomes)
    rows = [f"{o.name:<{width}}  {o.verdict:<6}  {o.seconds:6.1f} s  {o.by}" for o in outcomes]
    return "\n".join([*rows, f"caught {caught(outcomes)} of {len(outcomes)}"])


def caught(outcomes: Sequence[Outcome]) -> int:
    return sum(outcome.verdict == "caught" for outcome in outcomes)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", action="append", metavar="NAME", help="plant this bug alone")
    parser.add_argument("--json", action="store_true", help="print the outcomes as JSON")
    parser.add_argument("--seconds", type=float, default=120.0, help="limit for each command")
    parser.add_argument("--minutes", type=float, default=60.0, help="plant nothing new after that")
    parser.add_argument("--begin", type=int, default=0, help="with this bug of the list, in turn")
    parser.add_argument("--live", type=int, metavar="COUNT", help="only live so many histories")
    parser.add_argument("--list", action="store_true", help="print the names and what they break")
    return parser.parse_args()


def main(options: argparse.Namespace) -> int:
    if options.live is not None:
        return live(options.live)
    bugs = load()
    unknown = set(options.only or ()) - {bug.name for bug in bugs}
    if unknown:
        print(f"no such bug: {', '.join(sorted(unknown))}; see --list", file=sys.stderr)
        return 2
    bugs = [bug for bug in bugs if not options.only or bug.name in options.only]
    begin = options.begin % max(1, len(bugs))
    bugs = [*bugs[begin:], *bugs[:begin]]
    if options.list:
        print("\n".join(f"{bug.name}: {bug.breaks} ({bug.file})" for bug in bugs))
        return 0
    outcomes = try_all(bugs, options.seconds, options.minutes)
    if not outcomes:
        return 1
    if len(outcomes) < len(bugs):
        print(f"time for {len(outcomes)} of {len(bugs)} bugs alone", file=sys.stderr)
    score = caught(outcomes) / len(outcomes)
    if options.json:
        rows = [msgspec.structs.asdict(outcome) for outcome in outcomes]
        print(json.dumps({"score": score, "outcomes": rows}, indent=2))
    else:
        print(table(outcomes))
    return 0 if score >= SCORE_MIN else 1


if __name__ == "__main__":
    sys.exit(main(parsed()))
