"""Operations on collections and their records. Data alone, no rule."""

from typing import Annotated

import msgspec
from msgspec import Meta

from moyai.primitives.fields import AccountField, CountField, NameField
from moyai.primitives.genesis import Role
from moyai.primitives.operations_identity import Level
from moyai.primitives.operations_tokens import ClassName

CollectionName = ClassName
RecordKey = Annotated[str, Meta(min_length=1, max_length=128)]
FieldName = Annotated[str, Meta(min_length=1, max_length=32, pattern=r"^[a-z_][a-z0-9_]*\Z")]
JsonText = Annotated[bytes, Meta(min_length=2, max_length=16 * 1024)]
"""Canonical JSON: keys sorted, no space, integers only, NFC."""


class Writers(msgspec.Struct, array_like=True, frozen=True):
    """Who may write: these accounts, those with one of these roles, or of at least this level."""

    accounts: Annotated[tuple[AccountField, ...], Meta(max_length=64)]
    roles: Annotated[tuple[Role, ...], Meta(max_length=8)]
    level: Level | None


class CreateCollection(msgspec.Struct, array_like=True, frozen=True, tag=40):
    """An account with the records role creates a collection with a schema and indexed fields."""

    name: CollectionName
    title_ja: NameField
    title_en: NameField
    schema: JsonText
    indexes: Annotated[tuple[FieldName, ...], Meta(max_length=8)]
    writers: Writers


class PutRecord(msgspec.Struct, array_like=True, frozen=True, tag=41):
    """Write a record: a JSON object that fits the collection's schema."""

    collection: CollectionName
    key: RecordKey
    value: JsonText


class ExpectRecord(msgspec.Struct, array_like=True, frozen=True, tag=42):
    """Refuse the transaction unless the record has this version; 0 means that there is none."""

    collection: CollectionName
    key: RecordKey
    version: CountField
