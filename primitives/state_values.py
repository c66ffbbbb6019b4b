"""What the keys of the state hold: one positional MessagePack struct a topic.

A record is no struct but its canonical JSON, a balance or a supply a u64 big-endian. Not here: the
keys (`state_keys`), and who may change what (the ledger).
"""

from enum import IntEnum

import msgspec

from moyai.primitives.genesis import Role
from moyai.primitives.ids import AccountId, Digest, NetworkKey, PublicKey, TimeMs
from moyai.primitives.operations_accounts import AccountKind, Controller, Thresholds
from moyai.primitives.operations_identity import Level
from moyai.primitives.operations_records import Writers
from moyai.primitives.operations_tokens import TokenPolicy

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


class MemberEntry(msgspec.Struct, array_like=True, frozen=True):
    """A member organisation as the state knows it."""

    name: str
    account: AccountId
    validator_key: PublicKey
    network_key: NetworkKey
    endpoint: str


def encode_amount(amount: int) -> bytes:
    """Return the state value of a balance or a supply."""
    return amount.to_bytes(AMOUNT_BYTES, "big")


def decode_amount(value: bytes | None) -> int:
    """Return the balance or supply that a state value holds; no value is zero."""
    return 0 if value is None else int.from_bytes(value, "big")
