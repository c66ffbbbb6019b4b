"""Shapes of what is asked about collections, records and documents."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from moyai.rpc.limits import FILTERS_MAX, PAGE_ITEMS_DEFAULT
from moyai.rpc.schema_types import (
    AccountText,
    CursorText,
    HeightNumber,
    HexDigest,
    NameText,
    PageLimit,
    Params,
    Result,
    TimeText,
)

Scalar = str | int | bool


class CollectionParams(Params):
    """The collection asked about."""

    collection: NameText


class CollectionShown(Result):
    """A collection: schema, indexes, writers."""

    height: HeightNumber
    collection: NameText
    details: dict[str, Any]


class Filter(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A condition on a top-level field: equal, or from `ge` up to `le`, both included."""

    field: NameText
    eq: Scalar | None = None
    ge: Scalar | None = None
    le: Scalar | None = None


class RecordsParams(Params):
    """Records that meet all filters, as they stood after the block at `as_of`.

    One indexed field leads: that of `order_by`, else of the first filter on an indexed field.
    Without either, records come in the order of their keys. `cursor` goes on after an earlier page
    of the same query and of the same height.
    """

    collection: NameText
    filters: Annotated[tuple[Filter, ...], Meta(max_length=FILTERS_MAX)] = ()
    order_by: NameText | None = None
    descending: bool = False
    as_of: HeightNumber | None = None
    cursor: CursorText | None = None
    limit: PageLimit = PAGE_ITEMS_DEFAULT


class RecordShown(Result):
    """One record: its key, its value, its version and since when it stands."""

    key: str
    value: Any
    version: int
    changed_height: HeightNumber


class RecordsShown(Result):
    """A page of one height; `cursor` is there when there may be more."""

    height: HeightNumber
    records: list[RecordShown]
    cursor: CursorText | None = None


class RecordParams(Params):
    """One record."""

    collection: NameText
    key: NameText
    as_of: HeightNumber | None = None


class RecordFound(Result):
    """One record as it stood after block `height`; `record` is null when there is none."""

    height: HeightNumber
    collection: NameText
    record: RecordShown | None


class RecordHistoryParams(Params):
    """Every version of one record, newest first; `before` goes on below a version."""

    collection: NameText
    key: NameText
    before: int | None = None
    limit: PageLimit = PAGE_ITEMS_DEFAULT


class RecordVersion(Result):
    """One version; a value of null was an erasure."""

    version: int
    height: HeightNumber
    time: TimeText
    value: Any


class RecordHistoryShown(Result):
    """A page; `before` is there when there are older versions."""

    height: HeightNumber
    collection: NameText
    key: str
    versions: list[RecordVersion]
    before: int | None = None


class DocumentParams(Params):
    """A series of documents: which version was in force `at` a time, now without it."""

    series: NameText
    at: TimeText | None = None


class DocumentVersionShown(Result):
    """One registered version: the salted digest, and from when until when it was in force."""

    version: int
    digest: HexDigest
    size_bytes: int
    registered: TimeText
    replaces: int | None
    revoked: TimeText | None
    in_force: bool


class DocumentShown(Result):
    """A series with its versions; `in_force` is the version in force at the time, null for none."""

    height: HeightNumber
    series: NameText
    owner: AccountText
    at: TimeText
    in_force: int | None
    versions: list[DocumentVersionShown]
