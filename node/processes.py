"""Runs the nodes of a city as processes of this machine: start, kill, restart, stop all.

Used by `moyai demo`, the load test and the tests with real processes. Not here: what a node does
(`daemon`), and services of an operating system (docs/operations.md).
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from moyai.node.errors import NodeProcessError
from moyai.node.testnet import City, CityNode

POLL_SECONDS = 0.05
START_SECONDS_MAX = 30.0
STOP_SECONDS_MAX = 10.0
HEALTH_SECONDS_MAX = 2.0
LOG_NAME = "node.log"
PID_NAME = "node.pid"
LOG_TAIL_BYTES = 4096


class Health(msgspec.Struct, frozen=True):
    """What a node said about itself: the HTTP status, 0 when it did not answer, and its words."""

    status: int
    text: str

    @property
    def ready(self) -> bool:
        """Whether the node can serve and a quorum is linked."""
        return self.status == 200

    @property
    def summary(self) -> str:
        """What the node says in words; all of its text where it is not the JSON of a node."""
        try:
            return msgspec.json.decode(self.text, type=_Words).summary
        except msgspec.MsgspecError:
            return self.text.strip()


class _Words(msgspec.Struct):
    summary: str


class NodeProcess:
    """One node as a process of its own; its log is in its folder."""

    def __init__(self, node: CityNode, environment: dict[str, str] | None = None) -> None:
        self.node = node
        self._environment = environment or {}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id of the running node."""
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the node; `wait_until` tells when it serves."""
        assert not self.running
        command = [
            sys.executable,
            "-m",
            "moyai.node",
            "run",
            "--config",
            str(self.node.config_file),
        ]
        with (self.node.folder / LOG_NAME).open("ab") as log:
            # A session of its own: Ctrl-C reaches the parent alone, which stops all in order.
            self._process = subprocess.Popen(  # noqa: S603 - this very interpreter and package
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._full_environment(),
                start_new_session=True,
            )
        (self.node.folder / PID_NAME).write_text(f"{self._process.pid}\n", encoding="ascii")

    def kill(self) -> None:
        """End the process as a power failure would: kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def terminate(self) -> None:
        """Ask the process to end; `join` waits for it."""
        if self._process is not None and self.running:
            self._process.terminate()

    def join(self, seconds: float) -> int:
        """Wait for the end and return the exit code; a process that takes too long is killed."""
        assert self._process is not None
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            return -signal.SIGKILL

    def health(self) -> Health:
        """Ask the node whether it is ready."""
        return read_health(self.node.url)

    def log_tail(self) -> str:
        """Return the last lines of the node's log."""
        path = self.node.folder / LOG_NAME
        if not path.exists():
            return ""
        with path.open("rb") as log:
            log.seek(max(0, path.stat().st_size - LOG_TAIL_BYTES))
            return log.read().decode(errors="replace")

    def _full_environment(self) -> dict[str, str]:
        inherited = {
            key: value for key, value in os.environ.items() if not key.startswith("MOYAI_")
        }
        # The child finds the package where this process found it, installed or not.
        paths = os.pathsep.join(path for path in sys.path if path)
        return {**inherited, "PYTHONPATH": paths, "PYTHONUNBUFFERED": "1", **self._environment}


_DETACHED: list[NodeProcess] = []
"""Nodes that outlive their block; a forgotten handle would be reported as a leak."""


class CityProcesses:
    """All nodes of a city; leaving the block stops every one of them, whatever happened."""

    def __init__(self, city: City, environment: dict[str, str] | None = None) -> None:
        self.city = city
        self.nodes = tuple(NodeProcess(node, environment) for node in city.nodes)
        self._detached = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._detached:
            self.stop()

    def __getitem__(self, name: str) -> NodeProcess:
        """Return the node of this folder name."""
        return next(process for process in self.nodes if process.node.slug == name)

    def start(self) -> None:
        """Start every node that does not run."""
        for process in self.nodes:
            if not process.running:
                process.start()

    def wait_ready(self, seconds: float = START_SECONDS_MAX) -> None:
        """Wait until every node says that it is ready. Raises `NodeProcessError`."""
        deadline = time.monotonic() + seconds
        for process in self.nodes:
            self.wait_until(process, lambda health: health.ready, deadline - time.monotonic())

    def wait_until(
        self, process: NodeProcess, wanted: Callable[[Health], bool], seconds: float
    ) -> Health:
        """Poll one node's health until it is as wanted and return it.

        Raises `NodeProcessError` with the node's last words when it ends or takes too long.
        """
        deadline = time.monotonic() + seconds
        while True:
            health = process.health()
            if wanted(health):
                return health
            if not process.running or time.monotonic() > deadline:
                ended = "has ended" if not process.running else "is not ready in time"
                raise NodeProcessError(
                    f"{ended} ({health.summary}); its last words:\n{process.log_tail()}",
                    what=f"node {process.node.name}",
                    next=f"read {process.node.folder / LOG_NAME}",
                )
            time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        """Stop all nodes: first politely, then by force. A second Ctrl-C changes nothing."""
        with _undisturbed():
            for process in self.nodes:
                process.terminate()
            deadline = time.monotonic() + STOP_SECONDS_MAX
            for process in self.nodes:
                if process.running:
                    process.join(max(0.1, deadline - time.monotonic()))

    def detach(self) -> None:
        """Leave the nodes running when the block ends."""
        self._detached = True
        _DETACHED.extend(self.nodes)


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Let no signal of the terminal interrupt the block."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {kind: signal.signal(kind, signal.SIG_IGN) for kind in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)


def read_health(url: str) -> Health:
    """Ask the node at `url` whether it is ready; no answer is status 0."""
    request = urllib.request.Request(f"{url}/health/ready")  # noqa: S310 - an address of this machine
    try:
        with urllib.request.urlopen(request, timeout=HEALTH_SECONDS_MAX) as answer:  # noqa: S310 - as above
            return Health(answer.status, answer.read().decode(errors="replace"))
    except urllib.error.HTTPError as error:
        with error:
            return Health(error.code, error.read().decode(errors="replace"))
    except OSError as error:
        return Health(0, str(error))


def stop_city(directory: Path) -> int:
    """Stop the nodes that were left running in a city's folder; return how many there were."""
    stopped = 0
    for pid_file in sorted(directory.glob(f"*/{PID_NAME}")):
        pid = int(pid_file.read_text(encoding="ascii"))
        if _is_node(pid, pid_file.parent):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
                stopped += 1
                _wait_for_end(pid)
        pid_file.unlink()
    return stopped


def _is_node(pid: int, folder: Path) -> bool:
    """Whether this process is the node of that folder, and no later one with the same number."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return str(folder).encode() in command and b"moyai" in command


def _wait_for_end(pid: int) -> None:
    deadline = time.monotonic() + STOP_SECONDS_MAX
    while not _has_ended(pid):
        if time.monotonic() > deadline:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            return
        time.sleep(POLL_SECONDS)


def _has_ended(pid: int) -> bool:
    """Whether a process is gone, or only waits for its parent to take note."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state in {"Z", "X"}
