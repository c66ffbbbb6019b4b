"""Scenarios of token buckets: never more than the burst and the rate allow."""

from hypothesis import given
from hypothesis import strategies as st

from moyai.p2p.rates import AddressRates, TokenBucket


def test_a_full_bucket_gives_its_burst_and_then_its_rate() -> None:
    bucket = TokenBucket(10, 5, now_ms=0)
    assert [bucket.take(1, 0) for _ in range(6)] == [True] * 5 + [False]
    assert not bucket.take(1, 99)
    assert bucket.take(1, 100)


def test_what_is_owed_is_waited_for() -> None:
    bucket = TokenBucket(1_000, 100, now_ms=0)
    assert bucket.owe(100, 0) == 0
    assert bucket.owe(50, 0) == 51
    assert not bucket.take(1, 50)
    assert bucket.take(1, 51)


def test_a_clock_that_steps_back_gives_nothing() -> None:
    bucket = TokenBucket(1_000, 1, now_ms=1_000)
    assert bucket.take(1, 1_000)
    assert not bucket.take(1, 0)
    assert not bucket.take(1, 1_000)


@given(
    st.integers(1, 50),
    st.integers(1, 50),
    st.lists(st.tuples(st.integers(0, 500), st.integers(1, 20)), max_size=40),
)
def test_no_window_gives_more_than_burst_and_rate(
    per_s: int, burst: int, calls: list[tuple[int, int]]
) -> None:
    bucket = TokenBucket(per_s, burst, now_ms=0)
    now_ms = given_out = 0
    for wait_ms, tokens in calls:
        now_ms += wait_ms
        given_out += tokens if bucket.take(tokens, now_ms) else 0
        assert given_out <= burst + now_ms * per_s / 1_000 + 1e-6


def test_addresses_do_not_share_a_bucket_and_are_bounded() -> None:
    rates = AddressRates(1, 2, addresses_max=3)
    assert [rates.take("a", 0) for _ in range(3)] == [True, True, False]
    assert rates.take("b", 0)
    for name in ("c", "d", "e"):
        rates.take(name, 0)
    assert len(rates._buckets) == 3
    assert rates.take("a", 0), "the longest unused is forgotten"
