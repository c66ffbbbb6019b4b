"""Records: collections with a schema, writers and indexes; put, and expect as compare-and-set."""

from typing import Any

from moyai.ledger.canonical_json import NotCanonicalError, parse_canonical
from moyai.ledger.codes import Code, Refusal
from moyai.ledger.context import Context, IndexChange
from moyai.ledger.identity import level_of
from moyai.ledger.indexes import KEY_FIELD, index_name, index_value
from moyai.ledger.records import read_collection
from moyai.ledger.schema import INDEXABLE, ObjectSchema, SchemaError, mismatch, parse_schema
from moyai.primitives.codec import encode
from moyai.primitives.genesis import Role
from moyai.primitives.operations_records import CreateCollection, ExpectRecord, PutRecord
from moyai.primitives.state_keys import collection_key, record_key
from moyai.primitives.state_values import Collection


def create_collection(context: Context, operation: CreateCollection) -> None:
    """An account with the records role creates a collection under a new name."""
    context.require_weight(context.account.thresholds.ordinary)
    context.require_role(Role.RECORDS)
    context.require_text(operation.title_ja, operation.title_en)
    if read_collection(context.overlay, operation.name) is not None:
        raise Refusal(Code.COLLECTION_EXISTS, operation.name)
    try:
        schema = parse_schema(operation.schema)
    except SchemaError as error:
        raise Refusal(Code.SCHEMA_INVALID, error.reason[:128]) from None
    _require_indexable(schema, operation.indexes)
    for writer in operation.writers.accounts:
        context.known_account(writer)
    collection = Collection(
        title_ja=operation.title_ja,
        title_en=operation.title_en,
        creator=context.account_id,
        schema=operation.schema,
        indexes=operation.indexes,
        writers=operation.writers,
    )
    context.overlay.put(collection_key(operation.name), encode(collection))
    context.say("collection.created", (context.account_id,), ("collection", operation.name))


def put_record(context: Context, operation: PutRecord) -> None:
    """Who may write to the collection writes a value that fits its schema."""
    context.require_weight(context.account.thresholds.ordinary, helpers=True)
    collection = _known_collection(context, operation.collection)
    _require_writer(context, collection, operation.collection)
    context.require_name(operation.key)
    try:
        value = parse_canonical(operation.value)
    except NotCanonicalError:
        raise Refusal(Code.VALUE_INVALID, "value") from None
    path = mismatch(parse_schema(collection.schema), value)
    if path is not None:
        raise Refusal(Code.VALUE_INVALID, path)
    key = record_key(operation.collection, operation.key)
    old = context.overlay.value(key)
    context.overlay.put(key, operation.value)
    _index(context, operation, collection.indexes, value, old)
    context.say(
        "record.put",
        (context.account_id,),
        ("collection", operation.collection),
        ("key", operation.key),
    )


def expect_record(context: Context, operation: ExpectRecord) -> None:
    """Go on only if the record has this version, as every reader of the last block sees it.

    A record that an earlier transaction of the same block wrote differs from all that could be
    read, so it is never what was expected.
    """
    context.require_weight(context.account.thresholds.ordinary, helpers=True)
    _known_collection(context, operation.collection)
    context.require_name(operation.key)
    key = record_key(operation.collection, operation.key)
    if (
        context.overlay.is_written_by_others(key)
        or context.overlay.version_before_block(key) != operation.version
    ):
        raise Refusal(Code.VERSION_DIFFERS, f"{operation.collection}/{operation.key}")


def _known_collection(context: Context, name: str) -> Collection:
    collection = read_collection(context.overlay, name)
    if collection is None:
        raise Refusal(Code.COLLECTION_UNKNOWN, name)
    return collection


def _require_writer(context: Context, collection: Collection, name: str) -> None:
    writers = collection.writers
    account_id, account = context.account_id, context.account
    if (
        account_id == collection.creator
        or account_id in writers.accounts
        or any(role in writers.roles for role in account.roles)
    ):
        return
    if writers.level is None:
        raise Refusal(Code.NOT_A_WRITER, name)
    if level_of(context.overlay, account_id, account, context.time_ms) < writers.level:
        raise Refusal(Code.NOT_A_WRITER, name)


def _require_indexable(schema: ObjectSchema, indexes: tuple[str, ...]) -> None:
    if len(set(indexes)) != len(indexes):
        raise Refusal(Code.INDEX_INVALID, "twice")
    for name in indexes:
        if not isinstance(schema.properties.get(name), INDEXABLE):
            raise Refusal(Code.INDEX_INVALID, name)


def _index(
    context: Context,
    operation: PutRecord,
    fields: tuple[str, ...],
    value: dict[str, Any],
    old: bytes | None,
) -> None:
    """Follow the record in the index over keys and in those over fields, absent ones included."""
    key = record_key(operation.collection, operation.key)
    if old is None:
        name = index_name(operation.collection, KEY_FIELD)
        context.indexes.append(IndexChange(name, index_value(operation.key), key, added=True))
    if not fields:
        return
    before = None if old is None else parse_canonical(old)
    for field in fields:
        name = index_name(operation.collection, field)
        new_value = index_value(value.get(field))
        if before is not None:
            old_value = index_value(before.get(field))
            if old_value == new_value:
                continue
            context.indexes.append(IndexChange(name, old_value, key, added=False))
        context.indexes.append(IndexChange(name, new_value, key, added=True))
