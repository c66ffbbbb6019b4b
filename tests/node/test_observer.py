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


def test_an_alarm_is_told_in_the_log_and_counted_without_its_words() -> None:
    observer = LogObserver()
    with capture_logs() as lines:
        for height in (7, 8):
            observer.count("alarm", f"other roots at height {height}")
    assert [line["reason"] for line in lines] == [
        "other roots at height 7",
        "other roots at height 8",
    ]
    assert observer.counts == {("alarm", ""): 2}
