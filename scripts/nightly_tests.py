"""Runs the tests marked `nightly`, from another place each day, until the time is over.

Not here: what they test. `scripts/nightly` calls it.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTEST = (sys.executable, "-m", "pytest", "-q", "-m", "nightly", "-p", "no:cacheprovider")
BATCH = 3  # a test may take a minute
HANGING_SECONDS = 300.0
STOPPING_SECONDS = 30.0


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=1.0, help="begin nothing new after that")
    parser.add_argument("--begin", type=int, default=0, help="with this test of the list, in turn")
    return parser.parse_args()


def marked() -> list[str]:
    """Return the names of all tests that are marked."""
    answer = subprocess.run(
        [*PYTEST, "--collect-only", "tests"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [line for line in answer.stdout.splitlines() if "::" in line]


def spread(names: list[str], begin: int) -> list[str]:
    """Return the names from another place on; files take turns, so that each has its part."""
    files: dict[str, list[str]] = {}
    for name in names:
        files.setdefault(name.partition("::")[0], []).append(name)
    turned = [each[begin % len(each) :] + each[: begin % len(each)] for each in files.values()]
    longest = max((len(each) for each in turned), default=0)
    return [each[turn] for turn in range(longest) for each in turned if turn < len(each)]


def passes(names: list[str]) -> bool:
    """Run these; say what failed."""
    print(" ".join(names), flush=True)
    with subprocess.Popen(
        [*PYTEST, *names],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as tests:
        try:
            said, _ = tests.communicate(timeout=HANGING_SECONDS)
        except subprocess.TimeoutExpired:
            print(f"more than {HANGING_SECONDS:.0f} s: {names}", flush=True)
            end(tests)
            return False
    if tests.returncode:
        print(said, flush=True)
    return tests.returncode == 0


def end(tests: subprocess.Popen[str]) -> None:
    """End a run and every process that it started; nodes have sessions of their own."""
    started = below(tests.pid)
    tests.send_signal(signal.SIGINT)
    with suppress(subprocess.TimeoutExpired):
        tests.communicate(timeout=STOPPING_SECONDS)
    tests.kill()
    for process in started:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def below(root: int) -> list[int]:
    """Return the processes that a process has started, and those that these have."""
    said = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid="], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    parents = {int(pid): int(parent) for pid, parent in map(str.split, said.splitlines())}
    found = [root]
    for each in found:
        found += [process for process, parent in parents.items() if parent == each]
    return found[1:]


def main(options: argparse.Namespace) -> int:
    end = time.monotonic() + 60 * options.minutes
    names = spread(marked(), options.begin)
    tried = failed = 0
    while tried < len(names) and (not tried or time.monotonic() < end):
        batch = names[tried : tried + BATCH]
        tried += len(batch)
        failed += not passes(batch)
    print(f"{tried} of {len(names)} tests, {failed} of {-(-tried // BATCH)} batches failed")
    return 1 if failed or not tried else 0


if __name__ == "__main__":
    sys.exit(main(parsed()))
