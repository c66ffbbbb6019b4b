"""Times: what is written is read back, a time without a zone is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moyai.node.times import format_time, parse_time


@given(st.integers(0, 253_402_300_799_999))
def test_every_time_up_to_the_year_9999_comes_back(time_ms: int) -> None:
    assert parse_time(format_time(time_ms)) == time_ms


def test_zones_are_honoured() -> None:
    assert parse_time("2026-01-31T09:00:00+09:00") == parse_time("2026-01-31T00:00:00.000Z")


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="has no zone"):
        parse_time("2026-01-31T09:00:00")
