"""Starting from a journal: flags first, then certificates and blocks, then own votes again (R14).

Not here: reading the journal (the shell).
"""

from moyai.consensus.core import Core
from moyai.consensus.effects import Broadcast
from moyai.consensus.inputs import Timer
from moyai.consensus.messages import VoteMessage
from moyai.consensus.records import Recovered
from moyai.consensus.round import Round
from moyai.consensus.tree import Block, BodyState
from moyai.primitives.block import header_digest
from moyai.primitives.certificate import Certificate
from moyai.primitives.ids import View
from moyai.primitives.vote import VoteKind


def restore(core: Core, recovered: Recovered) -> None:
    """Take in what the journal holds; nothing is emitted yet."""
    floor = core.floor
    _restore_silence(core, recovered)
    for vote in recovered.votes:
        if vote.epoch == core.epoch and vote.view > floor:
            core.ballots.restore(vote)
    certificates = list(recovered.certificates)
    if recovered.floor is not None:
        certificates.append(recovered.floor.certificate)
    for certificate in certificates:
        _restore_certificate(core, certificate)
    _restore_blocks(core, recovered)
    for proposal in recovered.proposals:
        if proposal.header.epoch == core.epoch and proposal.header.view > floor:
            view = proposal.header.view
            core.own_proposals[view] = core.proposals[view] = proposal
            core.accepted[view] = proposal.vote.digest
    for evidence in recovered.evidence:
        if evidence.first.epoch == core.epoch:
            core.evidence.add(evidence)
    entered_by = core.certificates.of_highest_view()
    core.round = Round(View(core.certificates.highest_view + 1), 0, entered_by)
    core.round.proposed = core.round.view in core.own_proposals


def _restore_blocks(core: Core, recovered: Recovered) -> None:
    """Only blocks whose body was held and valid are in a journal."""
    for record in sorted(recovered.blocks, key=lambda record: record.header.height):
        header = record.header
        if header.epoch == core.epoch and header.height > core.tree.tip.header.height:
            block = Block(header, header_digest(header), record.transaction_ids, 0)
            block.stored = True
            for linked in core.tree.add(block):
                linked.body = BodyState.HELD


def _restore_silence(core: Core, recovered: Recovered) -> None:
    if recovered.abstain is not None:
        core.abstention.restore(recovered.abstain)
    elif core.index is not None and not recovered.unused:
        core.lost_journal = recovered.floor is None and not recovered.votes


def _restore_certificate(core: Core, certificate: Certificate) -> None:
    if certificate.epoch != core.epoch or core.certificates.knows(certificate):
        return
    core.certificates.add(certificate)
    core.certificates.mark_durable(certificate)
    if certificate.kind is VoteKind.NOTARIZE:
        core.finalizable.add(certificate.view)
    else:
        core.dirty = True


def started(core: Core) -> None:
    """Count and send the own votes of before, and set the clocks going."""
    now_ms = core.now.mono_ms
    core.round.entered_ms = now_ms
    if core.lost_journal:
        core.persist([core.abstention.begin()])
        core.count("abstaining", "a key without its own journal")
    if core.index is not None and core.config.double_sign_check_ms:
        core.listening = True
        core.timers.set(Timer.DOUBLE_SIGN_CHECK, now_ms, core.config.double_sign_check_ms)
    for vote in core.ballots.all():
        core.tally.add(vote)
        core.emit(Broadcast(VoteMessage(vote)))
    for view in sorted(core.own_proposals):
        core.emit(Broadcast(core.own_proposals[view]))
    core.timers.set(Timer.STATUS, now_ms, core.parameters.status_ms)
    core.timers.set(Timer.IDLE, now_ms, core.parameters.idle_block_interval_ms)
    if core.ballots.all():
        core.timers.set(Timer.REBROADCAST, now_ms, core.parameters.rebroadcast_ms)
    core.repeat_mark = core.view
    core.dirty = True


def listened(core: Core) -> None:
    """The time to hear of a second process with this key is over."""
    core.listening = False
    core.dirty = True
