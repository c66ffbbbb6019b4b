"""The timers of a view and what makes them run; giving a view up (R1, R5).

Not here: how timers are shortened (`activity`).
"""

from moyai.consensus import voting
from moyai.consensus.core import Core
from moyai.consensus.inputs import Timer
from moyai.primitives.vote import VoteKind

_VIEW_TIMERS = (Timer.LEADER, Timer.VIEW, Timer.SILENT_LEADER)


def reason(core: Core) -> str:
    """Return why there should be a block, or "" while the chain may rest (R1)."""
    if core.work.pending:
        return "transactions"
    if core.certificates.notarizations:
        return "a notarized block that is not final"
    if core.execution.unattested_height > core.tree.tip.header.executed.height:
        return "an unattested root"
    if core.idle_over:
        return "the idle interval"
    if core.view in core.accepted:
        return "a proposal"
    if core.activity.awake(core.view):
        return "votes of others"
    return ""


def settle(core: Core) -> None:
    """Start or stop the timers; nullify when one has fired or the proposal is invalid."""
    if core.index is None:
        return
    current = core.round
    if core.ballots.has(VoteKind.NULLIFY, core.view) or not reason(core):
        current.timers_started_ms = None
        _clear(core)
        return
    if current.timers_started_ms is None:
        _start(core)
    elif core.timers.running(Timer.LEADER) and _is_out_of_reach(core):
        leader_ms = _leader_ms(core)
        core.timers.hasten(Timer.LEADER, core.now.mono_ms, leader_ms)
        core.timers.hasten(Timer.VIEW, core.now.mono_ms, leader_ms + core.delta_ms)
    if core.view in core.accepted:
        core.timers.clear(Timer.LEADER)
        core.timers.clear(Timer.SILENT_LEADER)
    if not (current.expired or current.invalid_reason):
        return
    if core.may_vote(core.view) and core.ballots.allows(VoteKind.NULLIFY, core.view):
        voting.nullify(core, current.invalid_reason or _why_expired(core))
        _clear(core)


def _why_expired(core: Core) -> str:
    if core.round.skipped_leader:
        return "inactive leader"
    return "no certificate" if core.view in core.accepted else "no proposal"


def _start(core: Core) -> None:
    current, now_ms = core.round, core.now.mono_ms
    current.timers_started_ms = now_ms
    leader = core.leader(core.view)
    if leader != core.index and core.activity.inactive(leader, core.view):
        current.expired = current.skipped_leader = True
        _clear(core)
        return
    delta_ms, leader_ms = core.delta_ms, _leader_ms(core)
    core.timers.set(Timer.LEADER, now_ms, leader_ms)
    core.timers.set(Timer.VIEW, now_ms, leader_ms + delta_ms)
    if leader == core.index:
        core.timers.clear(Timer.SILENT_LEADER)
    else:
        core.timers.set(Timer.SILENT_LEADER, now_ms, min(delta_ms, leader_ms))


def _leader_ms(core: Core) -> int:
    """Return the leader timer; a leader that this node has no link to gets little of it (R1)."""
    leader = core.leader(core.view)
    full_ms = 2 * core.delta_ms + core.parameters.block_interval_max_ms
    leader_ms = core.activity.leader_timer_ms(leader, core.view, full_ms)
    if not _is_out_of_reach(core):
        return leader_ms
    least_ms = core.activity.least_ms(leader)
    return min(leader_ms, core.delta_ms if least_ms is None else min(least_ms, core.delta_ms))


def _is_out_of_reach(core: Core) -> bool:
    """Return whether the leader is not linked here while a quorum is, and blocks become final."""
    leader = core.leader(core.view)
    return (
        leader != core.index
        and core.key_of(leader) not in core.links.connected
        and len(core.links.validators()) + 1 >= core.validators.quorum
        and core.activity.judges(core.view)
    )


def _clear(core: Core) -> None:
    for timer in _VIEW_TIMERS:
        core.timers.clear(timer)


def fired(core: Core) -> None:
    """R5: the leader timer or the view timer is due."""
    core.round.expired = True
    core.dirty = True
