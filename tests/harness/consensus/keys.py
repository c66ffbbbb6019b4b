"""Abstract signatures: a keyed hash that costs a microsecond. Not here: real keys
(`primitives.keys`).
"""

from collections.abc import Callable
from hashlib import sha256
from typing import NamedTuple

from moyai.consensus.messages import Evidence
from moyai.primitives.certificate import Certificate, certificate_votes
from moyai.primitives.errors import CertificateError
from moyai.primitives.ids import Digest, Epoch, NetworkKey, PublicKey, ValidatorIndex
from moyai.primitives.validators import ValidatorSet
from moyai.primitives.vote import Vote, vote_message

CHAIN_ID = "simulated"


class Roster(NamedTuple):
    """Who votes in one epoch, in index order."""

    validators: ValidatorSet
    network_keys: tuple[NetworkKey, ...]
    secrets: tuple[bytes, ...]


class City:
    """The validators of a simulated chain, who sign with hashes that only this object can check.

    The first `count` of its people vote in its first epoch, others may later.
    """

    def __init__(self, count: int, epoch: int = 0) -> None:
        self._rosters: dict[int, Roster] = {}
        self.plan(epoch, tuple(range(count)))
        first = self._rosters[epoch]
        self.validators = first.validators
        self.network_keys = first.network_keys

    def plan(self, epoch: int, people: tuple[int, ...]) -> Digest:
        """Write down who votes in an epoch, as every node finds it in its state; return the set."""
        publics = sorted(sha256(b"validator %d" % number).digest() for number in people)
        roster = Roster(
            ValidatorSet(Epoch(epoch), tuple(PublicKey(key) for key in publics)),
            tuple(NetworkKey(sha256(b"network" + key).digest()) for key in publics),
            tuple(sha256(b"secret" + key).digest() for key in publics),
        )
        known = self._rosters.setdefault(epoch, roster)
        assert known.network_keys == roster.network_keys, "two nodes have different next validators"
        return roster.validators.digest

    def at(self, epoch: int) -> Roster:
        return self._rosters[epoch]

    def signer(self, index: int, epoch: int | None = None) -> Callable[[bytes], bytes]:
        roster = self._rosters[self.validators.epoch if epoch is None else epoch]
        secret = roster.secrets[index]
        return lambda message: _signature(secret, message)

    def vote(self, vote: Vote) -> Vote:
        """Return `vote` with the signature of its signer."""
        roster = self._rosters.get(vote.epoch, self._rosters[self.validators.epoch])
        secret = roster.secrets[vote.signer % len(roster.secrets)]
        signature = _signature(secret, _message(vote))
        return Vote(vote.epoch, vote.view, vote.kind, vote.digest, vote.signer, signature)

    def vote_is_valid(self, vote: Vote) -> bool:
        roster = self._rosters.get(vote.epoch)
        if roster is None or vote.signer >= len(roster.secrets):
            return False
        return vote.signature == _signature(roster.secrets[vote.signer], _message(vote))

    def certificate_is_valid(self, certificate: Certificate) -> bool:
        roster = self._rosters.get(certificate.epoch)
        if roster is None:
            return False
        try:
            votes = certificate_votes(certificate, roster.validators)
        except CertificateError:
            return False
        return all(self.vote_is_valid(vote) for vote in votes)

    def evidence_is_valid(self, evidence: Evidence) -> bool:
        return self.vote_is_valid(evidence.first) and self.vote_is_valid(evidence.second)

    def index_of(self, key: NetworkKey, epoch: int = 0) -> ValidatorIndex | None:
        keys = self._rosters[epoch].network_keys
        return ValidatorIndex(keys.index(key)) if key in keys else None


def network_key_of(person: int) -> NetworkKey:
    """Return the key by which somebody is known to peers, who votes or not."""
    public = sha256(b"validator %d" % person).digest()
    return NetworkKey(sha256(b"network" + public).digest())


def _message(vote: Vote) -> bytes:
    return vote_message(CHAIN_ID, vote.epoch, vote.view, vote.kind, vote.digest)


def _signature(secret: bytes, message: bytes) -> bytes:
    return sha256(secret + message).digest() * 2
