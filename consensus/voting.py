"""Signing own votes (R3, R4, R5): a vote and what justifies it are one commit, then it is sent.

Not here: the votes of others (`signatures`), the leader's own proposal (`leading`).
"""

from moyai.consensus import blocks, signatures
from moyai.consensus.core import Core
from moyai.consensus.effects import Broadcast
from moyai.consensus.execution import Attested
from moyai.consensus.inputs import Timer
from moyai.consensus.messages import VoteMessage
from moyai.consensus.records import BlockRecord, CertificateRecord, JournalRecord, VoteRecord
from moyai.consensus.tree import Block
from moyai.primitives.certificate import Certificate
from moyai.primitives.ids import ZERO_DIGEST, Digest, View
from moyai.primitives.vote import Vote, VoteKind, vote_message


def sign(core: Core, kind: VoteKind, view: View, digest: Digest) -> Vote:
    """Return the own vote; it is not entered, durable or sent yet."""
    assert core.index is not None
    message = vote_message(core.config.chain_id, core.epoch, view, kind, digest)
    return Vote(core.epoch, view, kind, digest, core.index, core.config.sign(message))


def enter(core: Core, vote: Vote, records: list[JournalRecord]) -> None:
    """Make an own vote durable, in one commit with `records` and the certificate it stands on."""
    assert core.may_vote(vote.view)
    entered_by = core.round.entered_by
    if vote.view == core.view and entered_by is not None:
        records = [*certificate_records(core, entered_by), *records]
    core.persist([*records, VoteRecord(vote)])
    core.ballots.record(vote)
    if not core.timers.running(Timer.REBROADCAST):
        core.repeat_mark = core.view
        core.timers.set(Timer.REBROADCAST, core.now.mono_ms, core.parameters.rebroadcast_ms)


def certificate_records(core: Core, certificate: Certificate) -> list[JournalRecord]:
    """Return what must be written for `certificate` to be durable."""
    if core.certificates.is_durable(certificate) or certificate.view <= core.floor:
        return []
    core.certificates.mark_durable(certificate)
    return [CertificateRecord(certificate, lazy=False)]


def block_records(block: Block) -> list[JournalRecord]:
    """Return what must be written for the block and its body to be durable."""
    if block.stored:
        return []
    block.stored = True
    return [BlockRecord(block.header, block.transaction_ids)]


def cast(core: Core, vote: Vote, records: list[JournalRecord]) -> None:
    """Make durable, send, and count an own vote like any other (R10)."""
    enter(core, vote, records)
    core.emit(Broadcast(VoteMessage(vote)))
    signatures.count_vote(core, vote)
    core.dirty = True


def nullify(core: Core, reason: str) -> None:
    """R5: give the current view up."""
    core.finalizable.discard(core.view)
    core.count("nullified", reason)
    cast(core, sign(core, VoteKind.NULLIFY, core.view, ZERO_DIGEST), [])


def settle(core: Core) -> None:
    """R3 and R4: vote for what can be voted for now."""
    if core.index is None:
        return
    _notarize(core)
    if core.finalizable:
        for view in sorted(core.finalizable):
            _finalize(core, view)


def _notarize(core: Core) -> None:
    view = core.view
    digest = core.accepted.get(view)
    if digest is None or core.round.invalid_reason or not core.may_vote(view):
        return
    block = core.tree.get(digest)
    if (
        block is None
        or not block.held
        or not core.ballots.allows(VoteKind.NOTARIZE, view)
        or core.execution.attests(block.header) is not Attested.SAME
        or not blocks.is_justified(core, block)
    ):
        return
    cast(core, sign(core, VoteKind.NOTARIZE, view, digest), block_records(block))


def _finalize(core: Core, view: View) -> None:
    notarization = core.certificates.notarizations.get(view)
    if (
        notarization is None
        or view <= core.certificates.final_view
        or not core.ballots.allows(VoteKind.FINALIZE, view)
        or core.evidence.equivocated(core.leader(view), view)
    ):
        core.finalizable.discard(view)
        return
    block = core.tree.get(notarization.digest)
    if block is None or not block.held or not core.may_vote(view):
        return
    if core.execution.attests(block.header) is not Attested.SAME:
        return
    core.finalizable.discard(view)
    if not core.execution.names_pending(block.header):
        return
    records = [*certificate_records(core, notarization), *block_records(block)]
    cast(core, sign(core, VoteKind.FINALIZE, view, block.digest), records)
