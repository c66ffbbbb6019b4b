"""Counts by counter and reason; news as structured events."""

from structlog.testing import capture_logs

from moyai.node.observer import LogObserver


def test_counts_are_kept_by_counter_and_reason() -> None:
    observer = LogObserver()
    for reason in ("late", "late", "early"):
        observer.count("dropped", reason)
    assert observer.counts == {("dropped", "late"): 2, ("dropped", "early"): 1}


def test_news_are_written_with_their_details() -> None:
    with capture_logs() as lines:
        LogObserver().note("evidence", validator=3, view=7)
    assert lines == [{"event": "evidence", "validator": 3, "view": 7, "log_level": "warning"}]
