"""Anti-entropy: every node says where it stands, who is ahead sends what the other lacks (R11).

Not here: fetching single blocks (`fetching`), long distances (`finality` asks the shell).
"""

from moyai.consensus import epochs, fetching, signatures
from moyai.consensus.core import Core
from moyai.consensus.effects import Broadcast
from moyai.consensus.inputs import LinksChanged, Timer
from moyai.consensus.limits import GAP_CERTIFICATES_MAX, HELP_ABSTAINING_MS, IDLE_STATUS_MS
from moyai.consensus.messages import (
    CertificateMessage,
    CertificateRequest,
    Status,
    VoteMessage,
)
from moyai.primitives.ids import NetworkKey, View
from moyai.primitives.vote import Vote


def own_status(core: Core, vote_of_yours: Vote | None) -> Status:
    """Return what this node says about itself."""
    return Status(
        epoch=core.epoch,
        view=core.view,
        final_view=core.floor,
        final_height=core.tree.tip.header.height,
        certified_view=core.certificates.highest_view,
        voted_view=core.ballots.highest_view,
        abstaining=core.abstention.active,
        vote_of_yours=vote_of_yours,
    )


def unfinished(core: Core) -> bool:
    """Return whether something is under way that a lost message could have stopped."""
    return (
        bool(core.certificates.notarizations)
        or core.certificates.final_view > core.floor
        or not core.fetches.empty
        or core.work.pending
        or core.abstention.active
    )


def tick(core: Core) -> None:
    """Say where this node stands when that changed or matters, else now and then."""
    core.links.refill()
    core.tally.free_pending()
    core.verifying.clear()
    core.shown_end.clear()
    fetching.remind(core)
    status = own_status(core, None)
    now_ms = core.now.mono_ms
    if status != core.said or unfinished(core) or now_ms - core.said_ms >= IDLE_STATUS_MS:
        core.said, core.said_ms = status, now_ms
        core.emit(Broadcast(status))
    core.timers.set(Timer.STATUS, now_ms, core.parameters.status_ms)


def links_changed(core: Core, change: LinksChanged) -> None:
    """Greet new peers with a status, and new validators with what is under way."""
    before = len(core.links.validators())
    new = core.links.change(change.connected)
    for peer in new:
        validator = core.links.validator(peer)
        vote = core.activity.newest_vote(validator) if validator is not None else None
        core.send(peer, own_status(core, vote))
        if validator is not None:
            _send_current(core, peer)
    needed = core.validators.quorum - (1 if core.index is not None else 0)
    if before < needed <= len(core.links.validators()):
        core.delta_streak = 0  # a quorum of links is up again
    core.dirty = True


def _send_current(core: Core, peer: NetworkKey) -> None:
    proposal = core.own_proposals.get(core.view)
    if proposal is not None:
        core.send(peer, proposal)
    for vote in core.ballots.in_view(core.view):
        if proposal is None or vote != proposal.vote:
            core.send(peer, VoteMessage(vote))


def receive(core: Core, status: Status, sender: NetworkKey) -> None:
    """R11: give what the other lacks, ask for what is lacking here."""
    if status.epoch != core.epoch:
        _other_epoch(core, status, sender)
        return
    validator = core.links.validator(sender)
    if validator is not None and validator != core.index:
        core.abstention.report(
            validator, max(status.certified_view, View(max(0, status.voted_view - 1)))
        )
        if status.abstaining and validator not in core.abstaining:
            never = core.now.mono_ms - HELP_ABSTAINING_MS
            core.abstaining[validator] = core.helped.get(validator, never)
            core.dirty = True
        elif not status.abstaining:
            core.abstaining.pop(validator, None)
    vote = status.vote_of_yours
    if vote is not None:
        if vote.signer == core.index:
            signatures.receive_own(core, vote, sender)
        else:
            core.misbehaved(sender, "status with a vote of somebody else")
    _give(core, status, sender)
    _ask(core, status, sender)


def _other_epoch(core: Core, status: Status, peer: NetworkKey) -> None:
    """R11: prove the end of its epoch to a peer in an older one; ask a peer in a later one for it.

    That a later epoch has begun is a claim: it changes where blocks are asked for, nothing else.
    """
    if status.epoch < core.epoch:
        epochs.show_end(core, status.epoch, peer)
    elif not core.links.spend(peer, 1):
        core.count("dropped", "status of a later epoch")
    else:
        core.later_epoch = True
        core.dirty = True
        core.send(peer, own_status(core, None))


def _give(core: Core, status: Status, peer: NetworkKey) -> None:
    """Send the newest finalization, the certificate that moves furthest, then gap evidence."""
    newest = core.certificates.newest_finalization
    found = [newest] if newest is not None and status.final_view < newest.view else []
    if status.certified_view < core.certificates.highest_view:
        furthest = core.certificates.of_highest_view()
        first = View(status.certified_view + 1)
        gap = core.certificates.of_views(first, core.certificates.highest_view)
        found += [furthest] if furthest is not None and furthest not in found else []
        found += [certificate for certificate in gap if certificate not in found]
    for certificate in found[: core.links.spend(peer, min(len(found), GAP_CERTIFICATES_MAX))]:
        core.send(peer, CertificateMessage(certificate))


def _ask(core: Core, status: Status, peer: NetworkKey) -> None:
    ahead = status.certified_view > core.certificates.highest_view
    if (ahead or status.final_view > core.certificates.final_view) and core.links.spend(peer, 1):
        first = View(core.certificates.final_view + 1)
        last = max(status.certified_view, status.final_view)
        core.send(peer, CertificateRequest(core.epoch, first, last))
