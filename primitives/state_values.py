"""What the keys of the state hold: one positional MessagePack struct a topic.

A record is no struct but its canonical JSON, a balance or a supply a u64 big-endian. Not here: the
keys (`state_keys`), and who may change what (the ledger).
"""

from enum import IntEnum

import msgspec

from moyai.primitives.genesis import Role
from moyai.primitives.ids import AccountId, Digest, Epoch, Height, NetworkKey, PublicKey, TimeMs
from moyai.primitives.operations_accounts import AccountKind, Controller, Thresholds
from moyai.primitives.operations_governance import Change
from moyai.primitives.operations_identity import Level
from moyai.primitives.operations_records import Writers
from moyai.primitives.operations_tokens import TokenPolicy
from moyai.primitives.vote import Vote

AMOUNT_BYTES = 8


class Account(msgspec.Struct, array_like=True, frozen=True):
    """An account: its controllers, what their signatures must weigh, and its roles.

    `member` says that it is a member organisation of the consortium.
    """

    kind: AccountKind
    controllers: tuple[Controller, ...]
    thresholds: Thresholds
    frozen: bool
    roles: tuple[Role, ...]
    member: bool
    sponsor: AccountId
    opened_ms: TimeMs


class Standing(IntEnum):
    """Whether a binding counts."""

    ACTIVE = 1
    SUSPENDED = 2
    REVOKED = 3


class Identity(msgspec.Struct, array_like=True, frozen=True):
    """The level a registrar has bound to an account, without any personal data."""

    level: Level
    expires_ms: TimeMs
    standing: Standing
    registrar: AccountId
    place_cell: str
    nullifiers: tuple[tuple[str, bytes], ...]


class TokenClass(msgspec.Struct, array_like=True, frozen=True):
    """A class of units: its policy, who created it and who may mint beside the creator."""

    title_ja: str
    title_en: str
    creator: AccountId
    minters: tuple[AccountId, ...]
    policy: TokenPolicy


class Collection(msgspec.Struct, array_like=True, frozen=True):
    """A collection of records: its schema as canonical JSON, its indexed fields, its writers."""

    title_ja: str
    title_en: str
    creator: AccountId
    schema: bytes
    indexes: tuple[str, ...]
    writers: Writers


class Series(msgspec.Struct, array_like=True, frozen=True):
    """A series of documents: who registers its versions, and the number of the latest one."""

    owner: AccountId
    latest: int


class DocumentVersion(msgspec.Struct, array_like=True, frozen=True):
    """One version of a document.

    In force from `registered_ms` until it is replaced by the next version or revoked. `replaced_ms`
    and `revoked_ms` are none as long as that did not happen.
    """

    digest: Digest
    size_bytes: int
    registered_ms: TimeMs
    replaced_ms: TimeMs | None
    revoked_ms: TimeMs | None

    @property
    def is_in_force(self) -> bool:
        """Return whether the version has neither been replaced nor revoked."""
        return self.replaced_ms is None and self.revoked_ms is None

    def was_in_force(self, time_ms: int) -> bool:
        """Return whether this version was the valid one at a time."""
        ends = [end for end in (self.replaced_ms, self.revoked_ms) if end is not None]
        return self.registered_ms <= time_ms and all(time_ms < end for end in ends)


class MemberEntry(msgspec.Struct, array_like=True, frozen=True):
    """A member organisation as the state knows it."""

    name: str
    account: AccountId
    validator_key: PublicKey
    network_key: NetworkKey
    endpoint: str


class FormerKey(msgspec.Struct, array_like=True, frozen=True):
    """A network key that left the registry; until then its node may still learn that it has."""

    name: str
    network_key: NetworkKey
    until_ms: TimeMs


class Misconduct(msgspec.Struct, array_like=True, frozen=True):
    """Two votes that convict a validator key, who put them on record, and in which block."""

    first: Vote
    second: Vote
    submitter: AccountId
    height: Height


class ProposalStage(IntEnum):
    """How far a proposal has come."""

    OPEN = 1
    APPROVED = 2
    PENDING = 3
    IN_FORCE = 4
    LAPSED = 5


class Proposal(msgspec.Struct, array_like=True, frozen=True):
    """A change that members decide upon.

    It lapses unless it has gone on to the next stage by `until_ms`; a pending one never does.
    """

    change: Change
    proposer: AccountId
    approvals: tuple[AccountId, ...]
    stage: ProposalStage
    until_ms: TimeMs


class ChangeUnderWay(msgspec.Struct, array_like=True, frozen=True):
    """The one approved change: validators of the next set that are ready, in order of saying so."""

    proposal: int
    ready: tuple[PublicKey, ...]
    pending: bool


class Governance(msgspec.Struct, array_like=True, frozen=True):
    """The epoch, the number of proposals ever made, and the approved change if there is one."""

    epoch: Epoch
    proposals: int
    under_way: ChangeUnderWay | None


def encode_amount(amount: int) -> bytes:
    """Return the state value of a balance or a supply."""
    return amount.to_bytes(AMOUNT_BYTES, "big")


def decode_amount(value: bytes | None) -> int:
    """Return the balance or supply that a state value holds; no value is zero."""
    return 0 if value is None else int.from_bytes(value, "big")
