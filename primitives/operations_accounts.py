"""Operations on accounts: open, controllers, freeze and thaw. Data alone, no rule."""

from enum import IntEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from moyai.primitives.fields import AccountField, TimeField


class AccountKind(IntEnum):
    """What an account stands for."""

    PERSON = 1
    ORGANISATION = 2
    OFFICE = 3
    DEVICE = 4
    PROGRAMME = 5
    COMMONS = 6


class ControllerRole(IntEnum):
    """What a controller is to its account."""

    OWNER = 1
    HELPER = 2
    GUARDIAN = 3
    DEVICE = 4


PublicKeyBytes = Annotated[bytes, Meta(min_length=32, max_length=65)]
SchemeNumber = Annotated[int, Meta(ge=1, le=2)]
Weight = Annotated[int, Meta(ge=1, le=255)]


class Controller(msgspec.Struct, array_like=True, frozen=True):
    """A key that may act for an account; `expires_ms` none means until it is removed."""

    scheme: SchemeNumber
    public_key: PublicKeyBytes
    role: ControllerRole
    weight: Weight
    expires_ms: TimeField | None


class Thresholds(msgspec.Struct, array_like=True, frozen=True):
    """The weight that signatures must reach: ordinary acts, value, the account itself."""

    ordinary: Weight
    value: Weight
    control: Weight


class OpenAccount(msgspec.Struct, array_like=True, frozen=True, tag=1):
    """The acting account, a sponsor, opens an account with these controllers."""

    kind: AccountKind
    controllers: Annotated[tuple[Controller, ...], Meta(min_length=1, max_length=16)]
    thresholds: Thresholds


class AddController(msgspec.Struct, array_like=True, frozen=True, tag=2):
    """The acting account gets one more controller."""

    controller: Controller


class RemoveController(msgspec.Struct, array_like=True, frozen=True, tag=3):
    """The acting account loses a controller."""

    public_key: PublicKeyBytes


class RotateController(msgspec.Struct, array_like=True, frozen=True, tag=4):
    """A controller of the acting account gets a new key and keeps role and weight."""

    public_key: PublicKeyBytes
    new_scheme: SchemeNumber
    new_public_key: PublicKeyBytes
    new_expires_ms: TimeField | None


class FreezeAccount(msgspec.Struct, array_like=True, frozen=True, tag=5):
    """Freeze an account at once: one of its controllers or a registrar, the counter."""

    account: AccountField


class ThawAccount(msgspec.Struct, array_like=True, frozen=True, tag=6):
    """Thaw an account: its owners with the control threshold, or a registrar."""

    account: AccountField
