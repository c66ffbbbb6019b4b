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


class CollectionParams(Params, frozen=True, kw_only=True):
    """The collection asked about."""

    collection: NameText


class CollectionShown(Result, frozen=True, kw_only=True):
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


class RecordsParams(Params, frozen=True, kw_only=True):
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


class RecordShown(Result, frozen=True, kw_only=True):
    """One record: its key, its value, its version and since when it stands."""

    key: str
    value: Any
    version: int
    changed_height: HeightNumber


class RecordsShown(Result, frozen=True, kw_only=True):
    """A page of one height; `cursor` is there when there may be more."""

    height: HeightNumber
    records: list[RecordShown]
    cursor: CursorText | None = None


class RecordParams(Params, frozen=True, kw_only=True):
    """One record."""

    collection: NameText
    key: NameText
    as_of: HeightNumber | None = None


class RecordFound(Result, frozen=True, kw_only=True):
    """One record as it stood after block `height`; `record` is null when there is none."""

    height: HeightNumber
    collection: NameText
    record: RecordShown | None


class RecordHistoryParams(Params, frozen=True, kw_only=True):
    """Every version of one record, newest first; `before` goes on below a version."""

    collection: NameText
    key: NameText
    before: int | None = None
    limit: PageLimit = PAGE_ITEMS_DEFAULT


class RecordVersion(Result, frozen=True, kw_only=True):
    """One version; a value of null was an erasure."""

    version: int
    height: HeightNumber
    time: TimeText
    value: Any


class RecordHistoryShown(Result, frozen=True, kw_only=True):
    """A page; `before` is there when there are older versions."""

    height: HeightNumber
    collection: NameText
    key: str
    versions: list[RecordVersion]
    before: int | None = None


class DocumentParams(Params, frozen=True, kw_only=True):
    """A series of documents: which version was in force `at` a time, now without it."""

    series: NameText
    at: TimeText | None = None


class DocumentVersionShown(Result, frozen=True, kw_only=True):
    """One registered version: in force from `registered` until it is replaced or revoked."""

    version: int
    digest: HexDigest
    size_bytes: int
    registered: TimeText
    replaced: TimeText | None
    revoked: TimeText | None


class DocumentShown(Result, frozen=True, kw_only=True):
    """A series, its newest versions first; `in_force` is the one in force at the time, or null."""

    height: HeightNumber
    series: NameText
    owner: AccountText
    at: TimeText
    in_force: int | None
    versions: list[DocumentVersionShown]
