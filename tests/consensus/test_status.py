"""What operators read off a machine."""

from harness.consensus.playbook import Stage
from moyai.consensus.inputs import Synced


def test_a_resting_machine_waits_for_work() -> None:
    status = Stage.following(1).machine.status()
    assert (status.view, status.final_height, status.reason) == (1, 0, "")
    assert status.waits_for == "work"
    assert not status.is_leader
    assert status.missing_validators == ()


def test_it_says_what_it_waits_for() -> None:
    stage = Stage.following(1, 2)
    stage.work()
    assert stage.machine.status().waits_for == f"the proposal of validator {stage.leader(1)}"
    block = stage.make(1, ids=1)
    stage.propose(block)
    assert stage.machine.status().waits_for == "votes of a quorum"
    two = stage.make(2, block, ids=1)
    stage.hear(stage.others[0], stage.finalization(two))
    assert "the blocks up to the finalized view 2" in stage.machine.status().waits_for


def test_catch_up_is_shown_until_it_is_over() -> None:
    stage = Stage(me=None)
    stage.start()
    far = stage.make(40)
    stage.hear(0, stage.finalization(far))
    assert stage.machine.status().waits_for == "catch-up to view 40"
    stage.act(Synced(stage.tip_after(far)))
    assert stage.machine.status().catching_up is False
    assert stage.machine.status().final_view == 40


def test_reading_the_status_changes_nothing() -> None:
    stage = Stage.following(1)
    assert stage.machine.status() == stage.machine.status()
