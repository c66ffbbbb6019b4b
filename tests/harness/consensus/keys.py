"""Abstract signatures: a keyed hash that costs a microsecond. Not here: real keys
(`primitives.keys`).
"""

from collections.abc import Callable
from hashlib import sha256

from moyai.consensus.messages import Evidence
from moyai.primitives.certificate import Certificate, certificate_votes
from moyai.primitives.errors import CertificateError
from moyai.primitives.ids import Epoch, NetworkKey, PublicKey, ValidatorIndex
from moyai.primitives.validators import ValidatorSet
from moyai.primitives.vote import Vote, vote_message

CHAIN_ID = "simulated"


class City:
    """The validators of a simulated chain, who sign with hashes that only this object can check."""

    def __init__(self, count: int) -> None:
        publics = sorted(sha256(b"validator %d" % number).digest() for number in range(count))
        self.validators = ValidatorSet(Epoch(0), tuple(PublicKey(key) for key in publics))
        self.network_keys = tuple(NetworkKey(sha256(b"network" + key).digest()) for key in publics)
        self._secrets = tuple(sha256(b"secret" + key).digest() for key in publics)

    def signer(self, index: int) -> Callable[[bytes], bytes]:
        secret = self._secrets[index]
        return lambda message: _signature(secret, message)

    def vote(self, vote: Vote) -> Vote:
        """Return `vote` with the signature of its signer."""
        signature = _signature(self._secrets[vote.signer], _message(vote))
        return Vote(vote.epoch, vote.view, vote.kind, vote.digest, vote.signer, signature)

    def vote_is_valid(self, vote: Vote) -> bool:
        if vote.signer >= len(self._secrets):
            return False
        return vote.signature == _signature(self._secrets[vote.signer], _message(vote))

    def certificate_is_valid(self, certificate: Certificate) -> bool:
        try:
            votes = certificate_votes(certificate, self.validators)
        except CertificateError:
            return False
        return all(self.vote_is_valid(vote) for vote in votes)

    def evidence_is_valid(self, evidence: Evidence) -> bool:
        return self.vote_is_valid(evidence.first) and self.vote_is_valid(evidence.second)

    def index_of(self, key: NetworkKey) -> ValidatorIndex | None:
        return ValidatorIndex(self.network_keys.index(key)) if key in self.network_keys else None


def _message(vote: Vote) -> bytes:
    return vote_message(CHAIN_ID, vote.epoch, vote.view, vote.kind, vote.digest)


def _signature(secret: bytes, message: bytes) -> bytes:
    return sha256(secret + message).digest() * 2
