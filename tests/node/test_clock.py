"""The system's clocks: one never goes back, the other tells the time since 1970."""

from datetime import UTC, datetime

from moyai.node.clock import SystemClock


def test_the_monotonic_clock_never_goes_back() -> None:
    clock = SystemClock()
    times = [clock.mono_ms() for _ in range(1_000)]
    assert times == sorted(times)


def test_the_wall_clock_counts_milliseconds_since_1970() -> None:
    before = datetime.now(UTC).timestamp()
    wall_ms = SystemClock().wall_ms()
    after = datetime.now(UTC).timestamp()
    assert before - 0.002 <= wall_ms / 1000 <= after


def test_both_are_told_together() -> None:
    clock = SystemClock()
    now = clock.now()
    assert 0 <= clock.mono_ms() - now.mono_ms < 10_000
    assert abs(clock.wall_ms() - now.wall_ms) < 10_000
