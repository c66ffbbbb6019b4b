"""Records: collections with a schema, writers and indexes; writing, and expecting a version."""

from moyai.ledger.codes import Code, Refusal
from moyai.ledger.context import Context, IndexChange
from moyai.ledger.identity import level_of
from moyai.ledger.indexes import index_name, index_value
from moyai.ledger.keys import collection_key, record_key
from moyai.ledger.records import Collection, read_collection
from moyai.ledger.schema import Json, SchemaFault, check_value, compile_schema, parse_canonical
from moyai.primitives.codec import encode
from moyai.primitives.genesis import Role
from moyai.primitives.operations_records import CreateCollection, ExpectRecord, PutRecord

_INDEXABLE = ("string", "integer", "boolean")


def create_collection(context: Context, operation: CreateCollection) -> None:
    """An account with the records role creates a collection."""
    context.require_weight(context.account.thresholds.ordinary, helpers=True)
    context.require_role(Role.RECORDS)
    context.require_normal_text(operation.title_ja, operation.title_en)
    if read_collection(context.overlay, operation.name) is not None:
        raise Refusal(Code.COLLECTION_EXISTS, operation.name)
    try:
        schema = compile_schema(operation.schema)
    except SchemaFault as fault:
        raise Refusal(Code.SCHEMA_INVALID, _subject(fault)) from None
    for field in operation.indexes:
        if field not in schema.properties or schema.properties[field].type not in _INDEXABLE:
            raise Refusal(Code.INDEX_INVALID, field)
    if len(set(operation.indexes)) != len(operation.indexes):
        raise Refusal(Code.INDEX_INVALID, "a field stands twice")
    collection = Collection(
        creator=context.account_id,
        title_ja=operation.title_ja,
        title_en=operation.title_en,
        schema=operation.schema,
        indexes=operation.indexes,
        writers=operation.writers,
    )
    context.overlay.put(collection_key(operation.name), encode(collection))
    context.say("collection.created", (context.account_id,), ("collection", operation.name))


def put_record(context: Context, operation: PutRecord) -> None:
    """A writer writes a record that fits the schema; its indexes follow."""
    context.require_weight(context.account.thresholds.ordinary, helpers=True)
    collection = _known_collection(context, operation.collection)
    _require_writer(context, operation.collection, collection)
    context.require_normal_text(operation.key)
    value = _fitting_value(collection, operation.value)
    key = record_key(operation.collection, operation.key)
    old = context.overlay.value(key)
    context.overlay.put(key, operation.value)
    if collection.indexes:
        _follow_indexes(context, operation.collection, collection, key, (old, value))
    context.say(
        "record.put",
        (context.account_id,),
        ("collection", operation.collection),
        ("key", operation.key),
    )


def expect_record(context: Context, operation: ExpectRecord) -> None:
    """Go on only if the record has the expected version; 0 means that there is none."""
    context.require_weight(context.account.thresholds.ordinary, helpers=True)
    _known_collection(context, operation.collection)
    entry = context.overlay.get(record_key(operation.collection, operation.key))
    version = 0 if entry is None else entry.version
    if version != operation.version:
        raise Refusal(Code.VERSION_DIFFERS, f"{operation.key} has version {version}")


def _known_collection(context: Context, name: str) -> Collection:
    collection = read_collection(context.overlay, name)
    if collection is None:
        raise Refusal(Code.COLLECTION_UNKNOWN, name)
    return collection


def _require_writer(context: Context, name: str, collection: Collection) -> None:
    writers = collection.writers
    account = context.account
    if context.account_id == collection.creator or context.account_id in writers.accounts:
        return
    if any(role in writers.roles for role in account.roles):
        return
    if writers.level is not None:
        level = level_of(context.overlay, context.account_id, account, context.time_ms)
        if level >= writers.level:
            return
    raise Refusal(Code.NOT_A_WRITER, name)


def _fitting_value(collection: Collection, text: bytes) -> Json:
    try:
        value = parse_canonical(text)
        check_value(compile_schema(collection.schema), value)
    except SchemaFault as fault:
        raise Refusal(Code.VALUE_INVALID, _subject(fault)) from None
    return value


def _follow_indexes(
    context: Context,
    name: str,
    collection: Collection,
    key: bytes,
    change: tuple[bytes | None, Json],
) -> None:
    old_text, new = change
    old = None if old_text is None else parse_canonical(old_text)
    for field in collection.indexes:
        index = index_name(name, field)
        new_value = index_value(new.get(field))
        if old is not None:
            old_value = index_value(old.get(field))
            if old_value == new_value:
                continue
            context.indexes.append(IndexChange(index, old_value, key, added=False))
        context.indexes.append(IndexChange(index, new_value, key, added=True))


def _subject(fault: SchemaFault) -> str:
    return f"{fault.what} {fault.reason}"[:200]
