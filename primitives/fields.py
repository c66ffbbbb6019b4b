"""Bounded field types of wire structs, so that decoding already refuses what no rule can use."""

from typing import Annotated

from msgspec import Meta

from moyai.primitives import ids, limits

ChainIdField = Annotated[
    str, Meta(pattern=r"^[a-z0-9][a-z0-9-]*\Z", max_length=limits.CHAIN_ID_CHARACTERS_MAX)
]
EpochField = Annotated[ids.Epoch, Meta(ge=0, le=limits.EPOCH_MAX)]
ViewField = Annotated[ids.View, Meta(ge=0, le=limits.VIEW_MAX)]
HeightField = Annotated[ids.Height, Meta(ge=0, le=limits.HEIGHT_MAX)]
TimeField = Annotated[ids.TimeMs, Meta(ge=0, le=limits.TIME_MS_MAX)]
IndexField = Annotated[ids.ValidatorIndex, Meta(ge=0, lt=limits.VALIDATORS_MAX)]
CountField = Annotated[int, Meta(ge=0, le=limits.HEIGHT_MAX)]
AmountField = Annotated[int, Meta(ge=0, le=limits.AMOUNT_MAX)]

DigestField = Annotated[ids.Digest, Meta(min_length=32, max_length=32)]
TransactionIdField = Annotated[ids.TransactionId, Meta(min_length=32, max_length=32)]
AccountField = Annotated[ids.AccountId, Meta(min_length=20, max_length=20)]
PublicKeyField = Annotated[ids.PublicKey, Meta(min_length=32, max_length=32)]
NetworkKeyField = Annotated[ids.NetworkKey, Meta(min_length=32, max_length=32)]
SignatureField = Annotated[bytes, Meta(min_length=64, max_length=64)]
NameField = Annotated[str, Meta(min_length=1, max_length=limits.NAME_CHARACTERS_MAX)]
TextField = Annotated[str, Meta(max_length=limits.TEXT_CHARACTERS_MAX)]
