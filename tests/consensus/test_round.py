"""A new view starts with nothing in it."""

from moyai.consensus.round import Building, Round
from moyai.primitives.ids import ZERO_DIGEST, TimeMs, View


def test_nothing_has_happened_in_a_new_view() -> None:
    fresh = Round(View(3), 1_000, None)
    assert (fresh.view, fresh.entered_ms, fresh.entered_by) == (3, 1_000, None)
    assert not any((fresh.expired, fresh.proposed, fresh.skipped_leader, fresh.clock_asked))
    assert fresh.timers_started_ms is None
    assert fresh.building is None
    assert fresh.nothing_at is None
    assert fresh.invalid_reason == ""


def test_a_block_under_way_remembers_what_it_was_asked_for() -> None:
    building = Building(ZERO_DIGEST, TimeMs(5))
    assert (building.parent, building.time_ms) == (ZERO_DIGEST, 5)
