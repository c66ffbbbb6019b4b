"""The validators of one epoch: their keys in index order, and the order in which they lead."""

from functools import cached_property

from moyai.primitives.codec import encode
from moyai.primitives.errors import GenesisError
from moyai.primitives.hashing import Tag, tagged
from moyai.primitives.ids import Digest, Epoch, PublicKey, ValidatorIndex, View
from moyai.primitives.limits import VALIDATORS_MAX
from moyai.primitives.quorum import quorum


class ValidatorSet:
    """The validator keys of one epoch, sorted; a validator's index is its place among them."""

    def __init__(self, epoch: Epoch, keys: tuple[PublicKey, ...]) -> None:
        if not 1 <= len(keys) <= VALIDATORS_MAX or list(keys) != sorted(set(keys)):
            raise GenesisError(
                "validator keys must be sorted, distinct and between 1 and "
                f"{VALIDATORS_MAX}; these are not",
                what=f"validator set of epoch {epoch}",
            )
        self.epoch = epoch
        self.keys = keys

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def quorum(self) -> int:
        """Return the number of votes that make a certificate."""
        return quorum(len(self.keys))

    @cached_property
    def digest(self) -> Digest:
        """Return the digest by which headers and evidence name this set."""
        return tagged(Tag.VALIDATORS, encode((self.epoch, self.keys)))

    @cached_property
    def leader_order(self) -> tuple[ValidatorIndex, ...]:
        """Return the indexes sorted by SHA-256(epoch ‖ key), epoch as u64 big-endian."""
        return tuple(
            ValidatorIndex(index) for index in sorted(range(len(self.keys)), key=self._rank)
        )

    def leader(self, view: View) -> ValidatorIndex:
        """Return the leader of `view`: order[view mod n]."""
        return self.leader_order[view % len(self.keys)]

    def index_of(self, key: PublicKey) -> ValidatorIndex | None:
        """Return the index of `key`, or none when it is not in the set."""
        return ValidatorIndex(self.keys.index(key)) if key in self.keys else None

    def _rank(self, index: int) -> bytes:
        return tagged(Tag.LEADER, self.epoch.to_bytes(8, "big") + self.keys[index])
