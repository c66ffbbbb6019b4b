"""The text forms that parameters and results are made of, with their patterns.

Not here: conversion to and from bytes (`texts`).
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from moyai.primitives import limits as format_limits
from moyai.rpc import limits

HexDigest = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="32 bytes, hexadecimal")]
HexBytes = Annotated[str, Meta(pattern="^([0-9a-f]{2})*$", description="bytes, hexadecimal")]
StateKeyHex = Annotated[
    str,
    Meta(
        pattern="^([0-9a-f]{2})+$",
        max_length=2 * format_limits.STATE_KEY_BYTES_MAX,
        description="the bytes of a state key, hexadecimal",
    ),
]
Base64 = Annotated[str, Meta(description="bytes, standard base64 with padding")]
TransactionBase64 = Annotated[
    str,
    Meta(
        min_length=4,
        max_length=(format_limits.TRANSACTION_BYTES_MAX + 2) // 3 * 4,
        description="a signed transaction, base64 of its canonical bytes",
    ),
]
AccountText = Annotated[
    str, Meta(pattern="^moyai1[0-9a-z]{38}$", description="an account, bech32m")
]
AmountText = Annotated[str, Meta(pattern="^(0|[1-9][0-9]*)$", description="an amount, decimal")]
TimeText = Annotated[
    str,
    Meta(max_length=40, description="RFC 3339; answers are in UTC with milliseconds"),
]
HeightNumber = Annotated[
    int, Meta(ge=0, le=format_limits.HEIGHT_MAX, description="the height of a block")
]
NameText = Annotated[str, Meta(min_length=1, max_length=128)]
CursorText = Annotated[
    str, Meta(min_length=1, max_length=1024, description="where to go on; opaque")
]
PageLimit = Annotated[
    int, Meta(ge=1, le=limits.PAGE_ITEMS_MAX, description="the most items in the answer")
]
FirstVersion = Annotated[int, Meta(ge=1, le=2**53 - 1)]


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parameters of a method, always by name; an unknown one is an error."""


class NoParams(Params, frozen=True, kw_only=True):
    """A method without parameters."""


class Result(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """An answer; members that do not apply are left out."""
