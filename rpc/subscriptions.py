"""Subscriptions of one WebSocket: what each follows, from where, and how it is told.

Each one reads pages from the store at the pace of its reader: nothing piles up, nothing is lost or
repeated. Not here: the socket itself (`socket`).
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import msgspec

from moyai.rpc.calls import notification_bytes
from moyai.rpc.cursors import BlockCursor, EventCursor, cursor_text
from moyai.rpc.errors import InvalidParamsError
from moyai.rpc.event_pages import (
    Wanted,
    block_cursor,
    blocks_after,
    event_cursor,
    events_after,
    wanted_by,
)
from moyai.rpc.limits import SOCKET_ITEMS_MAX, SOCKET_SUBSCRIPTIONS_MAX
from moyai.rpc.reads import Reads
from moyai.rpc.schema_events import (
    BlockItem,
    EventItem,
    SubscribeAnswer,
    SubscribeParams,
    UnsubscribeAnswer,
    UnsubscribeParams,
)
from moyai.rpc.waits import Waiting

Cursor = EventCursor | BlockCursor
Send = Callable[[bytes], Awaitable[None]]


class SubscriptionNews(msgspec.Struct, frozen=True):
    """What a subscription tells: items in order, and the cursor after the last of them."""

    subscription: int
    items: Sequence[EventItem | BlockItem]
    cursor: str


class Subscription:
    """One thing that is followed; `cursor` is where it stands."""

    def __init__(self, number: int, cursor: Cursor, wanted: Wanted) -> None:
        self.number = number
        self.cursor = cursor
        self._wanted = wanted

    async def run(self, waiting: Waiting, send: Send) -> None:
        """Tell everything from the cursor on, page by page, until it is cancelled.

        All subscriptions of a node together read one page between two turns of its loop.
        """
        while True:
            told = waiting.signal.listen()
            async with waiting.page_turn:
                items, after, is_behind = waiting.read(self._page)
                await asyncio.sleep(0)
            if items:
                news = SubscriptionNews(self.number, items, cursor_text(after))
                await send(notification_bytes(news))
            self.cursor = after
            if not is_behind:
                await told.wait()

    def _page(self, reads: Reads) -> tuple[Sequence[EventItem | BlockItem], Cursor, bool]:
        items: Sequence[EventItem | BlockItem]
        after: Cursor
        match self.cursor:
            case EventCursor() as cursor:
                items, after = events_after(reads, cursor, self._wanted, SOCKET_ITEMS_MAX)
            case BlockCursor() as cursor:
                items, after = blocks_after(reads, cursor, SOCKET_ITEMS_MAX)
        return items, after, after.height <= reads.height


class SubscriptionHost(Protocol):
    """A connection that can hold subscriptions."""

    @property
    def subscription_count(self) -> int: ...

    def next_number(self) -> int: ...

    def begin(self, subscription: Subscription) -> None:
        """Begin to tell what a subscription follows."""
        ...

    def end(self, number: int) -> bool:
        """End a subscription; return whether there was such a one."""
        ...


def subscribe(host: SubscriptionHost, reads: Reads, params: SubscribeParams) -> SubscribeAnswer:
    """Follow blocks or events from a cursor on; over WebSocket only."""
    if host.subscription_count >= SOCKET_SUBSCRIPTIONS_MAX:
        raise InvalidParamsError(
            f"this connection has {SOCKET_SUBSCRIPTIONS_MAX} subscriptions already",
            what="subscribe",
            next="end one with unsubscribe, or open another connection",
        )
    subscription = Subscription(host.next_number(), _start(reads, params), wanted_by(params.filter))
    host.begin(subscription)
    return SubscribeAnswer(
        subscription=subscription.number, cursor=cursor_text(subscription.cursor)
    )


def unsubscribe(
    host: SubscriptionHost, _reads: Reads, params: UnsubscribeParams
) -> UnsubscribeAnswer:
    """End a subscription of this connection."""
    return UnsubscribeAnswer(ended=host.end(params.subscription))


def _start(reads: Reads, params: SubscribeParams) -> Cursor:
    from_now = reads.height + 1
    match params.topic:
        case "blocks":
            if params.cursor is None:
                return BlockCursor(from_now)
            blocks = block_cursor(params.cursor)
            reads.header(min(blocks.height, reads.height))
            return blocks
        case "events":
            if params.cursor is None:
                return EventCursor(from_now, 0, 0)
            events = event_cursor(params.cursor)
            if events.height < reads.snapshot.base:
                raise reads.below_base(f"events from height {events.height} on")
            return events
