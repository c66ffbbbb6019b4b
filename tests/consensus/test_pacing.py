"""The interval between blocks: least after a rest, growing with load, never over the maximum."""

from hypothesis import given
from hypothesis import strategies as st

from harness.consensus.playbook import Stage
from moyai.consensus.pacing import Pacing
from moyai.primitives.block import Header
from moyai.primitives.ids import TimeMs
from moyai.primitives.parameters import Parameters

STAGE = Stage()
BASE = STAGE.make(1).header


def header(time_ms: int, count: int) -> Header:
    return STAGE.make(2, time_ms=TimeMs(BASE.time_ms + time_ms), tx_count=count).header


def settled(rate_per_s: int) -> int:
    """The interval this load leads to, each block carrying what came since the last."""
    pacing = Pacing(Parameters())
    time_ms = 0
    for _ in range(60):
        wait_ms = max(pacing.interval_ms, 20)
        before = header(time_ms, 0)
        time_ms += wait_ms
        pacing.observe(header(time_ms, rate_per_s * wait_ms // 1000), before)
    return pacing.interval_ms


@given(st.lists(st.tuples(st.integers(1, 5_000), st.integers(0, 4_096)), max_size=30))
def test_the_interval_stays_between_its_bounds(blocks: list[tuple[int, int]]) -> None:
    parameters = Parameters()
    pacing = Pacing(parameters)
    for elapsed_ms, count in blocks:
        pacing.observe(header(elapsed_ms, count), BASE)
        least, most = parameters.block_interval_min_ms, parameters.block_interval_max_ms
        assert least <= pacing.interval_ms <= most


def test_little_load_keeps_blocks_quick_and_heavy_load_makes_them_few() -> None:
    intervals = [settled(rate) for rate in (50, 500, 1_500, 5_000)]
    assert intervals == sorted(intervals)
    assert intervals[0] < 15
    assert 40 <= intervals[2] <= 75
    assert intervals[3] > 150


def test_a_rest_forgets_the_load() -> None:
    pacing = Pacing(Parameters())
    for _ in range(10):
        pacing.observe(header(100, 400), BASE)
    assert pacing.interval_ms > 150
    pacing.observe(header(60_000, 1), BASE)
    assert pacing.interval_ms < 15
