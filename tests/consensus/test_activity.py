"""Local policy about leaders: who is skipped, whose timer is short, and what restores them (R1)."""

from harness.consensus.keys import City
from moyai.consensus.activity import Activity
from moyai.primitives.ids import Epoch, ValidatorIndex, View
from moyai.primitives.vote import Vote, VoteKind

CITY = City(4)
DEAD = ValidatorIndex(3)


def vote(signer: int, view: int) -> Vote:
    return CITY.vote(
        Vote(Epoch(0), View(view), VoteKind.NULLIFY, bytes(32), ValidatorIndex(signer), b"")  # type: ignore[arg-type]
    )


def lively(until: int, *, dead: bool = True) -> Activity:
    activity = Activity(CITY.validators, View(0))
    for view in range(1, until):
        for signer in range(3 if dead else 4):
            activity.heard(vote(signer, view))
    activity.final_view = View(until - 1)
    return activity


def test_a_leader_silent_for_two_rounds_is_inactive() -> None:
    activity = lively(12)
    assert activity.inactive(DEAD, View(12))
    assert not activity.inactive(ValidatorIndex(0), View(12))
    assert activity.missing(View(12)) == [DEAD]


def test_activity_is_judged_only_after_two_rounds_since_the_start() -> None:
    assert not lively(7).inactive(DEAD, View(7))
    assert lively(8).inactive(DEAD, View(8))


def test_after_a_restart_nobody_is_judged_for_two_rounds() -> None:
    for view, judged in ((107, False), (108, True)):
        activity = Activity(CITY.validators, View(100))
        for signer in range(3):
            activity.heard(vote(signer, view - 1))
        activity.final_view = View(view - 1)
        assert activity.inactive(DEAD, View(view)) is judged


def test_one_vote_restores_it() -> None:
    activity = lively(12)
    activity.heard(vote(DEAD, 11))
    assert not activity.inactive(DEAD, View(12))


def test_nobody_is_skipped_while_the_chain_does_not_finalize() -> None:
    activity = lively(12)
    activity.final_view = View(7)
    assert not activity.inactive(DEAD, View(12))


def test_nobody_is_skipped_without_an_active_quorum() -> None:
    activity = Activity(CITY.validators, View(0))
    for view in range(1, 12):
        activity.heard(vote(0, view))
        activity.heard(vote(1, view))
    activity.final_view = View(11)
    assert not activity.inactive(DEAD, View(12))


def test_f_plus_one_validators_in_this_view_keep_the_chain_awake() -> None:
    activity = Activity(CITY.validators, View(0))
    activity.heard(vote(0, 5))
    assert not activity.awake(View(5))
    activity.heard(vote(1, 6))
    assert activity.awake(View(5))
    assert not activity.awake(View(6))


def test_a_leader_whose_turns_fail_gets_less_and_less_time_but_four_medians() -> None:
    activity = lively(12, dead=False)
    for signer in range(3):
        activity.proposal_after(ValidatorIndex(signer), 20)
    timers = []
    for _ in range(6):
        timers.append(activity.leader_timer_ms(DEAD, View(12), 800))
        activity.turn_nullified(DEAD)
    assert timers == [800, 800, 400, 200, 100, 80]
    activity.turn_finalized(DEAD)
    assert activity.leader_timer_ms(DEAD, View(12), 800) == 800


def test_a_leader_silent_since_its_nullified_turn_gets_four_medians_at_once() -> None:
    activity = lively(12)
    activity.proposal_after(ValidatorIndex(0), 20)
    assert activity.leader_timer_ms(DEAD, View(12), 800) == 800
    activity.turn_nullified(DEAD)
    assert activity.leader_timer_ms(DEAD, View(12), 800) == 80
    activity.heard(vote(DEAD, 11))
    assert activity.leader_timer_ms(DEAD, View(12), 800) == 800


def test_who_is_silent_gets_its_time_while_the_chain_does_not_finalize() -> None:
    activity = lively(12)
    activity.proposal_after(ValidatorIndex(0), 20)
    activity.turn_nullified(DEAD)
    activity.final_view = View(7)
    assert activity.leader_timer_ms(DEAD, View(12), 800) == 800


def test_the_newest_vote_is_of_the_highest_view() -> None:
    activity = Activity(CITY.validators, View(0))
    activity.heard(vote(1, 6))
    activity.heard(vote(1, 4))
    assert activity.newest_vote(ValidatorIndex(1)) == vote(1, 6)
    assert activity.newest_vote(ValidatorIndex(2)) is None
    assert activity.is_fresh(ValidatorIndex(1), View(9))
    assert not activity.is_fresh(ValidatorIndex(1), View(10))
