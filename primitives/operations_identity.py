"""Operations on identity: bind, renew, suspend and revoke a level. Data alone, no rule."""

from enum import IntEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from moyai.primitives.fields import AccountField, DigestField, NameField, TimeField


class Level(IntEnum):
    """How well a registrar knows the person behind an account."""

    GUEST = 0
    FRIEND = 1
    E_RESIDENT = 2
    E_RESIDENT_PREMIUM = 3
    RESIDENT = 4


class ProgrammeNullifier(msgspec.Struct, array_like=True, frozen=True):
    """HMAC of the person's vault key for one programme: a second binding with it is refused."""

    programme: NameField
    nullifier: DigestField


PlaceCell = Annotated[str, Meta(max_length=16, pattern=r"^[0-9a-z]*\Z")]


class BindIdentity(msgspec.Struct, array_like=True, frozen=True, tag=20):
    """A registrar binds an account to a level; levels 3 and 4 need two of its officers."""

    account: AccountField
    level: Level
    expires_ms: TimeField
    nullifiers: Annotated[tuple[ProgrammeNullifier, ...], Meta(max_length=16)]
    place_cell: PlaceCell


class RenewIdentity(msgspec.Struct, array_like=True, frozen=True, tag=21):
    """A registrar moves the expiry of a binding; a suspended one stands again."""

    account: AccountField
    expires_ms: TimeField


class SuspendIdentity(msgspec.Struct, array_like=True, frozen=True, tag=22):
    """A registrar suspends a binding until it is renewed."""

    account: AccountField


class RevokeIdentity(msgspec.Struct, array_like=True, frozen=True, tag=23):
    """A registrar ends a binding for good."""

    account: AccountField
