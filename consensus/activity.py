"""Who was heard lately, and how the turns of each leader ended: the basis of shortened timers.

Local policy that cannot touch safety. Not here: the timers themselves (`timeouts`).
"""

from statistics import median_low

from moyai.consensus.limits import ACTIVITY_TURNS
from moyai.primitives.ids import ValidatorIndex, View
from moyai.primitives.quorum import one_honest
from moyai.primitives.validators import ValidatorSet
from moyai.primitives.vote import Vote

_NEVER = View(-1)


class Activity:
    """Observations about the validators of one epoch since this node started."""

    def __init__(self, validators: ValidatorSet, started_view: View) -> None:
        count = len(validators)
        self._validators = validators
        self._window = ACTIVITY_TURNS * count
        self._started_view = started_view
        self._heard = [_NEVER] * count
        self._newest: list[Vote | None] = [None] * count
        self._nullified_turns = [0] * count
        self._delays_ms: list[int | None] = [None] * count
        self.final_view = started_view

    def heard(self, vote: Vote) -> None:
        """Note a verified vote."""
        newest = self._newest[vote.signer]
        if newest is None or vote.view >= newest.view:
            self._newest[vote.signer] = vote
        self.seen(vote.signer, vote.view)

    def seen(self, signer: ValidatorIndex, view: View) -> None:
        """Note a validator's part in a verified certificate."""
        if view > self._heard[signer]:
            self._heard[signer] = view

    def newest_vote(self, signer: ValidatorIndex) -> Vote | None:
        """Return the verified vote of the highest view."""
        return self._newest[signer]

    def is_fresh(self, signer: ValidatorIndex, view: View) -> bool:
        """Return whether `signer` was heard so lately that one vote more tells nothing."""
        return self._heard[signer] > view - len(self._validators)

    def awake(self, view: View) -> bool:
        """Return whether f+1 validators voted in `view` or later (R1)."""
        ahead = sum(1 for heard in self._heard if heard >= view)
        return ahead >= one_honest(len(self._heard))

    def inactive(self, signer: ValidatorIndex, view: View) -> bool:
        """Return whether `signer` is silent while a quorum is active and blocks become final."""
        if not self.judges(view):
            return False
        since = view - self._window
        active = sum(1 for heard in self._heard if heard >= since)
        return self._heard[signer] < since and active >= self._validators.quorum

    def leader_timer_ms(self, leader: ValidatorIndex, view: View, full_ms: int) -> int:
        """Return the leader timer: halved for each nullified turn from the second on (R1).

        A leader that has said nothing since a nullified turn gets the least at once.
        """
        turns = self._nullified_turns[leader]
        least_ms = self.least_ms(leader)
        if not turns or least_ms is None or not self._finalizing(view):
            return full_ms
        if self.judges(view) and not self.is_fresh(leader, view):
            return min(full_ms, least_ms)
        return min(full_ms, max(full_ms >> (turns - 1), least_ms))

    def least_ms(self, leader: ValidatorIndex) -> int | None:
        """Return four times the median delay of the others' proposals, or none before any came."""
        others = [
            delay
            for signer, delay in enumerate(self._delays_ms)
            if delay is not None and signer != leader
        ]
        return 4 * median_low(others) if others else None

    def judges(self, view: View) -> bool:
        """Return whether enough was seen, and becomes final, to judge who is not there."""
        return view - self._started_view >= self._window and self._finalizing(view)

    def missing(self, view: View) -> list[ValidatorIndex]:
        """Return the validators not heard within the window, for `status`."""
        return [
            ValidatorIndex(signer)
            for signer, heard in enumerate(self._heard)
            if heard < view - self._window
        ]

    def proposal_after(self, leader: ValidatorIndex, delay_ms: int) -> None:
        """Note how long after entering the view the proposal came."""
        self._delays_ms[leader] = delay_ms

    def turn_nullified(self, leader: ValidatorIndex) -> None:
        """Note a view of `leader` that ended without a notarization."""
        self._nullified_turns[leader] += 1

    def turn_finalized(self, leader: ValidatorIndex) -> None:
        """Note a view of `leader` that became final."""
        self._nullified_turns[leader] = 0

    def _finalizing(self, view: View) -> bool:
        return view - self.final_view <= len(self._validators)
