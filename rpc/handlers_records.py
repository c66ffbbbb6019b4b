"""Answers about collections and their records: by key, by filter and order, as of any height."""

from collections.abc import Iterator
from typing import Any

import msgspec

from moyai.ledger.indexes import KEY_FIELD, index_name, index_value
from moyai.ledger.records import read_collection
from moyai.primitives.ids import Height
from moyai.primitives.state_keys import record_key
from moyai.primitives.state_values import Collection
from moyai.rpc.cursors import CursorReader, RecordsCursor, bad_cursor, cursor_text, question_mark
from moyai.rpc.errors import InvalidParamsError, NotFoundError
from moyai.rpc.limits import PAGE_ITEMS_MAX, ROWS_SCANNED_MAX
from moyai.rpc.ports import IndexHit, IndexQuery
from moyai.rpc.readable import readable_struct
from moyai.rpc.reads import Reads
from moyai.rpc.schema_records import (
    CollectionParams,
    CollectionShown,
    Filter,
    RecordFound,
    RecordHistoryParams,
    RecordHistoryShown,
    RecordParams,
    RecordShown,
    RecordsParams,
    RecordsShown,
    RecordVersion,
    Scalar,
)
from moyai.rpc.texts import time_text

_cursors = CursorReader(RecordsCursor)


def collection_get(reads: Reads, params: CollectionParams) -> CollectionShown:
    """A collection: its schema, what is indexed, who may write."""
    collection = _known_collection(reads, params.collection)
    return CollectionShown(
        height=reads.height, collection=params.collection, details=readable_struct(collection)
    )


def records_get(reads: Reads, params: RecordParams) -> RecordFound:
    """One record, now or as of a height."""
    _known_collection(reads, params.collection)
    height = reads.as_of(params.as_of)
    record = _record_at(reads, record_key(params.collection, params.key), height, params.key)
    return RecordFound(height=height, collection=params.collection, record=record)


def records_query(reads: Reads, params: RecordsParams) -> RecordsShown:
    """Records by filter and order, page by page, all pages as of one height."""
    collection = _known_collection(reads, params.collection)
    lead = _leading_field(params, collection)
    question = question_mark(
        params.collection, params.filters, params.order_by, params.descending, params.as_of
    )
    as_of, row = reads.as_of(params.as_of), None
    if params.cursor is not None:
        cursor = _cursors.read(params.cursor)
        if cursor.question != question:
            raise bad_cursor()
        as_of, row = reads.as_of(cursor.as_of), cursor.row
    low, high = _bounds(params.filters, lead)
    query = IndexQuery(
        index=index_name(params.collection, lead),
        as_of=as_of,
        low=low,
        high=high,
        cursor=row,
        reverse=params.descending,
    )
    records, last = _matching(reads, params, query)
    cursor_out = None if last is None else cursor_text(RecordsCursor(question, as_of, last))
    return RecordsShown(height=as_of, records=records, cursor=cursor_out)


def records_history(reads: Reads, params: RecordHistoryParams) -> RecordHistoryShown:
    """Every version that a record ever had, newest first."""
    _known_collection(reads, params.collection)
    key = record_key(params.collection, params.key)
    versions: list[RecordVersion] = []
    before = None
    for version in reads.snapshot.history(key):
        if params.before is not None and version.version >= params.before:
            continue
        if len(versions) == params.limit:
            before = versions[-1].version
            break
        versions.append(
            RecordVersion(
                version=version.version,
                height=version.height,
                time=time_text(reads.header(version.height).time_ms),
                value=None if version.value is None else msgspec.json.decode(version.value),
            )
        )
    return RecordHistoryShown(
        height=reads.height,
        collection=params.collection,
        key=params.key,
        versions=versions,
        before=before,
    )


def _matching(
    reads: Reads, params: RecordsParams, query: IndexQuery
) -> tuple[list[RecordShown], bytes | None]:
    """Return the records of one page, and the last row looked at when there may be more."""
    records: list[RecordShown] = []
    prefix = len(record_key(params.collection, ""))
    for looked_at, hit in enumerate(_hits(reads, query), start=1):
        record = _record_at(reads, hit.key, query.as_of, hit.key[prefix:].decode())
        if record is not None and _meets_all(record.value, params.filters):
            records.append(record)
        if len(records) == params.limit or looked_at == ROWS_SCANNED_MAX:
            return records, hit.cursor
    return records, None


def _hits(reads: Reads, query: IndexQuery) -> Iterator[IndexHit]:
    while True:
        page = reads.snapshot.records(query, PAGE_ITEMS_MAX)
        yield from page
        if len(page) < PAGE_ITEMS_MAX:
            return
        query = msgspec.structs.replace(query, cursor=page[-1].cursor)


def _record_at(reads: Reads, key: bytes, height: Height, name: str) -> RecordShown | None:
    if height == reads.height:
        entry = reads.snapshot.get(key)
    else:
        entry = reads.snapshot.state_as_of(key, height)
    if entry is None:
        return None
    return RecordShown(
        key=name,
        value=msgspec.json.decode(entry.value),
        version=entry.version,
        changed_height=entry.height,
    )


def _leading_field(params: RecordsParams, collection: Collection) -> str:
    if params.order_by is not None:
        if params.order_by not in collection.indexes:
            raise InvalidParamsError(
                f"{params.order_by} has no index",
                what="order_by",
                next=f"order by one of: {', '.join(collection.indexes) or 'none is indexed'}",
            )
        return params.order_by
    indexed = (one.field for one in params.filters if one.field in collection.indexes)
    return next(indexed, KEY_FIELD)


def _bounds(filters: tuple[Filter, ...], lead: str) -> tuple[bytes | None, bytes | None]:
    low: bytes | None = None
    high: bytes | None = None
    for one in filters:
        if one.field != lead:
            continue
        least = one.ge if one.eq is None else one.eq
        most = one.le if one.eq is None else one.eq
        if least is not None:
            low = index_value(least) if low is None else max(low, index_value(least))
        if most is not None:
            high = index_value(most) if high is None else min(high, index_value(most))
    return low, high


def _meets_all(value: Any, filters: tuple[Filter, ...]) -> bool:
    return isinstance(value, dict) and all(meets(value.get(one.field), one) for one in filters)


def meets(value: Any, condition: Filter) -> bool:
    """Return whether the value of a field meets a condition; bounds hold within one type."""
    if condition.eq is not None and not (_alike(value, condition.eq) and value == condition.eq):
        return False
    if condition.ge is not None and not (_alike(value, condition.ge) and value >= condition.ge):
        return False
    return condition.le is None or (_alike(value, condition.le) and bool(value <= condition.le))


def _alike(value: Any, bound: Scalar) -> bool:
    """Return whether two values are of one type: true is not 1."""
    return type(value) is type(bound)


def _known_collection(reads: Reads, name: str) -> Collection:
    collection = read_collection(reads, name)
    if collection is None:
        raise NotFoundError(
            f"does not exist, as of height {reads.height}",
            what=f"collection {name}",
            next="check its name",
        )
    return collection
