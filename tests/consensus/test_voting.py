"""R3, R4, R5 as conversations: what a validator signs, and what is on disk before it says so."""

from harness.consensus.playbook import FINALIZE, NOTARIZE, NULLIFY, Stage
from moyai.consensus.effects import Broadcast, CheckBlock, Persist
from moyai.consensus.inputs import BodyVerdict, Timer
from moyai.consensus.messages import VoteMessage
from moyai.consensus.records import BlockRecord, CertificateRecord, VoteRecord


def test_r3_the_body_is_fetched_before_the_vote() -> None:
    stage = Stage.following(1, 2)
    block = stage.make(1, ids=2)
    effects = stage.hear(stage.leader(1), stage.proposal(block))
    checks = [effect for effect in effects if isinstance(effect, CheckBlock)]
    assert [check.digest for check in checks] == [block.digest]
    assert checks[0].sources[0] == stage.city.network_keys[stage.leader(1)]
    assert stage.votes(effects) == []
    assert stage.votes(stage.body(block)) == [(NOTARIZE, 1)]


def test_r3_body_and_vote_are_one_commit_and_the_vote_leaves_after_it() -> None:
    stage = Stage.following(1, 2)
    block = stage.make(1, ids=2)
    effects = stage.propose(block)
    kinds = [type(effect) for effect in effects if isinstance(effect, Persist | Broadcast)]
    assert kinds == [Persist, Broadcast]
    assert [type(record) for record in stage.records(effects)] == [BlockRecord, VoteRecord]


def test_r3_an_invalid_body_is_nullified() -> None:
    stage = Stage.following(1, 2)
    block = stage.make(1, ids=2)
    stage.hear(stage.leader(1), stage.proposal(block))
    assert stage.votes(stage.body(block, BodyVerdict.INVALID)) == [(NULLIFY, 1)]


def test_r3_a_root_not_executed_here_yet_is_waited_for() -> None:
    stage = Stage.following(1, 2)
    first = stage.make(1, ids=1)
    stage.propose(first)
    stage.hear(stage.others[0], stage.finalization(first))
    second = stage.make(2, first, executed=stage.roots(1))
    assert stage.votes(stage.propose(second)) == []
    assert (NOTARIZE, 2) in stage.votes(stage.executed(first))


def test_r3_another_root_than_the_own_is_invalid_and_an_alarm() -> None:
    stage = Stage.following(1, 2)
    first = stage.make(1, ids=1)
    stage.propose(first)
    stage.hear(stage.others[0], stage.finalization(first))
    stage.executed(first)
    wrong = stage.make(2, first, executed=stage.roots(1, b"\x66"))
    effects = stage.propose(wrong)
    assert stage.votes(effects) == [(NULLIFY, 2)]
    assert any("alarm" in line for line in stage.lines)


def test_r4_finalize_stands_on_notarization_and_body_in_one_commit() -> None:
    stage = Stage.following(1, 2)
    block = stage.make(1, ids=1)
    stage.propose(block)
    effects = stage.hear(stage.others[0], stage.notarization(block))
    assert stage.votes(effects) == [(FINALIZE, 1)]
    commit = next(e for e in effects if isinstance(e, Persist))
    certificates = [r for r in commit.records if isinstance(r, CertificateRecord)]
    assert [(c.certificate.view, c.lazy) for c in certificates] == [(1, False)]
    assert isinstance(commit.records[-1], VoteRecord)


def test_r4_a_late_body_is_still_finalized_in_a_later_view() -> None:
    stage = Stage.following(1, 2)
    block = stage.make(1, ids=1)
    stage.hear(stage.others[0], stage.notarization(block))
    assert stage.machine.status().view == 2
    stage.hear(stage.leader(1), stage.proposal(block))
    assert (FINALIZE, 1) in stage.votes(stage.body(block))


def test_r4_no_finalize_for_a_leader_seen_to_equivocate() -> None:
    stage = Stage.following(1, 2)
    one, other = stage.make(1, ids=1), stage.make(1, ids=2)
    stage.propose(one)
    stage.hear(stage.leader(1), stage.proposal(other))
    effects = stage.hear(stage.others[0], stage.notarization(one))
    assert stage.votes(effects) == []


def test_r5_nullify_after_notarize_is_allowed_finalize_after_nullify_never() -> None:
    stage = Stage.following(1, 2)
    block = stage.make(1, ids=1)
    stage.propose(block)
    assert stage.votes(stage.fire(Timer.VIEW)) == [(NULLIFY, 1)]
    stage.hear(stage.others[0], stage.notarization(block))
    assert (FINALIZE, 1) not in stage.voted_durably()


def test_r5_nullify_after_finalize_never() -> None:
    stage = Stage.following(1, 2)
    block = stage.make(1, ids=1)
    stage.propose(block)
    stage.hear(stage.others[0], stage.notarization(block), stage.nullification(1))
    assert [vote for vote in stage.voted_durably() if vote[1] == 1] == [
        (NOTARIZE, 1),
        (FINALIZE, 1),
    ]


def test_r7_no_vote_at_or_below_a_view_known_to_be_final() -> None:
    stage = Stage.following(1, 2)
    block = stage.make(3, ids=1)
    stage.hear(stage.others[0], stage.finalization(block))
    late = stage.make(2, ids=1)
    stage.hear(stage.leader(2), stage.proposal(late))
    stage.body(late)
    assert stage.voted_durably() == []


def test_r10_the_own_vote_completes_a_quorum_like_any_other() -> None:
    stage = Stage.following(1, 2)
    block = stage.make(1, ids=1)
    third = next(i for i in stage.others if i != stage.leader(1))
    stage.hear(third, stage.vote(NOTARIZE, 1, third, block))
    stage.propose(block)
    assert stage.machine.status().view == 2


def test_the_first_vote_of_a_view_carries_the_certificate_it_was_entered_by() -> None:
    stage = Stage.following(1, 2)
    stage.hear(stage.others[0], stage.nullification(1))
    stage.work()
    effects = stage.fire(Timer.LEADER)
    assert stage.votes(effects) == [(NULLIFY, 2)]
    records = stage.records(effects)
    assert isinstance(records[0], CertificateRecord)
    assert records[0].certificate.view == 1
    assert not records[0].lazy
    assert isinstance(records[1], VoteRecord)


def test_observers_sign_nothing() -> None:
    stage = Stage(me=None)
    stage.start()
    stage.work()
    block = stage.make(1, ids=1)
    stage.propose(block)
    stage.hear(0, stage.notarization(block), stage.finalization(block))
    assert stage.voted_durably() == []
    assert not any(isinstance(m, VoteMessage) for m in stage.said(stage.all_effects))
    assert stage.machine.status().final_height == 1
