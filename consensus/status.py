"""What a running machine shows to operators: a read-only view of it, made on request."""

import msgspec

from moyai.consensus import timeouts
from moyai.consensus.core import Core
from moyai.primitives.ids import Digest, Epoch, Height, ValidatorIndex, View


class MachineStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Where the machine stands; `reason` is why a block is awaited, "" while the chain rests.

    `abstaining_validators` are the others that say so of themselves.
    """

    epoch: Epoch
    view: View
    leader: ValidatorIndex
    is_leader: bool
    final_view: View
    final_height: Height
    final_digest: Digest
    finalized_view: View
    certified_view: View
    voted_view: View
    executed_height: Height
    unfinal_blocks: int
    abstaining: bool
    listening: bool
    catching_up: bool
    halted: bool
    reason: str
    waits_for: str
    delta_ms: int
    block_interval_ms: int
    timers_ms: dict[str, int]
    missing_validators: tuple[ValidatorIndex, ...]
    abstaining_validators: tuple[ValidatorIndex, ...]
    evidence_count: int


def machine_status(core: Core) -> MachineStatus:
    """Return the status of a machine between two steps."""
    leader = core.leader(core.view)
    return MachineStatus(
        epoch=core.epoch,
        view=core.view,
        leader=leader,
        is_leader=leader == core.index,
        final_view=core.floor,
        final_height=core.tree.tip.header.height,
        final_digest=core.tree.tip.digest,
        finalized_view=core.certificates.final_view,
        certified_view=core.certificates.highest_view,
        voted_view=core.ballots.highest_view,
        executed_height=core.execution.latest.height,
        unfinal_blocks=len(core.certificates.notarizations),
        abstaining=core.abstention.active,
        listening=core.listening,
        catching_up=core.catching_up is not None,
        halted=core.halted,
        reason=timeouts.reason(core),
        waits_for=_waits_for(core),
        delta_ms=core.delta_ms,
        block_interval_ms=core.pacing.interval_ms,
        timers_ms=core.timers.remaining_ms(core.now.mono_ms),
        missing_validators=tuple(core.activity.missing(core.view)),
        abstaining_validators=tuple(sorted(core.abstaining)),
        evidence_count=len(core.evidence.all()),
    )


def _waits_for(core: Core) -> str:
    if core.halted:
        return "an operator: the node has stopped"
    if core.catching_up is not None:
        return f"catch-up to view {core.catching_up.view}"
    if core.certificates.final_view > core.floor:
        return f"the blocks up to the finalized view {core.certificates.final_view}"
    if core.abstention.active:
        return "a finalization from which on it may vote again"
    if not timeouts.reason(core):
        return "work"
    if core.view not in core.accepted:
        return f"the proposal of validator {core.leader(core.view)}"
    return "votes of a quorum"
