"""Shapes of events, by page and by subscription.

A cursor names the last thing seen: what follows it is given once, in order, on any node.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from moyai.rpc.limits import PAGE_ITEMS_DEFAULT
from moyai.rpc.schema_types import (
    AccountText,
    CursorText,
    HeightNumber,
    HexDigest,
    PageLimit,
    Params,
    Result,
    TimeText,
)

EventKind = Annotated[
    str,
    Meta(
        pattern=r"^[a-z_]+(\.[a-z_]+)?$",
        max_length=64,
        description="a kind, `token.transferred`, or a topic, `token`",
    ),
]


class EventFilter(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Events of one of the kinds that touch one of the accounts; nothing given means all."""

    kinds: Annotated[tuple[EventKind, ...], Meta(max_length=16)] = ()
    accounts: Annotated[tuple[AccountText, ...], Meta(max_length=16)] = ()


class EventsParams(Params, frozen=True, kw_only=True):
    """Events after `cursor`, from the beginning without one."""

    cursor: CursorText | None = None
    limit: PageLimit = PAGE_ITEMS_DEFAULT
    filter: EventFilter = EventFilter()


class EventItem(Result, frozen=True, kw_only=True):
    """An event with its place; `cursor` goes on after it."""

    cursor: CursorText
    height: HeightNumber
    time: TimeText
    transaction: HexDigest
    kind: str
    accounts: list[AccountText]
    fields: dict[str, Any]


class EventsShown(Result, frozen=True, kw_only=True):
    """A page; `cursor` says where to go on, also when the page is empty."""

    height: HeightNumber
    events: list[EventItem]
    cursor: CursorText


class SubscribeParams(Params, frozen=True, kw_only=True):
    """Follow blocks or events, from after `cursor`, from now on without one."""

    topic: Literal["blocks", "events"]
    cursor: CursorText | None = None
    filter: EventFilter = EventFilter()


class SubscribeAnswer(Result, frozen=True, kw_only=True):
    """The number of the subscription on this connection, and where it begins."""

    subscription: int
    cursor: CursorText


class UnsubscribeParams(Params, frozen=True, kw_only=True):
    """The subscription to end."""

    subscription: int


class UnsubscribeAnswer(Result, frozen=True, kw_only=True):
    """Whether there was such a subscription."""

    ended: bool


class BlockItem(Result, frozen=True, kw_only=True):
    """A block as a subscription tells it."""

    cursor: CursorText
    height: HeightNumber
    digest: HexDigest
    time: TimeText
    tx_count: int
