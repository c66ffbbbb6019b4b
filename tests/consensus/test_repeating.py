"""R5 and R7: what is said again, and for how long."""

from harness.consensus.playbook import FINALIZE, NOTARIZE, Stage
from moyai.consensus.inputs import Timer
from moyai.consensus.messages import Proposal, VoteMessage


def test_a_finalize_is_repeated_until_its_view_is_final() -> None:
    stage = Stage.following(1)
    block = stage.make(1)
    stage.propose(block)
    stage.hear(stage.others[0], stage.notarization(block))
    assert (FINALIZE, 1) in stage.voted_durably()
    for _ in range(3):
        assert (FINALIZE, 1) in stage.votes(stage.fire(Timer.REBROADCAST))
    stage.hear(stage.others[0], stage.finalization(block))
    stage.fire(Timer.REBROADCAST)
    assert not [m for m in stage.said() if isinstance(m, VoteMessage)]
    assert "rebroadcast" not in stage.machine.status().timers_ms


def test_what_was_just_said_is_not_repeated() -> None:
    stage = Stage.following(1, 2)
    one = stage.make(1)
    stage.propose(one)
    stage.wait(400)
    stage.hear(stage.others[0], stage.nullification(1))
    stage.propose(stage.make(2))
    assert stage.voted_durably()[-1] == (NOTARIZE, 2)
    stage.fire(Timer.REBROADCAST)
    assert stage.votes() == []
    stage.fire(Timer.REBROADCAST)
    assert stage.votes() == [(NOTARIZE, 2)]


def test_a_leader_repeats_its_proposal_whole() -> None:
    stage = Stage(me=Stage().leader(1))
    stage.start()
    stage.fire(Timer.IDLE)
    stage.fire(Timer.REBROADCAST)
    assert len([m for m in stage.said() if isinstance(m, Proposal)]) == 1
    assert not [m for m in stage.said() if isinstance(m, VoteMessage)]
