"""This validator's own votes, and the pair of rules that is all of safety.

In one view: at most one notarize; finalize after nullify, and nullify after finalize: never. A vote
is entered here only together with its journal record.
"""

from moyai.primitives.ids import View
from moyai.primitives.vote import Vote, VoteKind


class Ballots:
    """Own votes by kind and view, above the floor."""

    def __init__(self) -> None:
        self._votes: dict[VoteKind, dict[View, Vote]] = {kind: {} for kind in VoteKind}
        self.highest_view = View(0)

    def vote(self, kind: VoteKind, view: View) -> Vote | None:
        """Return the own vote of this kind in `view`."""
        return self._votes[kind].get(view)

    def has(self, kind: VoteKind, view: View) -> bool:
        """Return whether this validator has voted so."""
        return view in self._votes[kind]

    def allows(self, kind: VoteKind, view: View) -> bool:
        """Return whether a vote of this kind may still be signed in `view`."""
        if view in self._votes[kind]:
            return False
        match kind:
            case VoteKind.NOTARIZE:
                return not self.has(VoteKind.NULLIFY, view) and not self.has(
                    VoteKind.FINALIZE, view
                )
            case VoteKind.NULLIFY:
                return not self.has(VoteKind.FINALIZE, view)
            case VoteKind.FINALIZE:
                return not self.has(VoteKind.NULLIFY, view)

    def record(self, vote: Vote) -> None:
        """Enter a vote that is being made durable."""
        assert self.allows(vote.kind, vote.view), "this vote would break safety"
        self.restore(vote)

    def restore(self, vote: Vote) -> None:
        """Enter a vote that the journal holds."""
        self._votes[vote.kind][vote.view] = vote
        self.highest_view = max(self.highest_view, vote.view)

    def contains(self, vote: Vote) -> bool:
        """Return whether this very subject was voted for."""
        own = self._votes[vote.kind].get(vote.view)
        return own is not None and own.digest == vote.digest

    def in_view(self, view: View) -> list[Vote]:
        """Return the own votes of one view, in order of kind."""
        return [votes[view] for votes in self._votes.values() if view in votes]

    def finalizes(self) -> list[Vote]:
        """Return the own finalize votes, newest view first."""
        votes = self._votes[VoteKind.FINALIZE]
        return [votes[view] for view in sorted(votes, reverse=True)]

    def all(self) -> list[Vote]:
        """Return every own vote, ascending by view."""
        votes = [vote for table in self._votes.values() for vote in table.values()]
        return sorted(votes, key=lambda vote: (vote.view, vote.kind))

    def prune(self, floor: View) -> None:
        """Forget the votes at and below the floor, where nothing is signed any more."""
        for table in self._votes.values():
            for view in [view for view in table if view <= floor]:
                del table[view]
