"""R8, R13: what is worth verifying, what a bad signature costs, what two votes prove."""

import msgspec
import pytest

from harness.consensus.playbook import FINALIZE, NOTARIZE, NULLIFY, Stage
from moyai.consensus.effects import EvidenceFound, Halt, Misbehaved, VerifyCertificate, VerifyVote
from moyai.consensus.inputs import MessageReceived, Now, Timer
from moyai.consensus.limits import VIEWS_AHEAD_MAX
from moyai.consensus.messages import CertificateMessage, Evidence
from moyai.consensus.records import AbstainRecord, EvidenceRecord
from moyai.primitives.certificate import Certificate
from moyai.primitives.ids import Epoch, TimeMs, ValidatorIndex, View


def test_a_vote_counts_in_its_senders_own_slot_only() -> None:
    stage = Stage.following(1)
    one, other = stage.others[:2]
    stage.hear(one, stage.vote(NULLIFY, 1, other))
    assert stage.of(Misbehaved)


@pytest.mark.parametrize("view", [1 + VIEWS_AHEAD_MAX + 1, 2**52])
def test_votes_beyond_the_window_are_dropped_and_counted(view: int) -> None:
    stage = Stage.following(1)
    one = stage.others[0]
    stage.hear(one, stage.vote(NULLIFY, view, one))
    assert any("vote outside the window" in line for line in stage.lines)
    assert not stage.of(Misbehaved)


def test_a_bad_signature_frees_the_slot_and_is_scored() -> None:
    stage = Stage.following(1)
    one = stage.others[0]
    good = stage.vote(NULLIFY, 1, one)
    bad = msgspec.structs.replace(
        good, vote=msgspec.structs.replace(good.vote, signature=bytes(64))
    )
    stage.hear(one, bad)
    assert stage.of(Misbehaved)
    stage.hear(one, good)
    assert not stage.of(Misbehaved)


def test_a_repeated_vote_is_verified_once() -> None:
    stage = Stage.following(1)
    one = stage.others[0]
    key = stage.city.network_keys[one]
    event = MessageReceived(key, stage.vote(NULLIFY, 1, one))
    now = Now(stage.now_ms, TimeMs(stage.wall_ms))
    asked = [e for _ in range(5) for e in stage.machine.step(event, now)]
    assert sum(isinstance(e, VerifyVote) for e in asked) == 1


def test_a_verification_that_is_never_answered_does_not_hold_a_slot_for_ever() -> None:
    stage = Stage.following(1)
    one = stage.others[0]
    now = Now(stage.now_ms, TimeMs(stage.wall_ms))
    key = stage.city.network_keys[one]
    messages = (stage.vote(NULLIFY, 1, one), stage.nullification(2))

    def asked() -> int:
        steps = (stage.machine.step(MessageReceived(key, message), now) for message in messages)
        return sum(isinstance(e, VerifyVote | VerifyCertificate) for step in steps for e in step)

    assert [asked(), asked()] == [2, 0]
    stage.fire(Timer.STATUS)
    assert asked() == 2


def test_x10_one_bad_signature_condemns_the_whole_certificate() -> None:
    stage = Stage(me=0, count=7)
    stage.start()
    good = stage.certificate(NULLIFY, 1, signers=[1, 2, 3, 4, 5, 6]).certificate
    bad = msgspec.structs.replace(good, signatures=(*good.signatures[:-1], bytes(64)))
    stage.hear(1, CertificateMessage(bad))
    assert stage.of(Misbehaved)
    assert stage.machine.status().view == 1
    stage.hear(1, CertificateMessage(good))
    assert stage.machine.status().view == 2


def test_x10_votes_for_another_block_make_no_certificate() -> None:
    stage = Stage.following(1)
    one, other = stage.make(1, ids=1), stage.make(1, ids=2)
    for signer in stage.others:
        stage.hear(signer, stage.vote(NOTARIZE, 1, signer, one if signer % 2 else other))
    right = stage.notarization(one).certificate
    mixed = msgspec.structs.replace(right, digest=other.digest)
    stage.hear(stage.others[0], CertificateMessage(mixed))
    assert stage.of(Misbehaved)


def bitmaps(good: Certificate) -> list[Certificate]:
    change = msgspec.structs.replace
    return [
        change(good, signers=b""),
        change(good, signers=good.signers + b"\x00"),
        change(good, signers=b"\xff"),
        change(good, signers=b"\x03"),
        change(good, signatures=good.signatures[:-1]),
        change(good, signatures=(*good.signatures, bytes(64))),
        change(good, digest=b"\x01" * 32),
    ]


@pytest.mark.parametrize("which", range(7))
def test_x12_a_bitmap_that_does_not_fit_is_refused_before_any_signature(which: int) -> None:
    stage = Stage.following(1)
    stage.hear(1, CertificateMessage(bitmaps(stage.nullification(1).certificate)[which]))
    assert stage.of(Misbehaved)
    assert not any("verify" in line for line in stage.lines)


def test_a_certificate_of_votes_verified_here_is_not_verified_again() -> None:
    stage = Stage.following(1)
    voters = stage.others[:2]
    for signer in voters:
        stage.hear(signer, stage.vote(NULLIFY, 1, signer))
    stage.lines.clear()
    full = stage.nullification(1)
    stage.hear(voters[0], full)
    assert any("verify nullification" in line for line in stage.lines)
    late = Stage.following(1)
    late.hear(voters[0], late.nullification(1))
    late.lines.clear()
    late.hear(voters[0], late.nullification(1))
    assert not any("verify" in line for line in late.lines)


def test_a_certificate_is_forwarded_once() -> None:
    stage = Stage.following(1)
    first = stage.hear(stage.others[0], stage.nullification(1))
    again = stage.hear(stage.others[1], stage.nullification(1))
    assert [c.view for c in stage.certificates(first)] == [1]
    assert stage.certificates(again) == []


def test_nullify_with_finalize_is_evidence_kept_and_passed_on_once() -> None:
    stage = Stage.following(1)
    one, other = stage.others[:2]
    block = stage.make(1)
    stage.hear(one, stage.vote(NULLIFY, 1, one))
    effects = stage.hear(one, stage.vote(FINALIZE, 1, one, block))
    found = [e.evidence for e in effects if isinstance(e, EvidenceFound)]
    assert [(e.first.kind, e.second.kind) for e in found] == [(NULLIFY, FINALIZE)]
    assert [type(r) for r in stage.records(effects)] == [EvidenceRecord]
    assert found[0] in stage.said(effects)
    stage.hear(other, found[0])
    assert stage.of(EvidenceFound) == []


def test_x14_two_nodes_find_the_same_evidence_whatever_came_first() -> None:
    found = []
    for order in (0, 1):
        stage = Stage.following(1)
        signer = stage.others[0]
        votes = [stage.vote(NOTARIZE, 1, signer, stage.make(1, ids=n)) for n in (1, 2)]
        stage.hear(signer, votes[order], votes[1 - order])
        found += [e.evidence for e in stage.all_effects if isinstance(e, EvidenceFound)]
    assert len(found) == 2
    assert found[0] == found[1]


def test_false_evidence_convicts_nobody() -> None:
    stage = Stage.following(1)
    signer, sender = stage.others[:2]
    one = stage.vote(NOTARIZE, 1, signer, stage.make(1, ids=1)).vote
    other = stage.vote(NOTARIZE, 1, signer, stage.make(1, ids=2)).vote
    first, second = sorted((one, other), key=lambda vote: vote.digest)
    forged = msgspec.structs.replace(second, signature=bytes(64))
    apart = msgspec.structs.replace(second, view=View(2))
    beyond = msgspec.structs.replace(second, signer=ValidatorIndex(9))
    for evidence in (
        Evidence(first, forged),
        Evidence(first, first),
        Evidence(second, first),
        Evidence(first, apart),
        Evidence(msgspec.structs.replace(first, signer=ValidatorIndex(9)), beyond),
    ):
        stage.hear(sender, evidence)
        assert stage.of(Misbehaved)
        assert not stage.of(EvidenceFound)


def test_messages_of_another_epoch_are_dropped() -> None:
    stage = Stage.following(1)
    one = stage.others[0]
    vote = stage.vote(NULLIFY, 1, one)
    stage.hear(
        one,
        msgspec.structs.replace(
            vote, vote=stage.city.vote(msgspec.structs.replace(vote.vote, epoch=Epoch(1)))
        ),
    )
    certificate = stage.nullification(1).certificate
    stage.hear(one, CertificateMessage(msgspec.structs.replace(certificate, epoch=Epoch(1))))
    assert stage.machine.status().view == 1
    assert sum("of another epoch" in line for line in stage.lines) == 2


def test_two_finalizations_of_one_view_stop_the_node_with_both() -> None:
    stage = Stage.following(1)
    one, other = stage.make(1, ids=1), stage.make(1, ids=2)
    stage.hear(stage.others[0], stage.finalization(one))
    effects = stage.hear(stage.others[1], stage.finalization(other))
    halts = [effect for effect in effects if isinstance(effect, Halt)]
    assert [len(halt.certificates) for halt in halts] == [2]
    assert stage.machine.status().halted
    assert stage.work() == []


def test_r12_a_foreign_vote_under_the_own_key_silences_this_node_durably() -> None:
    stage = Stage.following(1)
    assert stage.me is not None
    twin = stage.vote(NOTARIZE, 5, stage.me, stage.make(5))
    effects = stage.hear(stage.others[0], twin)
    silent = [r for r in stage.records(effects) if isinstance(r, AbstainRecord)]
    assert [record.abstaining for record in silent] == [True]
    stage.propose(stage.make(1, ids=1))
    assert stage.voted_durably() == []


def test_r12_a_certificate_with_the_own_signature_silences_as_well() -> None:
    stage = Stage.following(1)
    assert stage.me is not None
    signers = [stage.me, *stage.others[:2]]
    stage.hear(stage.others[0], stage.certificate(NULLIFY, 3, signers=sorted(signers)))
    assert stage.machine.status().abstaining
    assert stage.machine.status().view == 4


def test_a_late_vote_does_not_bring_back_the_notarization_of_a_final_block() -> None:
    stage = Stage.following(1)
    block = stage.make(1, ids=1)
    one, other, late = stage.others
    stage.propose(block)  # the own vote is there
    stage.hear(one, stage.notarization(block), stage.finalization(block))
    assert stage.machine.status().final_view == 1
    for signer in (one, other, late):
        stage.hear(signer, stage.vote(NOTARIZE, 1, signer, block))
    status = stage.machine.status()
    assert status.unfinal_blocks == 0
    assert not status.timers_ms.keys() & {"leader", "view", "silent_leader"}
