"""Operations on token classes: create, mint, transfer and burn. Data alone, no rule."""

from typing import Annotated

import msgspec
from msgspec import Meta

from moyai.primitives.fields import AccountField, AmountField, NameField
from moyai.primitives.limits import AMOUNT_MAX
from moyai.primitives.operations_identity import Level

ClassName = Annotated[str, Meta(min_length=1, max_length=32, pattern=r"^[a-z0-9][a-z0-9.-]*\Z")]
PositiveAmount = Annotated[int, Meta(ge=1, le=AMOUNT_MAX)]


class TokenPolicy(msgspec.Struct, array_like=True, frozen=True):
    """The level an account needs to hold, to send and to be the minter; `cap` bounds the supply."""

    hold_level: Level
    send_level: Level
    mint_level: Level
    cap: AmountField
    transferable: bool


class CreateTokenClass(msgspec.Struct, array_like=True, frozen=True, tag=30):
    """An issuer creates a class; `minters` may mint beside it."""

    name: ClassName
    title_ja: NameField
    title_en: NameField
    policy: TokenPolicy
    minters: Annotated[tuple[AccountField, ...], Meta(max_length=16)]


class MintToken(msgspec.Struct, array_like=True, frozen=True, tag=31):
    """A minter of the class gives new units to an account."""

    token: ClassName
    to: AccountField
    amount: PositiveAmount


class TransferToken(msgspec.Struct, array_like=True, frozen=True, tag=32):
    """The acting account gives units to another."""

    token: ClassName
    to: AccountField
    amount: PositiveAmount


class BurnToken(msgspec.Struct, array_like=True, frozen=True, tag=33):
    """The acting account destroys units of its own."""

    token: ClassName
    amount: PositiveAmount
