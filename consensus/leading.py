"""The leader's turn: which parent, whether there is ground for a block, when, and the proposal
(R2).

Not here: how long to wait under load (`pacing`), choosing transactions (the shell).
"""

from enum import Enum

from moyai.consensus import blocks, fetching, signatures, voting
from moyai.consensus.core import Core
from moyai.consensus.effects import Broadcast, BuildBlock
from moyai.consensus.headers import filled
from moyai.consensus.inputs import BlockBuilt, Timer
from moyai.consensus.limits import HELP_ABSTAINING_MS
from moyai.consensus.messages import Proposal
from moyai.consensus.records import ProposalRecord
from moyai.consensus.round import Building
from moyai.consensus.tree import Block, BodyState
from moyai.primitives.block import Header, header_digest
from moyai.primitives.ids import Height, TimeMs, View
from moyai.primitives.merkle import EMPTY_ROOT
from moyai.primitives.vote import VoteKind


class Ground(Enum):
    """What a block is made for."""

    TRANSACTIONS = "transactions"
    ROOT = "an unattested root"
    IDLE = "the idle interval"
    HELPER = "a notarized block that is not final"
    ABSTAINING = "a member that abstains"


def settle(core: Core) -> None:
    """Propose once, or set the timer for when there will be ground."""
    current = core.round
    if (
        core.index is None
        or core.leader(core.view) != core.index
        or current.proposed
        or current.building is not None
        or not core.may_vote(core.view)
        or not core.ballots.allows(VoteKind.NOTARIZE, core.view)
    ):
        core.timers.clear(Timer.PROPOSE)
        return
    parent = find_parent(core)
    due = _earliest(core, parent) if parent is not None else None
    if parent is None or due is None:
        core.timers.clear(Timer.PROPOSE)
        return
    at_ms, ground = due
    if at_ms > core.now.mono_ms:
        core.timers.set(Timer.PROPOSE, core.now.mono_ms, at_ms - core.now.mono_ms)
        return
    core.timers.clear(Timer.PROPOSE)
    time_ms = TimeMs(max(core.now.wall_ms, parent.header.time_ms + 1))
    if ground is Ground.TRANSACTIONS:
        _build(core, parent, time_ms)
    else:
        if ground is Ground.ABSTAINING:
            _note_help(core)
        core.count("empty_block", ground.value)
        _propose(core, parent, time_ms, BlockBuilt(core.view, parent.digest, (), EMPTY_ROOT, 0))


def find_parent(core: Core) -> Block | None:
    """Return the block to build on, or none after asking for what is lacking.

    It is that of the highest notarized view whose body is held, every view above it nullified.
    """
    for number in range(core.view - 1, core.floor, -1):
        view = View(number)
        digest = core.certificates.certified(view)
        block = core.tree.get(digest) if digest is not None else None
        if block is not None and block.held:
            return block
        if view in core.certificates.nullifications:
            continue
        if digest is None:
            fetching.want_certificates(core, View(core.floor + 1), View(core.view - 1))
        elif block is None or block.body is BodyState.UNLINKED:
            fetching.want_block(core, digest, view, blocks.body_sources(core, view))
        return None
    return core.tree.tip


def _earliest(core: Core, parent: Block) -> tuple[int, Ground] | None:
    """Return the ground that comes first, and when."""
    now_ms, current = core.now.mono_ms, core.round
    grounds: list[tuple[int, Ground]] = []
    if core.certificates.notarizations:
        grounds.append((current.entered_ms + core.delta_ms, Ground.HELPER))
    if filled(parent, core.epoch) is not None:
        return grounds[0] if grounds else None
    if core.work.pending and current.nothing_at != (parent.digest, core.work_serial):
        executed = core.execution.executed_for(parent)
        if core.execution.lag(parent, executed.height) <= core.parameters.execution_lag_max:
            wait_ms = 0 if core.work.full_block else core.pacing.interval_ms
            grounds.append((parent.seen_ms + wait_ms, Ground.TRANSACTIONS))
    if core.execution.unattested_height > parent.header.executed.height:
        grounds.append((parent.seen_ms + core.pacing.attestation_ms, Ground.ROOT))
    if core.idle_over and parent is core.tree.tip:
        grounds.append((now_ms, Ground.IDLE))
    helped = core.abstaining.values()
    grounds += [(since_ms + HELP_ABSTAINING_MS, Ground.ABSTAINING) for since_ms in helped]
    return min(grounds, key=lambda ground: ground[0]) if grounds else None


def _note_help(core: Core) -> None:
    for member, helped_ms in core.abstaining.items():
        if helped_ms + HELP_ABSTAINING_MS <= core.now.mono_ms:
            core.abstaining[member] = core.helped[member] = core.now.mono_ms


def _build(core: Core, parent: Block, time_ms: TimeMs) -> None:
    core.round.building = Building(parent.digest, time_ms)
    ancestors = core.tree.loaded_branch(parent)
    core.emit(BuildBlock(core.view, parent.digest, ancestors, time_ms))


def built(core: Core, answer: BlockBuilt) -> None:
    """Take in the answer to `BuildBlock`."""
    building = core.round.building
    if answer.view != core.view or building is None or building.parent != answer.parent:
        return
    core.round.building = None
    core.dirty = True
    parent = find_parent(core)
    if parent is None or parent.digest != answer.parent or not core.may_vote(core.view):
        return
    if not core.ballots.allows(VoteKind.NOTARIZE, core.view):
        return
    if answer.transaction_ids:
        _propose(core, parent, building.time_ms, answer)
    else:
        core.round.nothing_at = (parent.digest, core.work_serial)


def _propose(core: Core, parent: Block, time_ms: TimeMs, body: BlockBuilt) -> None:
    """Make block, proposal and own notarize durable in one commit, then send them."""
    assert core.index is not None
    filler_of = filled(parent, core.epoch)
    executed = core.execution.executed_for(parent) if filler_of is None else parent.header.executed
    frontier = parent.frontier if filler_of is not None else parent.frontier.append(parent.digest)
    header = Header(
        chain_id=core.config.chain_id,
        epoch=core.epoch,
        view=core.view,
        height=Height(parent.header.height + 1),
        parent=parent.digest,
        parent_view=core.tree.view_of(parent),
        time_ms=time_ms,
        proposer=core.index,
        tx_root=body.tx_root,
        tx_count=len(body.transaction_ids),
        tx_bytes=body.tx_bytes,
        executed=executed,
        epoch_end=core.execution.pending(executed) if filler_of is None else None,
        filler_of=filler_of,
        log_root=frontier.root,
    )
    digest = header_digest(header)
    block = Block(header, digest, body.transaction_ids, core.now.mono_ms)
    core.tree.add(block)
    block.body = BodyState.HELD
    vote = voting.sign(core, VoteKind.NOTARIZE, core.view, digest)
    proposal = Proposal(header, vote, body.transaction_ids)
    voting.enter(core, vote, [*voting.block_records(block), ProposalRecord(proposal)])
    core.round.proposed = True
    core.proposals[core.view] = core.own_proposals[core.view] = proposal
    core.accepted[core.view] = digest
    core.emit(Broadcast(proposal))
    signatures.count_vote(core, vote)
    core.dirty = True
