"""Where the core's counts and news go: labelled counters for the metrics, events for the log."""

from collections import Counter

import structlog

ALARMS = frozenset({"alarm", "abstaining"})
"""Counters whose reasons an operator must read: each goes to the log, whatever it says."""


class LogObserver:
    """Counts by (counter, reason), and writes news as structured events."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self._log = structlog.get_logger()

    def count(self, counter: str, reason: str) -> None:
        """Add one to a labelled counter; an alarm is told in the log, and counted without words."""
        if counter in ALARMS:
            self._log.warning(counter, reason=reason)
            reason = ""
        self.counts[counter, reason] += 1

    def note(self, event: str, **details: object) -> None:
        """Write an event for operators."""
        self._log.warning(event, **details)
