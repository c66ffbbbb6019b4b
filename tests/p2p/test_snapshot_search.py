"""Scenarios of searching: all are heard, claims are paid for by who makes them."""

from harness.core_city import GENESIS
from harness.kept_state import kept_state
from harness.peer_nodes import network_key
from moyai.p2p import limits
from moyai.p2p.serving import answer_state
from moyai.p2p.snapshot_messages import EpochEndAnswer, EpochEndRequest, SnapshotAnswer
from moyai.p2p.snapshot_search import SearchPlan, SnapshotSearch
from moyai.p2p.sync import Ask
from moyai.primitives.ids import Height, NetworkKey

STATE = kept_state(keys=10, depth=1)
PEERS = tuple(network_key(number) for number in range(1, 4))


def search() -> SnapshotSearch:
    made = SnapshotSearch(GENESIS, SearchPlan(validators=PEERS, above=Height(0), wanted=None), 0)
    made.add(PEERS)
    return made


def answer(made: SnapshotSearch, ask: object, now_ms: int) -> NetworkKey | None:
    assert isinstance(ask, Ask)
    reply = answer_state(ask.request, STATE)  # type: ignore[arg-type] # only such are asked here
    assert isinstance(reply, SnapshotAnswer | EpochEndAnswer)
    assert made.expects(ask.peer, reply)
    return made.take(ask.peer, reply, now_ms)


def test_nothing_is_chosen_before_all_have_spoken_or_time_is_up() -> None:
    made = search()
    first, second, _ = made.go_on(0)
    answer(made, first, 10)
    answer(made, second, 10)
    assert made.go_on(10) == []
    (end,) = made.go_on(limits.SYNC_REQUEST_MS)
    assert isinstance(end, Ask)
    assert end.request == EpochEndRequest(0)  # type: ignore[arg-type] # a plain number


def test_ends_are_asked_in_turn_and_lead_to_the_state() -> None:
    made = search()
    for ask in made.go_on(0):
        answer(made, ask, 10)
    asked = []
    while made.found is None:
        for ask in made.go_on(20):
            assert isinstance(ask, Ask)
            asked.append(ask.peer)
            answer(made, ask, 20)
    assert len(asked) == len(set(asked)) == 2
    assert made.epochs_proven == 2
    assert made.found.holders == PEERS
    assert made.found.epoch_ends == tuple(STATE.chain.ends)


def test_one_who_comes_later_is_asked_for_what_was_found() -> None:
    made = search()
    made.gone(PEERS[2])
    now_ms = limits.SNAPSHOT_SEEK_MS
    while made.found is None:
        for ask in made.go_on(now_ms):
            answer(made, ask, now_ms)
    made.add([PEERS[2]])
    (late,) = made.go_on(now_ms)
    assert answer(made, late, now_ms) == PEERS[2]


def test_a_liar_is_never_asked_again() -> None:
    made = search()
    made.lied(PEERS[0])
    made.add(PEERS)
    asked = [ask.peer for ask in made.go_on(0) if isinstance(ask, Ask)]
    assert asked == list(PEERS[1:])


def test_links_that_come_and_go_silently_do_not_hold_up_the_choice() -> None:
    made = search()
    for ask in made.go_on(0):
        answer(made, ask, 10)
    silent = [network_key(number) for number in (8, 9)]
    now_ms = 0
    while made.found is None and now_ms < 60_000:
        turn = silent[now_ms // 1_000 % 2]
        made.gone(turn)
        made.add([turn])
        for ask in made.go_on(now_ms):
            assert isinstance(ask, Ask)
            if ask.peer not in silent:
                answer(made, ask, now_ms)
        now_ms += 1_000
    assert made.found is not None
    assert made.found.holders == PEERS
