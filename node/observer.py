"""Where the core's counts and news go: labelled counters for the metrics, events for the log."""

from collections import Counter

import structlog


class LogObserver:
    """Counts by (counter, reason), and writes news as structured events."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self._log = structlog.get_logger()

    def count(self, counter: str, reason: str) -> None:
        """Add one to a labelled counter."""
        self.counts[counter, reason] += 1

    def note(self, event: str, **details: object) -> None:
        """Write an event for operators."""
        self._log.warning(event, **details)
