"""Signature checks of votes and certificates, with a memory of votes already found good.

A certificate made of votes that were verified here costs no second check of the same signature.
"""

from collections import OrderedDict

from moyai.consensus.messages import Evidence
from moyai.primitives.certificate import Certificate, certificate_votes, signer_indexes
from moyai.primitives.errors import CertificateError
from moyai.primitives.validators import ValidatorSet
from moyai.primitives.vote import Vote, vote_is_valid

VERIFIED_VOTES_MAX = 4096


class ConsensusVerifier:
    """Checks what validators sign; remembers the last good votes, signature included."""

    def __init__(self, chain_id: str, validators: ValidatorSet) -> None:
        self._chain_id = chain_id
        self._validators = validators
        self._verified: OrderedDict[Vote, None] = OrderedDict()

    def vote(self, vote: Vote) -> bool:
        """Return whether a vote is of this epoch, by a validator, and well signed."""
        if vote in self._verified:
            return True
        if vote.epoch != self._validators.epoch or vote.signer >= len(self._validators):
            return False
        if not vote_is_valid(vote, self._chain_id, self._validators.keys[vote.signer]):
            return False
        self._verified[vote] = None
        if len(self._verified) > VERIFIED_VOTES_MAX:
            self._verified.popitem(last=False)
        return True

    def certificate(self, certificate: Certificate) -> bool:
        """Return whether shape, quorum and every single signature of a certificate are good."""
        try:
            signer_indexes(certificate, self._validators)
        except CertificateError:
            return False
        return all(self.vote(vote) for vote in certificate_votes(certificate, self._validators))

    def evidence(self, evidence: Evidence) -> bool:
        """Return whether both votes of a piece of evidence are well signed."""
        return self.vote(evidence.first) and self.vote(evidence.second)
