"""Final blocks: the newest finalization is applied once the branch down to the last final block is
held (R7).

Not here: long distances (the shell's sync answers `CatchUp`).
"""

from moyai.consensus import blocks, epochs, fetching, proposals, voting
from moyai.consensus.core import Core
from moyai.consensus.effects import CatchUp, DropBlock, Finalized
from moyai.consensus.inputs import Executed, Synced, Timer
from moyai.consensus.limits import CATCH_UP_VIEWS, FETCH_TRIES_MAX
from moyai.consensus.records import FloorRecord, JournalRecord
from moyai.consensus.tree import Block, BodyState
from moyai.primitives import block as values
from moyai.primitives.block import header_digest
from moyai.primitives.certificate import Certificate


def settle(core: Core) -> None:
    """Make the newest finalized block the floor, or get what is lacking for that."""
    newest = core.certificates.newest_finalization
    if newest is None or newest.view <= core.floor or core.catching_up is not None:
        return
    proposals.prune(core, newest.view)
    block = core.tree.get(newest.digest)
    branch = core.tree.branch(block) if block is not None else None
    if branch is None:
        _reach(core, newest, block)
        return
    for each in branch:
        if each.body is BodyState.INVALID:
            reason = f"a final block is invalid here at height {each.header.height}: {each.fault}"
            core.halt(reason, newest)
            return
    if all(each.held for each in branch):
        _apply(core, newest, branch)
    elif _is_far(core, newest):
        _catch_up(core, newest)


def _reach(core: Core, newest: Certificate, block: Block | None) -> None:
    """Ask for the missing part of the branch, or for all of it when it is long."""
    lowest = core.tree.lowest_known(block) if block is not None else None
    if lowest is not None and lowest.header.height <= core.tree.tip.header.height + 1:
        core.halt(
            f"two final blocks at height {core.tree.tip.header.height}",
            core.certificates.floor_finalization,
            newest,
        )
    elif _is_far(core, newest):
        _catch_up(core, newest)
    elif lowest is None:
        sources = blocks.body_sources(core, newest.view)
        fetching.want_block(core, newest.digest, newest.view, sources)
    else:
        fetching.want_parent(core, lowest)


def _is_far(core: Core, newest: Certificate) -> bool:
    if core.later_epoch:
        return True  # its validators are done with this one: the chain stores alone have it
    tried = any(want.tries >= FETCH_TRIES_MAX for want in core.fetches.blocks.values())
    return tried or newest.view - core.floor > CATCH_UP_VIEWS


def _catch_up(core: Core, newest: Certificate) -> None:
    core.catching_up = newest
    core.emit(CatchUp(newest, blocks.body_sources(core, newest.view)))


def _apply(core: Core, newest: Certificate, branch: list[Block]) -> None:
    records: list[JournalRecord] = []
    for each in reversed(branch):
        records += voting.block_records(each)
    headers = tuple(each.header for each in branch)
    records.append(FloorRecord(newest, headers, branch[0].frontier))
    advance = core.tree.advance(branch[0])
    abstain = core.abstention.finalized(newest.view)
    core.persist([*records, abstain] if abstain is not None else records)
    fillers = tuple(header for header in headers[::-1] if header.filler_of is not None)
    chain = headers[len(fillers) :]
    core.emit(Finalized(chain[::-1], newest, fillers))
    for each in advance.final:
        core.activity.turn_finalized(each.header.proposer)
        differing = core.execution.finalize(each)
        if differing is not None:
            core.halt(
                f"the executed roots of height {differing} differ from the final ones", newest
            )
            return
    if chain[0].epoch_end is None:
        _forget(core, newest, advance.dropped)
    else:
        left = [*advance.dropped, *core.tree.above_tip()]
        left_digests = [header_digest(header) for header in fillers]
        left_digests += [each.digest for each in left]
        epochs.end(core, newest, headers[: len(fillers) + 1], left_digests)


def _forget(core: Core, newest: Certificate | None, dropped: list[Block]) -> None:
    """Leave everything at and below the new floor behind."""
    floor = core.floor
    for each in dropped:
        core.emit(DropBlock(each.digest))
    core.execution.prune(core.tree.tip.header)
    core.certificates.prune(floor, newest)
    core.tally.prune(floor)
    core.ballots.prune(floor)
    core.fetches.prune(floor)
    proposals.prune(core, floor)
    core.finalizable = {view for view in core.finalizable if view > floor}
    core.activity.final_view = floor
    core.delta_streak = 0
    core.idle_over = False
    core.timers.set(Timer.IDLE, core.now.mono_ms, core.parameters.idle_block_interval_ms)
    core.dirty = True


def executed(core: Core, done: Executed) -> None:
    """Take in the roots of a final block executed here."""
    roots = values.Executed(done.height, done.state_root, done.receipts_root)
    differing = core.execution.executed(roots, done.pending)
    if differing is not None:
        core.halt(
            f"the final chain has other executed roots at height {done.height}: "
            f"{differing.state_root.hex()} there, {done.state_root.hex()} here",
            core.certificates.floor_finalization,
        )
    core.dirty = True


def synced(core: Core, answer: Synced) -> None:
    """Start again from the tip that catch-up stored and executed."""
    tip = answer.tip
    core.catching_up = None
    core.dirty = True
    certificate = tip.certificate
    if certificate is None or certificate.epoch != core.epoch:
        return
    if tip.header.height <= core.tree.tip.header.height:
        return
    restart = core.tree.reset(tip)
    core.execution.reset(tip)
    if not core.certificates.knows(certificate):
        core.certificates.add(certificate)
    blocks.resume(core, restart.linked)
    headers = (*reversed(answer.fillers), tip.header)
    records: list[JournalRecord] = [FloorRecord(certificate, headers, tip.frontier)]
    abstain = core.abstention.finalized(certificate.view)
    core.persist([*records, abstain] if abstain is not None else records)
    left = [each for each in restart.left if each.digest != core.tree.tip.digest]
    if tip.header.epoch_end is None:
        _forget(core, certificate, left)
    else:
        left += core.tree.above_tip()
        epochs.end(core, certificate, headers, [each.digest for each in left])
