"""Identity levels read from the state: what is bound, and what it is worth at a time.

Not here: the operations of registrars (`rules_identity`).
"""

from functools import lru_cache

import msgspec

from moyai.ledger.state import ValueReader
from moyai.primitives.ids import AccountId, TimeMs
from moyai.primitives.operations_identity import Level
from moyai.primitives.state_keys import identity_key, nullifier_key
from moyai.primitives.state_values import Account, Identity, Standing

IDENTITIES_REMEMBERED_MAX = 16_384
OFFICERS_FOR_PREMIUM = 2
"""How many officers of a registrar must sign for the levels 3 and 4."""

_decoder = msgspec.msgpack.Decoder(Identity)


@lru_cache(maxsize=IDENTITIES_REMEMBERED_MAX)
def decode_identity(value: bytes) -> Identity:
    """Return the binding that a state value holds; the same bytes decode once."""
    return _decoder.decode(value)


def read_identity(reader: ValueReader, account: AccountId) -> Identity | None:
    """Return what is bound to an account, or none when nothing ever was."""
    value = reader.value(identity_key(account))
    return None if value is None else decode_identity(value)


def read_nullifier(reader: ValueReader, programme: str, nullifier: bytes) -> AccountId | None:
    """Return the account that a programme's nullifier was used for, or none."""
    value = reader.value(nullifier_key(programme, nullifier))
    return None if value is None else AccountId(value)


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
