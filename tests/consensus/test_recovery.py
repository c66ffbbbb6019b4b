"""R14: restarts. What was signed binds, what was final is final, what was said is said again."""

import msgspec

from harness.consensus.playbook import FINALIZE, NOTARIZE, NULLIFY, Stage
from moyai.consensus.effects import EvidenceFound, Finalized
from moyai.consensus.inputs import Started, Timer
from moyai.consensus.messages import Proposal, VoteMessage
from moyai.consensus.misconduct import make_evidence
from moyai.consensus.records import FloorRecord, Recovered
from moyai.primitives.ids import Epoch


def again(stage: Stage) -> Stage:
    """The same validator after a crash that lost every lazy record."""
    journal = stage.journal()
    journal.crash(lambda: False)
    return restarted(stage, journal.recovered())


def restarted(stage: Stage, recovered: Recovered) -> Stage:
    life = Stage(me=stage.me, recovered=recovered)
    life.now_ms, life.wall_ms = stage.now_ms, stage.wall_ms
    life.start()
    return life


def test_x1_an_own_nullify_is_counted_and_sent_again() -> None:
    stage = Stage.following(1)
    stage.work()
    stage.fire(Timer.LEADER)
    life = again(stage)
    assert (NULLIFY, 1) in life.votes(life.all_effects)
    for signer in life.others[:2]:
        life.hear(signer, life.vote(NULLIFY, 1, signer))
    assert life.machine.status().view == 2


def test_r14_own_votes_are_sent_again_before_anybody_is_connected() -> None:
    stage = Stage.following(1)
    block = stage.make(1, ids=1)
    stage.propose(block)
    stage.fire(Timer.VIEW)
    life = Stage(me=stage.me, recovered=stage.journal().recovered())
    assert life.votes(life.act(Started())) == [(NOTARIZE, 1), (NULLIFY, 1)]


def test_x5_a_late_notarization_after_a_restart_brings_no_finalize_of_a_nullified_view() -> None:
    stage = Stage.following(1)
    block = stage.make(1, ids=1)
    stage.propose(block)
    stage.fire(Timer.VIEW)
    life = again(stage)
    life.hear(life.others[0], life.notarization(block))
    assert (FINALIZE, 1) not in life.votes(life.all_effects)
    assert (FINALIZE, 1) not in life.voted_durably()


def test_a_notarized_view_gets_no_second_notarize() -> None:
    stage = Stage.following(1)
    stage.propose(stage.make(1, ids=1))
    life = again(stage)
    life.propose(life.make(1, ids=2))
    assert NOTARIZE not in [kind for kind, _ in life.voted_durably()]


def test_the_view_is_found_again_by_what_the_first_vote_stood_on() -> None:
    stage = Stage.following(1, 2)
    stage.hear(stage.others[0], stage.nullification(1))
    stage.work()
    stage.fire(Timer.LEADER)
    life = again(stage)
    assert life.machine.status().view == 2
    assert (NULLIFY, 2) in life.votes(life.all_effects)


def test_a_lazy_certificate_may_be_gone_and_the_node_starts_lower() -> None:
    stage = Stage.following(1)
    stage.hear(stage.others[0], stage.nullification(1))
    assert stage.machine.status().view == 2
    assert again(stage).machine.status().view == 1


def test_a_body_held_before_the_crash_is_finalized_after_it() -> None:
    stage = Stage.following(1)
    block = stage.make(1, ids=1)
    stage.propose(block)
    life = again(stage)
    life.hear(life.others[0], life.notarization(block))
    assert (FINALIZE, 1) in life.voted_durably()


def test_x4_a_journal_ahead_of_the_chain_store_makes_it_final_again() -> None:
    stage = Stage.following(1)
    block = stage.make(1, ids=1)
    stage.propose(block)
    stage.hear(stage.others[0], stage.finalization(block))
    life = again(stage)
    final = [e for e in life.all_effects if isinstance(e, Finalized)]
    assert [[h.height for h in each.headers] for each in final] == [[1]]
    assert life.machine.status().final_view == 1
    assert life.machine.status().view == 2


def test_x4_a_chain_store_ahead_of_the_journal_is_the_floor() -> None:
    stage = Stage.following(1, 2)
    block = stage.make(1, ids=1)
    stage.propose(block)
    before = stage.journal()
    stage.hear(stage.others[0], stage.finalization(block))
    stage.executed(block)
    floor = next(r for r in stage.records(stage.all_effects) if isinstance(r, FloorRecord))
    assert floor.headers == (block.header,)
    before.crash(lambda: False)
    tip = stage.tip_after(block)
    life = Stage(me=stage.me, recovered=before.recovered(), tip=tip)
    life.start()
    assert life.machine.status().final_view == 1
    assert life.machine.status().view == 2
    assert life.votes(life.all_effects) == []


def test_an_own_proposal_is_sent_again_and_not_made_twice() -> None:
    stage = Stage(me=Stage().leader(1))
    stage.start()
    stage.fire(Timer.IDLE)
    first = [m for m in stage.said(stage.all_effects) if isinstance(m, Proposal)]
    life = again(stage)
    assert [m for m in life.said(life.all_effects) if isinstance(m, Proposal)][:1] == first
    life.fire(Timer.IDLE)
    assert life.voted_durably() == []


def test_a_second_process_is_listened_for_before_the_first_vote() -> None:
    leader = Stage().leader(1)
    stage = Stage(me=(leader + 1) % 4, double_sign_check_ms=1_500)
    stage.start()
    stage.propose(stage.make(1, ids=1))
    assert stage.voted_durably() == []
    assert stage.machine.status().listening
    stage.fire(Timer.DOUBLE_SIGN_CHECK)
    assert stage.voted_durably() == [(NOTARIZE, 1)]


def test_a_second_process_that_is_heard_silences_this_one() -> None:
    leader = Stage().leader(1)
    stage = Stage(me=(leader + 1) % 4, double_sign_check_ms=1_500)
    stage.start()
    twin = stage.vote(NULLIFY, 1, (leader + 1) % 4)
    stage.hear(stage.others[0], VoteMessage(twin.vote))
    stage.fire(Timer.DOUBLE_SIGN_CHECK)
    stage.propose(stage.make(1, ids=1))
    assert stage.voted_durably() == []
    assert stage.machine.status().abstaining


def test_x8_votes_and_certificates_of_another_epoch_do_not_bind_this_one() -> None:
    stage = Stage.following(1)
    assert stage.me is not None
    old = msgspec.structs.replace(stage.vote(NULLIFY, 1, stage.me).vote, epoch=Epoch(7))
    left = msgspec.structs.replace(stage.nullification(1).certificate, epoch=Epoch(7))
    journal = stage.journal().recovered()
    recovered = msgspec.structs.replace(journal, unused=False, votes=(old,), certificates=(left,))
    life = restarted(stage, recovered)
    assert life.machine.status().view == 1
    life.propose(life.make(1, ids=1))
    assert life.voted_durably() == [(NOTARIZE, 1)]


def test_evidence_of_a_past_epoch_does_not_hide_the_same_sin_in_this_one() -> None:
    """Its signer's index may be another validator's now, and views count from 1 again."""
    stage = Stage.following(1)
    liar = stage.others[0]
    both = [stage.vote(NOTARIZE, 1, liar, stage.make(1, ids=ids)) for ids in (1, 2)]
    past = [msgspec.structs.replace(one.vote, epoch=Epoch(7)) for one in both]
    journal = stage.journal().recovered()
    life = restarted(stage, msgspec.structs.replace(journal, evidence=(make_evidence(*past),)))
    for vote in both:
        life.hear(liar, vote)
    assert any(isinstance(effect, EvidenceFound) for effect in life.all_effects)
