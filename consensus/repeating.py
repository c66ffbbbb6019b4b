"""Saying again what may have been lost: own votes, and what makes this node wait (R5, R7).

Not here: certificates of the past (`catchup`).
"""

from moyai.consensus.core import Core
from moyai.consensus.effects import Broadcast, ShareTransactions
from moyai.consensus.inputs import Timer
from moyai.consensus.limits import REPEATED_VOTES_MAX
from moyai.consensus.messages import CertificateMessage, VoteMessage
from moyai.primitives.certificate import Certificate
from moyai.primitives.vote import VoteKind


def tick(core: Core) -> None:
    """Repeat what was said a whole period ago and still matters."""
    mark = core.repeat_mark
    core.repeat_mark = core.view
    finalizes = core.ballots.finalizes()[:REPEATED_VOTES_MAX]
    for vote in finalizes:
        if vote.view <= mark and vote.view < core.view:
            core.emit(Broadcast(VoteMessage(vote)))
    votes = core.ballots.in_view(core.view)
    if core.view <= mark:
        proposal = core.own_proposals.get(core.view)
        if proposal is not None:
            core.emit(Broadcast(proposal))
        for vote in votes:
            if proposal is None or vote != proposal.vote:
                core.emit(Broadcast(VoteMessage(vote)))
        if core.ballots.has(VoteKind.NULLIFY, core.view):
            for certificate in waiting_for(core):
                core.emit(Broadcast(CertificateMessage(certificate)))
            core.emit(ShareTransactions(None))
    if finalizes or votes:
        core.timers.set(Timer.REBROADCAST, core.now.mono_ms, core.parameters.rebroadcast_ms)


def wake_leader(core: Core) -> None:
    """R5: Δ without a proposal: give the leader what makes this node wait for one."""
    if core.view in core.accepted:
        return
    leader = core.key_of(core.leader(core.view))
    for certificate in waiting_for(core):
        core.send(leader, CertificateMessage(certificate))
    core.emit(ShareTransactions(leader))


def waiting_for(core: Core) -> list[Certificate]:
    """Return the best certificate for being in this view, and the notarizations above the floor."""
    best = core.certificates.of_highest_view()
    found = [best] if best is not None else []
    notarizations = core.certificates.notarizations
    for view in sorted(notarizations, reverse=True)[:REPEATED_VOTES_MAX]:
        if notarizations[view] not in found:
            found.append(notarizations[view])
    return found
