"""R1 and R5: what makes the timers run, how long, and what their firing does."""

from harness.consensus.playbook import NULLIFY, Made, Stage
from moyai.consensus.effects import ShareTransactions
from moyai.consensus.inputs import LinksChanged, Timer
from moyai.consensus.messages import CertificateMessage, VoteMessage


def running(stage: Stage) -> set[str]:
    return {"leader", "view"} & set(stage.machine.status().timers_ms)


def finalizing(views: int) -> tuple[Stage, Made]:
    """Return a stage after so many views, each proposed 20 ms after it was entered and final.

    Its machine leads neither the next view nor the one five later.
    """
    stage = Stage.following(views + 1, views + 6)
    parent = stage.genesis
    for view in range(1, views + 1):
        if stage.leader(view) == stage.me:
            stage.hear(stage.others[0], stage.nullification(view))
            continue
        stage.wait(20)
        parent = stage.make(view, parent)
        stage.propose(parent)
        stage.hear(stage.others[0], stage.finalization(parent))
    return stage, parent


def unlink(stage: Stage, *validators: int) -> None:
    gone = [stage.city.network_keys[each] for each in (*validators, stage.me or 0)]
    left = sorted(key for key in stage.city.network_keys if key not in gone)
    stage.act(LinksChanged(tuple(left)))


def test_a_resting_chain_runs_no_view_timer() -> None:
    stage = Stage.following(1, 2)
    assert running(stage) == set()
    assert stage.machine.status().reason == ""


def test_work_starts_both_timers_and_its_end_stops_them() -> None:
    stage = Stage.following(1, 2)
    stage.work()
    timers = stage.machine.status().timers_ms
    assert timers["leader"] == 2 * 250 + 250
    assert timers["view"] == timers["leader"] + 250
    stage.work(pending=False)
    assert running(stage) == set()


def test_a_notarized_block_that_is_not_final_is_a_reason() -> None:
    stage = Stage.following(1, 2)
    stage.hear(stage.others[0], stage.notarization(stage.make(1)))
    assert stage.machine.status().reason == "a notarized block that is not final"
    assert running(stage) == {"leader", "view"}


def test_the_proposal_stops_the_leader_timer_and_not_the_view_timer() -> None:
    stage = Stage.following(1, 2)
    stage.work()
    stage.hear(stage.leader(1), stage.proposal(stage.make(1, ids=1)))
    assert running(stage) == {"view"}


def test_one_voter_does_not_wake_a_resting_chain_two_do() -> None:
    stage = Stage.following(1, 2)
    first, second = stage.others[:2]
    stage.hear(first, stage.vote(NULLIFY, 1, first))
    assert running(stage) == set()
    stage.hear(second, stage.vote(NULLIFY, 1, second))
    assert stage.machine.status().reason == "votes of others"
    assert running(stage) == {"leader", "view"}


def test_an_unattested_root_and_the_idle_interval_are_reasons() -> None:
    stage = Stage.following(1, 2)
    block = stage.make(1, ids=1)
    stage.propose(block)
    stage.hear(stage.others[0], stage.finalization(block))
    assert stage.machine.status().reason == ""
    stage.executed(block)
    assert stage.machine.status().reason == "an unattested root"
    quiet = Stage.following(1, 2)
    quiet.fire(Timer.IDLE)
    assert quiet.machine.status().reason == "the idle interval"


def test_r5_the_leader_timer_nullifies_once() -> None:
    stage = Stage.following(1, 2)
    stage.work()
    assert stage.votes(stage.fire(Timer.LEADER)) == [(NULLIFY, 1)]
    assert running(stage) == set()
    stage.work()
    assert stage.voted_durably() == [(NULLIFY, 1)]


def test_r5_delta_without_a_proposal_tells_the_leader_what_is_waited_for() -> None:
    stage = Stage.following(1, 2)
    stage.hear(stage.others[0], stage.nullification(1))
    stage.work()
    effects = stage.fire(Timer.SILENT_LEADER)
    leader = stage.city.network_keys[stage.leader(2)]
    assert [e.to for e in effects if isinstance(e, ShareTransactions)] == [leader]
    assert [m.certificate.view for m in stage.said() if isinstance(m, CertificateMessage)] == [1]


def test_r5_a_nullify_is_repeated_with_its_reasons() -> None:
    stage = Stage.following(1, 2)
    stage.hear(stage.others[0], stage.nullification(1))
    stage.work()
    stage.fire(Timer.LEADER)
    stage.fire(Timer.REBROADCAST)
    effects = stage.fire(Timer.REBROADCAST)
    said = stage.said(effects)
    assert [m.vote.view for m in said if isinstance(m, VoteMessage)] == [2]
    assert [m.certificate.view for m in said if isinstance(m, CertificateMessage)] == [1]
    assert ShareTransactions(None) in effects


def test_delta_grows_by_half_for_each_view_nullified_in_a_row() -> None:
    stage = Stage.following(1, 2)
    stage.work()
    grown = [stage.machine.status().delta_ms]
    for view in range(1, 6):
        stage.fire(Timer.LEADER)
        stage.hear(stage.others[0], stage.nullification(view))
        stage.work()
        grown.append(stage.machine.status().delta_ms)
    assert grown == [250, 375, 562, 843, 1_000, 1_000]
    block = stage.make(stage.view_led_by(stage.others[0], 6))
    stage.propose(block)
    stage.hear(stage.others[0], stage.finalization(block))
    assert stage.machine.status().delta_ms == 250


def test_a_finalization_of_an_earlier_view_sets_delta_back() -> None:
    stage = Stage.following(1, 2)
    block = stage.make(1)
    stage.propose(block)
    stage.hear(stage.others[0], stage.notarization(block))
    stage.fire(Timer.LEADER)
    stage.hear(stage.others[0], stage.nullification(2))
    assert stage.machine.status().delta_ms == 375
    stage.hear(stage.others[0], stage.finalization(block))
    assert stage.machine.status().delta_ms == 250


def test_observers_run_no_view_timer() -> None:
    stage = Stage(me=None)
    stage.start()
    stage.work()
    assert running(stage) == set()


def test_a_leader_without_a_link_gets_four_median_delays() -> None:
    stage, _ = finalizing(8)
    unlink(stage, stage.leader(9))
    stage.work()
    timers = stage.machine.status().timers_ms
    assert (timers["leader"], timers["view"]) == (80, 80 + 250)


def test_a_link_that_ends_during_its_leaders_turn_shortens_the_running_timers() -> None:
    stage, _ = finalizing(8)
    stage.work()
    assert stage.machine.status().timers_ms["leader"] == 750
    stage.wait(10)
    unlink(stage, stage.leader(9))
    stage.wait(10)
    unlink(stage)
    unlink(stage, stage.leader(9))
    assert stage.machine.status().timers_ms["leader"] == 70


def test_a_proposal_that_came_before_the_link_ended_keeps_its_time() -> None:
    stage, parent = finalizing(8)
    stage.work()
    stage.propose(stage.make(9, parent))
    unlink(stage, stage.leader(9))
    assert running(stage) == {"view"}
    assert stage.machine.status().timers_ms["view"] == 750 + 250


def test_without_links_to_a_quorum_or_judgement_nobody_gets_less() -> None:
    cut_off, _ = finalizing(8)
    unlink(cut_off, *cut_off.others[:2], cut_off.leader(9))
    fresh, _ = finalizing(6)
    unlink(fresh, fresh.leader(7))
    for stage in (cut_off, fresh):
        stage.work()
        assert stage.machine.status().timers_ms["leader"] == 750


def test_full_time_comes_back_when_the_chain_does_not_finalize() -> None:
    stage, _ = finalizing(8)
    for view in range(9, 14):
        stage.hear(stage.others[1], stage.nullification(view))
    unlink(stage, stage.leader(14))
    stage.work()
    assert stage.machine.status().timers_ms["leader"] == 750
