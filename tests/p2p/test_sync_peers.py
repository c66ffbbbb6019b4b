"""Scenarios of choosing whom to ask."""

from harness.peer_nodes import network_key
from moyai.p2p import limits
from moyai.p2p.sync_peers import SyncPeers
from moyai.primitives.ids import Height

ONE, TWO, THREE = network_key(1), network_key(2), network_key(3)


def test_the_least_busy_is_asked_and_none_too_often_at_once() -> None:
    peers = SyncPeers([ONE, TWO])
    assert [peers.choose(0) for _ in range(5)] == [ONE, TWO, ONE, TWO, None]
    peers.answered(TWO)
    assert peers.choose(0) == TWO


def test_one_who_lacks_it_rests() -> None:
    peers = SyncPeers([ONE])
    peers.choose(0)
    peers.lacks(ONE, 0)
    assert peers.rested_ms() == limits.SYNC_REST_MS
    assert peers.choose(limits.SYNC_REST_MS - 1) is None
    assert peers.choose(limits.SYNC_REST_MS) == ONE


def test_one_who_is_late_three_times_rests_and_the_prompt_go_before_him() -> None:
    peers = SyncPeers([ONE, TWO])
    assert peers.choose(0) == ONE
    peers.late(ONE, 0)
    assert peers.choose(0) == TWO
    peers.answered(TWO)
    assert peers.choose(0) == TWO, "a strike counts more than the order"
    for _ in range(2):
        assert peers.choose(0) == ONE
        peers.late(ONE, 0)
    assert peers.choose(0) == TWO
    assert peers.choose(0) is None


def test_a_liar_never_comes_back_and_one_who_is_gone_may() -> None:
    peers = SyncPeers([ONE, TWO])
    peers.lied(ONE)
    peers.gone(TWO)
    assert len(peers) == 0
    peers.add([ONE, TWO, THREE])
    assert len(peers) == 2
    assert peers.choose(0) == TWO


def test_late_news_of_one_who_left_changes_nothing() -> None:
    peers = SyncPeers([ONE])
    peers.gone(ONE)
    peers.answered(ONE)
    peers.late(ONE, 0)
    peers.lacks(ONE, 0)
    assert peers.choose(0) is None


def test_who_says_it_has_it_no_longer_cannot_help_below_its_base() -> None:
    peers = SyncPeers([ONE, TWO])
    peers.holds_from(ONE, Height(30))
    assert peers.bases_above(Height(29)) == {ONE: 30}
    assert peers.bases_above(Height(30)) == {}
    assert (peers.may_help(ONE, Height(29)), peers.may_help(ONE, Height(30))) == (False, True)


def test_who_lacks_it_or_is_silent_cannot_help_until_it_answers() -> None:
    peers = SyncPeers([ONE, TWO])
    peers.lacks(ONE, 0)
    for _ in range(limits.SYNC_STRIKES_MAX):
        peers.late(TWO, 0)
    assert not peers.may_help(ONE, Height(1))
    assert not peers.may_help(TWO, Height(1))
    peers.answered(ONE)
    peers.answered(TWO)
    assert peers.may_help(ONE, Height(1))
    assert peers.may_help(TWO, Height(1))
    peers.lied(TWO)
    assert not peers.may_help(TWO, Height(1))
    assert peers.may_help(THREE, Height(1)), "a stranger may"
