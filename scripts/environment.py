"""Brings `.venv` of this checkout to what the lock says; standard library only.

`scripts/setup` finds the Python to run it with. Everything installed is pinned by a hash; the
project itself is installed editable, with the locked build backend and no download.
"""

import argparse
import fcntl
import hashlib
import os
import subprocess
import sys
import time
import venv
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv"
PYTHON = ENVIRONMENT / "bin" / "python"
STAMP = ENVIRONMENT / "moyai-stamp"
RUNTIME_LOCK = ROOT / "requirements" / "runtime.txt"
DEV_LOCK = ROOT / "requirements" / "dev.txt"
PIP_OPTIONS = ("--disable-pip-version-check", "--no-input")


class SetupError(Exception):
    """The environment cannot be made; the text says what to do."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/setup", description="Make or update .venv")
    parser.add_argument("--dev", action="store_true", help="also what checks and tests need")
    arguments = parser.parse_args()
    try:
        with one_at_a_time():
            bring_up_to_date(dev=arguments.dev)
    except SetupError as error:
        say(str(error), stream=sys.stderr)
        return 1
    return 0


def bring_up_to_date(*, dev: bool) -> None:
    installed = STAMP.read_text(encoding="ascii") if STAMP.exists() else ""
    # An environment for development also runs the node.
    accepted = {stamp(dev=True)} if dev else {stamp(dev=True), stamp(dev=False)}
    if installed in accepted and is_usable():
        return
    began = time.monotonic()
    lock = DEV_LOCK if dev else RUNTIME_LOCK
    STAMP.unlink(missing_ok=True)
    if not is_usable():
        say(f"making {ENVIRONMENT} with Python {sys.version.split()[0]}")
        venv.EnvBuilder(with_pip=True, clear=True, symlinks=True).create(ENVIRONMENT)
    install_locked(lock)
    say("installing the checkout itself")
    pip("install", "--no-build-isolation", "--no-deps", "--no-index", "--editable", str(ROOT))
    pip("check")
    STAMP.write_text(stamp(dev=dev), encoding="ascii")
    say(f"ready after {time.monotonic() - began:.0f} s: {ENVIRONMENT}")


def stamp(*, dev: bool) -> str:
    """Names what an environment was made from: the lock, the project's own table, this file."""
    sources = [DEV_LOCK if dev else RUNTIME_LOCK, ROOT / "pyproject.toml", Path(__file__)]
    digest = hashlib.sha256(str(ROOT).encode())
    for source in sources:
        digest.update(hashlib.sha256(source.read_bytes()).digest())
    return digest.hexdigest()


def is_usable() -> bool:
    """Whether `.venv` was made here, by a Python that starts, is new enough and has pip."""
    question = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
    try:
        # Its programs name their Python by its full path, so a checkout that moved needs new ones.
        program = (ENVIRONMENT / "bin" / "pip").read_text(encoding="utf-8")
        answer = subprocess.run([PYTHON, "-c", question], capture_output=True, check=False)
    except OSError:
        return False
    return answer.returncode == 0 and str(ENVIRONMENT) in program


def install_locked(lock: Path) -> None:
    """Install exactly the lock; wheels only, for a source would download its build unlocked."""
    with lock.open(encoding="utf-8") as lines:
        packages = sum("==" in line for line in lines)
    say(f"installing {packages} locked packages from {lock.relative_to(ROOT)}")
    pip(
        "install",
        "--require-hashes",
        "--only-binary=:all:",
        "--requirement",
        str(lock),
        packages=packages,
    )


def pip(*arguments: str, packages: int = 0) -> None:
    """Run pip quietly; what it said is shown when it fails."""
    command = [str(PYTHON), "-m", "pip", *arguments]
    if arguments[0] == "install":
        command.extend(PIP_OPTIONS)
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said: deque[str] = deque(maxlen=40)
    collected = 0
    for line in process.stdout:
        said.append(line)
        if packages and line.startswith(("Collecting ", "Requirement already satisfied: ")):
            collected += 1
            show_progress(collected, packages, line)
    if packages and sys.stdout.isatty():
        print("\r\033[K", end="")
    if process.wait() != 0:
        raise SetupError(
            f"pip {arguments[0]} failed; its last words:\n{''.join(said)}"
            "If the network failed, run this again: what was downloaded is kept by pip."
        )


def show_progress(done: int, total: int, line: str) -> None:
    name = line.split(": ")[-1].removeprefix("Collecting ").split(" ")[0].split(";")[0].strip()
    if sys.stdout.isatty():
        print(f"\r\033[Ksetup: {min(done, total)}/{total} {name}", end="", flush=True)
    elif done % 20 == 0:
        say(f"{min(done, total)}/{total}")


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Two scripts started together wait for one another instead of writing into one folder."""
    descriptor = os.open(ROOT, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another setup of this checkout")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def say(text: str, *, stream: TextIO | None = None) -> None:
    print(f"setup: {text}", file=stream or sys.stdout, flush=True)


if __name__ == "__main__":
    sys.exit(main())
