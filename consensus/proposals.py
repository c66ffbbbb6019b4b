"""The proposals of others: the first of each leader is kept, accepted and judged (R3, R8).

Not here: own proposals (`leading`).
"""

from moyai.consensus import blocks, signatures
from moyai.consensus.core import Core
from moyai.consensus.execution import Attested
from moyai.consensus.headers import clock_fault, ids_fault
from moyai.consensus.limits import TREE_BLOCKS_MAX, VIEWS_AHEAD_MAX
from moyai.consensus.messages import Proposal
from moyai.consensus.tree import Block, BodyState
from moyai.primitives.block import header_digest
from moyai.primitives.ids import Digest, NetworkKey, View
from moyai.primitives.vote import Vote, VoteKind


def receive(core: Core, proposal: Proposal, sender: NetworkKey) -> None:
    """R8: keep the first proposal of a view within the window; a second one is evidence."""
    header, vote = proposal.header, proposal.vote
    if header.epoch != core.epoch or header.chain_id != core.config.chain_id:
        core.count("dropped", "proposal of another epoch or chain")
        return
    leader = core.leader(header.view)
    if core.links.validator(sender) != leader or header.proposer != leader:
        core.misbehaved(sender, "proposal in the turn of another leader")
        return
    if not core.floor < header.view <= core.view + VIEWS_AHEAD_MAX:
        core.count("dropped", "proposal outside the window")
        return
    digest = header_digest(header)
    subject = (vote.epoch, vote.view, vote.kind, vote.digest, vote.signer)
    if subject != (core.epoch, header.view, VoteKind.NOTARIZE, digest, leader):
        core.misbehaved(sender, "proposal with a vote for something else")
        return
    if core.certificates.certified(header.view) == digest:
        _certified_already(core, proposal, digest)
        return
    known = core.proposals.get(header.view)
    if known is None:
        fault = ids_fault(header, proposal.transaction_ids)
        if fault:
            core.misbehaved(sender, f"proposal: {fault}")
            return
        core.proposals[header.view] = proposal
    counted = core.tally.vote(header.view, VoteKind.NOTARIZE, leader)
    if counted is not None and counted.digest == digest:
        accept(core, counted)
    else:
        signatures.receive_vote(core, vote, sender)


def _certified_already(core: Core, proposal: Proposal, digest: Digest) -> None:
    """R4: a late body is still welcome; the quorum vouches for the header."""
    if not ids_fault(proposal.header, proposal.transaction_ids):
        blocks.admit(core, proposal.header, digest, proposal.transaction_ids)


def accept(core: Core, vote: Vote) -> None:
    """Take the block of a proposal into the tree once its leader's vote is verified."""
    view = vote.view
    proposal = core.proposals.get(view)
    if proposal is None or view in core.accepted or vote.signer != core.leader(view):
        return
    if proposal.vote.digest != vote.digest:
        return
    if len(core.tree) >= TREE_BLOCKS_MAX:
        core.count("dropped", "proposal while too many blocks wait")
        return
    core.accepted[view] = vote.digest
    if view == core.view:
        core.activity.proposal_after(vote.signer, core.now.mono_ms - core.round.entered_ms)
    blocks.admit(core, proposal.header, vote.digest, proposal.transaction_ids)
    core.dirty = True


def reject(core: Core, vote: Vote) -> None:
    """Forget a proposal whose vote has a bad signature, so that a true one finds its place."""
    proposal = core.proposals.get(vote.view)
    if proposal is not None and proposal.vote == vote:
        del core.proposals[vote.view]


def settle(core: Core) -> None:
    """Judge the proposal of the current view as far as it can be judged; `voting` does the rest."""
    digest = core.accepted.get(core.view)
    block = core.tree.get(digest) if digest is not None else None
    if block is None or core.round.invalid_reason or core.leader(core.view) == core.index:
        return
    fault = ""
    if block.header.parent_view < core.floor:
        fault = "the parent is below the last final block"
    elif block.body is BodyState.INVALID:
        fault = block.fault
    elif core.execution.attests(block.header) is Attested.DIFFERENT:
        fault = "executed roots differ from this node's"
        core.count("alarm", f"{fault} at height {block.header.executed.height}")
    elif not _ends_rightly(core, block):
        fault = "epoch_end is not the pending set"
    elif block.parent is not None and not core.round.clock_asked:
        core.round.clock_asked = True
        fault = clock_fault(block.header, block.parent.header, core.now.wall_ms)
    if fault:
        core.round.invalid_reason = fault
        core.dirty = True


def _ends_rightly(core: Core, block: Block) -> bool:
    attested = core.execution.attests(block.header) is Attested.SAME
    return not attested or core.execution.names_pending(block.header)


def prune(core: Core, floor: View) -> None:
    """Forget proposals at and below the floor."""
    for table in (core.proposals, core.accepted, core.own_proposals):
        for view in [view for view in table if view <= floor]:
            del table[view]
