"""Identity levels in the state: what is bound, and what it is worth at a time.

Not here: the operations of registrars (`rules_identity`).
"""

from enum import IntEnum

import msgspec

from moyai.ledger.accounts import Account, ValueReader
from moyai.ledger.keys import identity_key
from moyai.primitives.ids import AccountId, TimeMs
from moyai.primitives.operations_identity import Level


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


_decoder = msgspec.msgpack.Decoder(Identity)


def read_identity(reader: ValueReader, account: AccountId) -> Identity | None:
    """Return what is bound to an account, or none when nothing ever was."""
    value = reader.value(identity_key(account))
    return None if value is None else _decoder.decode(value)


def level_of(
    reader: ValueReader, account_id: AccountId, account: Account, time_ms: TimeMs
) -> Level:
    """Return the level that counts at `time_ms`; it lapses by itself.

    A member organisation is known by the registry and counts as a resident.
    """
    if account.member:
        return Level.RESIDENT
    identity = read_identity(reader, account_id)
    if identity is None or identity.standing is not Standing.ACTIVE:
        return Level.GUEST
    return identity.level if time_ms < identity.expires_ms else Level.GUEST
