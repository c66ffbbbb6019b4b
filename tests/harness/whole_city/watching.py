"""What is seen of a simulated city: a trace, votes, marks, and what its libraries complain of.

Not here: the judgement at the end (`judge`).
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import structlog

from harness.simulator.level import Violation
from harness.watched_journal import Ballot
from harness.whole_city.machine_loop import MachineLoop, current_machine
from harness.whole_city.virtual_time import VirtualTime
from moyai.primitives.vote import Vote

CATCH_UP_MARK = "caught up by sync messages"
STATE_MARK = "synced by snapshot"
REPLACED_MARK = "a handshake replaced a link"
_LIBRARIES = ("aiohttp", "asyncio")
_UNREPEATED = frozenset({"evidence", "id", "exc_info"})


class Watcher(logging.Handler):
    """Sees a city; `lines` has one line for each event when it is traced."""

    def __init__(self, time: VirtualTime, *, trace: bool) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []
        self.marks: Counter[str] = Counter()
        self.complaints: list[str] = []
        self.names: dict[str, str] = {}
        self._ballot = Ballot()
        self._time = time
        self._traces = trace

    def note(self, who: str, text: str) -> None:
        """Write a line of the trace."""
        if self._traces:
            self.lines.append(f"{self._time.now_ms:>12.3f} {who:<10} {text}")

    def mark(self, mark: str) -> None:
        """Count something that histories are to reach."""
        self.marks[mark] += 1

    def voted(self, who: str, vote: Vote) -> None:
        """See a vote that is durable, before it is sent. Raises `Violation`."""
        self.note(who, f"votes {vote.kind.name.lower()} view {vote.view} {vote.digest.hex()[:8]}")
        try:
            self._ballot.add(vote)
        except AssertionError as error:
            raise Violation(f"{who} contradicts itself: {error}") from None

    def emit(self, record: logging.LogRecord) -> None:
        """Take what a library logs: a node has no reason to make one complain."""
        loop = asyncio._get_running_loop()
        if isinstance(loop, MachineLoop) and loop.is_dead:
            return
        self.complaints.append(logging.Formatter("%(name)s: %(message)s").format(record))

    @contextmanager
    def watching(self) -> Iterator[None]:
        """See what is logged in this block, and keep it from the terminal."""
        before = structlog.get_config()
        structlog.configure(
            processors=[self._logged],
            wrapper_class=structlog.BoundLogger,
            cache_logger_on_first_use=False,
        )
        loggers = [logging.getLogger(name) for name in _LIBRARIES]
        for logger in loggers:
            logger.addHandler(self)
        try:
            yield
        finally:
            structlog.configure(**before)
            for logger in loggers:
                logger.removeHandler(self)

    def _logged(self, _logger: Any, _method: str, event: dict[str, Any]) -> NoReturn:
        loop = current_machine()
        if not loop.is_dead:
            self._news(self.names[loop.address], event)
        raise structlog.DropEvent

    def _news(self, who: str, event: dict[str, Any]) -> None:
        name = str(event.pop("event"))
        if name == "catching_up":
            self.mark(CATCH_UP_MARK)
        if name == "state_taken_over":
            self.mark(STATE_MARK)
        if "replaced by another connection" in str(event.get("reason", "")):
            self.mark(REPLACED_MARK)
        told = " ".join(f"{key}={event[key]}" for key in sorted(event) if key not in _UNREPEATED)
        self.note(who, f"{name} {told}")
