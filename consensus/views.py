"""Moving from view to view: a certificate of any view, of any kind, leads to the next one (R1, R4,
R6-R8).

Not here: the timers of a view (`timeouts`).
"""

from moyai.consensus.core import Core
from moyai.consensus.limits import ACTIVITY_TURNS
from moyai.consensus.round import Round
from moyai.primitives.ids import View
from moyai.primitives.vote import VoteKind


def settle(core: Core) -> None:
    """Enter the view after the highest certified one."""
    highest = core.certificates.highest_view
    if highest >= core.view:
        _enter(core, View(highest + 1))


def _enter(core: Core, view: View) -> None:
    left = core.round
    _judge_turns(core, left.view, view)
    _observe_load(core, View(view - 1))
    if not core.ballots.has(VoteKind.NULLIFY, left.view):
        core.delta_streak = 0
    elif not left.skipped_leader:
        core.delta_streak += 1
    core.round = Round(view, core.now.mono_ms, core.certificates.of_highest_view())
    core.fetches.certificates = None
    core.dirty = True


def _observe_load(core: Core, view: View) -> None:
    """Let the pacing see the block of the view just left."""
    digest = core.certificates.certified(view)
    block = core.tree.get(digest) if digest is not None else None
    if block is not None and block.parent is not None:
        core.pacing.observe(block.header, block.parent.header)


def _judge_turns(core: Core, first: View, end: View) -> None:
    """Note the leaders of the views just left that brought nothing."""
    window = ACTIVITY_TURNS * len(core.validators)
    for number in range(max(first, end - window), end):
        view = View(number)
        nullified = view in core.certificates.nullifications
        if nullified and view not in core.certificates.notarizations:
            core.activity.turn_nullified(core.leader(view))
