"""Counts verified votes: one slot per validator, view and kind; q of one subject make a
certificate.

Not here: who may fill a slot and when (`voting`), what a conflict leads to (`misconduct`).
"""

from enum import Enum

from moyai.primitives.certificate import Certificate, make_certificate
from moyai.primitives.ids import Digest, ValidatorIndex, View
from moyai.primitives.validators import ValidatorSet
from moyai.primitives.vote import Vote, VoteKind


class Reception(Enum):
    """What an unverified vote is to the tally."""

    NEW = "its slot is free"
    RIVAL = "its slot holds a vote for another block"
    KNOWN = "its slot holds the same, or waits for a verification"


class _Slots:
    """The votes of one view and kind."""

    __slots__ = ("counts", "pending", "rivals", "votes")

    def __init__(self) -> None:
        self.votes: dict[ValidatorIndex, Vote] = {}
        self.counts: dict[Digest, int] = {}
        self.pending: dict[ValidatorIndex, Vote] = {}
        self.rivals: dict[ValidatorIndex, Vote] = {}


class Tally:
    """Votes by view and kind, each slot filled once."""

    def __init__(self, validators: ValidatorSet) -> None:
        self._validators = validators
        self._quorum = validators.quorum
        self._views: dict[View, dict[VoteKind, _Slots]] = {}

    def _slots(self, view: View, kind: VoteKind) -> _Slots:
        kinds = self._views.get(view)
        if kinds is None:
            kinds = self._views[view] = {each: _Slots() for each in VoteKind}
        return kinds[kind]

    def receive(self, vote: Vote) -> Reception:
        """Take the slot for a vote whose signature is still to be verified."""
        slots = self._slots(vote.view, vote.kind)
        held = slots.votes.get(vote.signer) or slots.pending.get(vote.signer)
        if held is None:
            slots.pending[vote.signer] = vote
            return Reception.NEW
        if held.digest == vote.digest or vote.signer in slots.rivals:
            return Reception.KNOWN
        slots.rivals[vote.signer] = vote
        return Reception.RIVAL

    def release(self, vote: Vote) -> None:
        """Free the slot of a vote that turned out invalid, or is not going to be verified."""
        slots = self._slots(vote.view, vote.kind)
        for waiting in (slots.pending, slots.rivals):
            if waiting.get(vote.signer) == vote:
                del waiting[vote.signer]

    def free_pending(self) -> None:
        """Free the slots whose verification was never answered; a late answer still counts."""
        for kinds in self._views.values():
            for slots in kinds.values():
                slots.pending.clear()
                slots.rivals.clear()

    def add(self, vote: Vote) -> Certificate | None:
        """Count a verified vote; return the certificate when it is the one that completes a
        quorum.
        """
        slots = self._slots(vote.view, vote.kind)
        slots.pending.pop(vote.signer, None)
        if vote.signer in slots.votes:
            return None
        slots.votes[vote.signer] = vote
        count = slots.counts[vote.digest] = slots.counts.get(vote.digest, 0) + 1
        if count != self._quorum:
            return None
        return make_certificate(
            (each for each in slots.votes.values() if each.digest == vote.digest), self._validators
        )

    def vote(self, view: View, kind: VoteKind, signer: ValidatorIndex) -> Vote | None:
        """Return the verified vote in a slot."""
        kinds = self._views.get(view)
        return kinds[kind].votes.get(signer) if kinds else None

    def signers(self, view: View, kind: VoteKind) -> list[ValidatorIndex]:
        """Return who has voted, ascending."""
        kinds = self._views.get(view)
        return sorted(kinds[kind].votes) if kinds else []

    def covers(self, certificate: Certificate, signers: list[ValidatorIndex]) -> bool:
        """Return whether every signature of the certificate was verified here as a vote."""
        kinds = self._views.get(certificate.view)
        if kinds is None:
            return False
        votes = kinds[certificate.kind].votes
        for signer, signature in zip(signers, certificate.signatures, strict=True):
            vote = votes.get(signer)
            if vote is None or vote.digest != certificate.digest or vote.signature != signature:
                return False
        return True

    def conflicts(self, vote: Vote) -> list[Vote]:
        """Return the verified votes of the same signer that an honest one never signs beside
        `vote`.
        """
        found = [self.vote(vote.view, vote.kind, vote.signer)]
        if vote.kind is VoteKind.NULLIFY:
            found.append(self.vote(vote.view, VoteKind.FINALIZE, vote.signer))
        elif vote.kind is VoteKind.FINALIZE:
            found.append(self.vote(vote.view, VoteKind.NULLIFY, vote.signer))
        return [
            other
            for other in found
            if other is not None and (other.kind is not vote.kind or other.digest != vote.digest)
        ]

    def prune(self, floor: View) -> None:
        """Forget the views below the floor; its own are kept for evidence."""
        for view in [view for view in self._views if view < floor]:
            del self._views[view]
