"""Scenarios of loading: a part whole from one peer, then recent blocks downwards, one by one."""

import pytest

from harness.kept_state import kept_state
from harness.peer_nodes import network_key
from moyai.p2p import limits
from moyai.p2p.errors import SyncFault
from moyai.p2p.serving import answer_state
from moyai.p2p.snapshot_load import LoadEffect, PartsStored, RecentLoaded, SnapshotLoad, StorePart
from moyai.p2p.snapshot_messages import (
    RecentAnswer,
    RecentRequest,
    SnapshotPartAnswer,
    SnapshotPartRequest,
)
from moyai.p2p.sync import Ask

STATE = kept_state(keys=40, depth=2)
HEIGHT = STATE.description.header.height
ONE, TWO = network_key(1), network_key(2)


def loading() -> SnapshotLoad:
    made = SnapshotLoad(STATE.description, [ONE, TWO], 0)
    assert made.begin(range(4)) == []
    return made


def reply(ask: object) -> SnapshotPartAnswer | RecentAnswer:
    assert isinstance(ask, Ask)
    answer = answer_state(ask.request, STATE)  # type: ignore[arg-type] # only such are asked here
    assert isinstance(answer, SnapshotPartAnswer | RecentAnswer)
    return answer


def load_parts(made: SnapshotLoad) -> list[LoadEffect]:
    effects: list[LoadEffect] = []
    for ask in made.go_on(0):
        assert isinstance(ask, Ask)
        effects += made.take(ask.peer, reply(ask), 10)
    return effects


def test_all_parts_are_asked_from_all_at_once() -> None:
    made = loading()
    effects = load_parts(made)
    stored = {one.index: one.leaves for one in effects if isinstance(one, StorePart)}
    assert [stored[index] for index in range(4)] == STATE.parts
    assert effects[-1] == PartsStored()
    assert made.parts_left == 0


def test_however_many_hold_it_no_more_is_asked_than_a_thin_line_carries_in_time() -> None:
    many = [network_key(number) for number in range(1, 21)]
    made = SnapshotLoad(STATE.description, many, 0)
    made.begin([index % 4 for index in range(64)])
    asked = made.go_on(0)
    assert len(asked) == limits.SNAPSHOT_QUESTIONS_MAX
    assert made.go_on(10) == []
    assert isinstance(asked[0], Ask)
    made.take(asked[0].peer, reply(asked[0]), 20)
    assert len(made.go_on(20)) == 1


def test_nothing_missing_is_done_at_once() -> None:
    made = SnapshotLoad(STATE.description, [ONE], 0)
    assert made.begin(()) == [PartsStored()]


def test_recent_blocks_come_one_question_after_the_other() -> None:
    made = loading()
    load_parts(made)
    assert made.go_on(20) == []
    made.load_recent(250)
    (ask,) = made.go_on(20)
    assert isinstance(ask, Ask)
    assert ask.request == RecentRequest(HEIGHT, limits.RECENT_BLOCKS_PER_REQUEST)
    (loaded,) = made.take(ask.peer, reply(ask), 30)
    assert isinstance(loaded, RecentLoaded)
    assert [header.height for header, _ in loaded.recent] == [HEIGHT - 2, HEIGHT - 1, HEIGHT]
    assert made.go_on(40) == []


def test_a_window_longer_than_the_chain_ends_at_its_first_block() -> None:
    made = loading()
    load_parts(made)
    made.load_recent(3_600_000)
    (ask,) = made.go_on(20)
    assert isinstance(ask, Ask)
    (loaded,) = made.take(ask.peer, reply(ask), 30)
    assert isinstance(loaded, RecentLoaded)
    assert [header.height for header, _ in loaded.recent] == list(range(1, HEIGHT + 1))


def test_a_late_part_is_asked_from_another_from_its_start() -> None:
    made = SnapshotLoad(STATE.description, [ONE], 0)
    made.begin([3])
    (ask,) = made.go_on(0)
    made.join(TWO)
    (again,) = made.go_on(limits.SYNC_REQUEST_MS)
    assert again == Ask(TWO, SnapshotPartRequest(HEIGHT, 3, 0))
    assert isinstance(ask, Ask)
    assert not made.expects(ask.peer, reply(ask))


def test_what_came_of_a_part_is_forgotten_when_another_peer_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "SNAPSHOT_ANSWER_LEAVES_MAX", 1)
    made = SnapshotLoad(STATE.description, [ONE], 0)
    made.begin([3])
    (ask,) = made.go_on(0)
    assert isinstance(ask, Ask)
    (more,) = made.take(ask.peer, reply(ask), 10)
    assert isinstance(more, Ask)
    assert isinstance(more.request, SnapshotPartRequest)
    assert more.request.position > 0
    made.join(TWO)
    made.gone(ONE)
    (again,) = made.go_on(20)
    assert again == Ask(TWO, SnapshotPartRequest(HEIGHT, 3, 0))
    assert isinstance(again, Ask)
    effects: list[LoadEffect] = [again]
    while isinstance(effects[0], Ask):
        effects = made.take(TWO, reply(effects[0]), 30)
    assert effects[0] == StorePart(3, tuple(STATE.parts[3]))


def test_it_is_spent_when_all_refuse_but_not_when_all_links_are_down() -> None:
    made = loading()
    made.gone(ONE)
    made.gone(TWO)
    assert not made.is_spent(limits.SNAPSHOT_STALL_MS)
    assert made.is_spent(limits.SNAPSHOT_STALL_MS + 1)
    made = loading()
    made.drop(ONE)
    assert not made.is_spent(0)
    made.drop(TWO)
    assert made.is_spent(0)


def test_leaves_without_end_are_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SNAPSHOT_PART_BYTES_MAX", 50)
    made = loading()
    ask = made.go_on(0)[0]
    assert isinstance(ask, Ask)
    with pytest.raises(SyncFault, match="too large"):
        made.take(ask.peer, reply(ask), 10)
