"""Operations on documents: register, replace and revoke a digest. Data alone, no rule."""

from typing import Annotated

import msgspec
from msgspec import Meta

from moyai.primitives.fields import CountField, DigestField

SeriesName = Annotated[str, Meta(min_length=1, max_length=128)]
Version = Annotated[int, Meta(ge=1, le=2**31)]


class RegisterDocument(msgspec.Struct, array_like=True, frozen=True, tag=50):
    """Register version 1 of a series: the SHA-256 of salt and content, see `salted_digest`."""

    series: SeriesName
    digest: DigestField
    size_bytes: CountField


class ReplaceDocument(msgspec.Struct, array_like=True, frozen=True, tag=51):
    """Register the next version of a series, which replaces the one named."""

    series: SeriesName
    digest: DigestField
    size_bytes: CountField
    replaces: Version


class RevokeDocument(msgspec.Struct, array_like=True, frozen=True, tag=52):
    """Revoke a version: it was in force until now and is no longer."""

    series: SeriesName
    version: Version
