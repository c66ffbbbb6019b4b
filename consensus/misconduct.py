"""Evidence: two signed votes of one validator that an honest one never signs (consensus rule R13).

Evidence is a function of the two votes alone. Not here: noticing the pair (`tally`, `signatures`).
"""

from moyai.consensus.limits import EVIDENCE_PER_VALIDATOR_MAX
from moyai.consensus.messages import Evidence
from moyai.primitives import misconduct
from moyai.primitives.ids import ValidatorIndex, View
from moyai.primitives.vote import Vote, VoteKind

_Key = tuple[ValidatorIndex, View, VoteKind, VoteKind]


def make_evidence(one: Vote, other: Vote) -> Evidence:
    """Return the evidence of a conflicting pair, in its one order."""
    first, second = sorted((one, other), key=lambda vote: (vote.kind, vote.digest))
    return Evidence(first, second)


def is_conflict(evidence: Evidence) -> bool:
    """Return whether the two votes, if signed, convict their signer."""
    return misconduct.is_conflict(evidence.first, evidence.second)


class EvidenceBook:
    """The evidence found so far, bounded for each validator."""

    def __init__(self) -> None:
        self._found: dict[_Key, Evidence] = {}
        self._counts: dict[ValidatorIndex, int] = {}

    def wants(self, evidence: Evidence) -> bool:
        """Return whether it is new and there is room for it."""
        count = self._counts.get(evidence.first.signer, 0)
        return _key(evidence) not in self._found and count < EVIDENCE_PER_VALIDATOR_MAX

    def add(self, evidence: Evidence) -> None:
        self._found[_key(evidence)] = evidence
        signer = evidence.first.signer
        self._counts[signer] = self._counts.get(signer, 0) + 1

    def equivocated(self, signer: ValidatorIndex, view: View) -> bool:
        """Return whether `signer` proposed or notarized two blocks of `view`."""
        return (signer, view, VoteKind.NOTARIZE, VoteKind.NOTARIZE) in self._found

    def all(self) -> tuple[Evidence, ...]:
        return tuple(self._found.values())


def _key(evidence: Evidence) -> _Key:
    first, second = evidence.first, evidence.second
    return (first.signer, first.view, first.kind, second.kind)
