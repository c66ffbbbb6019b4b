"""Scenarios of recent ids: remembered exactly as long as a repeat would be possible."""

from hypothesis import given
from hypothesis import strategies as st

from moyai.ledger.recent import RecentIds
from moyai.primitives.ids import TimeMs, TransactionId

WINDOW_MS = 100


def identifier(number: int) -> TransactionId:
    return TransactionId(number.to_bytes(32, "big"))


def test_an_id_is_remembered_until_its_window_is_over() -> None:
    recent = RecentIds(WINDOW_MS)
    recent.add_block(TimeMs(1_000), [identifier(1)])
    recent.add_block(TimeMs(1_100), [identifier(2)])
    assert identifier(1) in recent
    recent.add_block(TimeMs(1_101), [])
    assert identifier(1) not in recent
    assert identifier(2) in recent
    assert len(recent) == 1


@given(st.lists(st.integers(1, 60), max_size=40))
def test_whatever_could_still_be_repeated_is_known(steps: list[int]) -> None:
    recent = RecentIds(WINDOW_MS)
    blocks: list[tuple[int, TransactionId]] = []
    time_ms = 0
    for number, step in enumerate(steps):
        time_ms += step
        recent.add_block(TimeMs(time_ms), [identifier(number)])
        blocks.append((time_ms, identifier(number)))
        for block_ms, known in blocks:
            valid_until_at_most = block_ms + WINDOW_MS
            assert (known in recent) == (valid_until_at_most >= time_ms)
