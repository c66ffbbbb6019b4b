"""Votes, certificates and evidence as they come in: what is verified, what follows.

Rules R4, R6 to R8 and R13. Not here: proposals (`proposals`), signing own votes (`voting`).
"""

from moyai.consensus import epochs
from moyai.consensus.core import Core
from moyai.consensus.effects import (
    Broadcast,
    EvidenceFound,
    VerifyCertificate,
    VerifyEvidence,
    VerifyVote,
)
from moyai.consensus.inputs import CertificateVerified, EvidenceVerified, VoteVerified
from moyai.consensus.limits import VERIFYING_PER_PEER_MAX, VIEWS_AHEAD_MAX
from moyai.consensus.messages import CertificateMessage, Evidence
from moyai.consensus.misconduct import is_conflict, make_evidence
from moyai.consensus.records import EvidenceRecord
from moyai.consensus.tally import Reception
from moyai.primitives.certificate import Certificate, certificate_votes, signer_indexes
from moyai.primitives.errors import CertificateError
from moyai.primitives.ids import ZERO_DIGEST, NetworkKey, ValidatorIndex
from moyai.primitives.vote import Vote, VoteKind


def receive_vote(core: Core, vote: Vote, sender: NetworkKey) -> None:
    """R8: a vote counts in its sender's own slot, within the window of views."""
    if vote.epoch != core.epoch:
        core.count("dropped", "vote of another epoch")
        epochs.show_end(core, vote.epoch, sender)
    elif vote.signer == core.index:
        receive_own(core, vote, sender)
    elif core.links.validator(sender) != vote.signer:
        core.misbehaved(sender, "vote in the slot of another validator")
    elif not core.certificates.final_view <= vote.view <= core.view + VIEWS_AHEAD_MAX:
        core.count("dropped", "vote outside the window")
    elif (vote.kind is VoteKind.NULLIFY) != (vote.digest == ZERO_DIGEST):
        core.misbehaved(sender, "vote with a digest that its kind does not have")
    else:
        _verify(core, vote, sender)


def _verify(core: Core, vote: Vote, sender: NetworkKey) -> None:
    reception = core.tally.receive(vote)
    if reception is Reception.KNOWN:
        return
    if reception is Reception.NEW and _tells_nothing(core, vote):
        core.tally.release(vote)
        return
    core.emit(VerifyVote(vote, sender))


def _tells_nothing(core: Core, vote: Vote) -> bool:
    """Return whether the certificate is here already and the signer is known to be active."""
    certificate = core.certificates.of(vote.kind, vote.view)
    return (
        certificate is not None
        and certificate.digest == vote.digest
        and core.activity.is_fresh(vote.signer, core.view)
    )


def receive_own(core: Core, vote: Vote, sender: NetworkKey) -> None:
    """R12: a vote under the own key that the journal lacks is worth a verification."""
    if vote.epoch == core.epoch and vote.view > core.floor and not core.ballots.contains(vote):
        core.emit(VerifyVote(vote, sender))


def vote_verified(core: Core, answer: VoteVerified) -> None:
    """Take in the answer to `VerifyVote`."""
    vote, sender, valid = answer.vote, answer.sender, answer.valid
    if vote.epoch != core.epoch:
        return  # asked before the epoch changed
    if vote.signer == core.index:
        if not valid:
            core.misbehaved(sender, "vote with a bad signature")
        elif vote.view > core.floor and not core.ballots.contains(vote):
            _fall_silent(core)
        return
    if not valid:
        core.tally.release(vote)
        core.misbehaved(sender, "vote with a bad signature")
    elif vote.view >= core.certificates.final_view:
        count_vote(core, vote)


def count_vote(core: Core, vote: Vote) -> None:
    """Count a verified vote, another's or the own (R10)."""
    conflicts = core.tally.conflicts(vote)
    certificate = core.tally.add(vote)
    core.activity.heard(vote)
    for other in conflicts:
        _found(core, make_evidence(vote, other))
    if certificate is not None and not core.certificates.knows(certificate):
        learn(core, certificate)
    if vote.view >= core.view and core.round.timers_started_ms is None:
        core.dirty = True


def receive_certificate(core: Core, certificate: Certificate, sender: NetworkKey) -> None:
    """R8: any view's certificate is welcome, once every signature of it is verified."""
    if certificate.epoch != core.epoch:
        core.count("dropped", "certificate of another epoch")
        return
    if core.certificates.knows(certificate):
        _contradiction(core, certificate, sender)
        return
    try:
        signers = signer_indexes(certificate, core.validators)
    except CertificateError as error:
        core.misbehaved(sender, error.reason)
        return
    if core.tally.covers(certificate, signers):
        learn(core, certificate)
        return
    if certificate in core.verifying:
        return
    if sum(1 for key in core.verifying.values() if key == sender) >= VERIFYING_PER_PEER_MAX:
        core.count("dropped", "too many certificates of one peer at once")
        return
    core.verifying[certificate] = sender
    core.emit(VerifyCertificate(certificate, sender))


def _contradiction(core: Core, certificate: Certificate, sender: NetworkKey) -> None:
    """Look closer at a known subject with another digest: of honest quorums there is none."""
    known = core.certificates.certified(certificate.view)
    if (
        certificate.kind is VoteKind.FINALIZE
        and known is not None
        and known != certificate.digest
        and certificate not in core.verifying
    ):
        core.verifying[certificate] = sender
        core.emit(VerifyCertificate(certificate, sender))


def certificate_verified(core: Core, answer: CertificateVerified) -> None:
    """Take in the answer to `VerifyCertificate`."""
    certificate = answer.certificate
    core.verifying.pop(certificate, None)
    if certificate.epoch != core.epoch:
        return
    if not answer.valid:
        core.misbehaved(answer.sender, "certificate with a bad signature")
        return
    if certificate.kind is VoteKind.FINALIZE:
        for known in (core.certificates.newest_finalization, core.certificates.floor_finalization):
            if known and known.view == certificate.view and known.digest != certificate.digest:
                core.halt("two finalizations of one view", known, certificate)
                return
    if not core.certificates.knows(certificate):
        learn(core, certificate)
    _convict(core, certificate)


def _convict(core: Core, certificate: Certificate) -> None:
    """Compare the votes inside a verified certificate with those counted here (R12, R13)."""
    if certificate.view < core.floor:
        return
    for vote in certificate_votes(certificate, core.validators):
        if vote.signer == core.index:
            if vote.view > core.floor and not core.ballots.contains(vote):
                _fall_silent(core)
        else:
            for other in core.tally.conflicts(vote):
                _found(core, make_evidence(vote, other))


def learn(core: Core, certificate: Certificate) -> None:
    """Keep a verified certificate, forward it once, and let the rules look at it (R4, R6, R7)."""
    core.certificates.add(certificate)
    core.learned.append(certificate)
    core.emit(Broadcast(CertificateMessage(certificate)))
    bits = int.from_bytes(certificate.signers, "little")
    for signer in range(len(core.validators)):
        if bits >> signer & 1:
            core.activity.seen(ValidatorIndex(signer), certificate.view)
    if certificate.kind is VoteKind.NOTARIZE:
        core.finalizable.add(certificate.view)
    elif certificate.kind is VoteKind.FINALIZE:
        core.tally.prune(certificate.view)
    core.dirty = True


def _fall_silent(core: Core) -> None:
    if core.index is not None and not core.abstention.active:
        core.persist([core.abstention.begin()])
        core.count("abstaining", "a signature of the own key that the journal lacks")
        core.dirty = True


def receive_evidence(core: Core, evidence: Evidence, sender: NetworkKey) -> None:
    """R13: evidence is checked, kept and passed on once."""
    signer = evidence.first.signer
    if evidence.first.epoch != core.epoch:
        core.count("dropped", "evidence of another epoch")
    elif signer >= len(core.validators) or not is_conflict(evidence):
        core.misbehaved(sender, "evidence of nothing")
    elif core.evidence.wants(evidence):
        core.emit(VerifyEvidence(evidence, sender))


def evidence_verified(core: Core, answer: EvidenceVerified) -> None:
    """Take in the answer to `VerifyEvidence`."""
    if answer.evidence.first.epoch != core.epoch:
        return
    if answer.valid:
        _found(core, answer.evidence)
    else:
        core.misbehaved(answer.sender, "evidence with a bad signature")


def _found(core: Core, evidence: Evidence) -> None:
    if not is_conflict(evidence) or not core.evidence.wants(evidence):
        return
    core.evidence.add(evidence)
    core.persist([EvidenceRecord(evidence)])
    core.emit(Broadcast(evidence))
    core.emit(EvidenceFound(evidence))
    core.dirty = True
