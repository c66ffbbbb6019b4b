"""Events and blocks after a cursor: the same pages for `events_list` and for subscriptions.

A page ends where its cursor says, so what follows is neither repeated nor lost.
"""

from collections.abc import Callable

from moyai.primitives.block import header_digest
from moyai.primitives.ids import Height
from moyai.primitives.receipt import Event
from moyai.rpc.cursors import BlockCursor, CursorReader, EventCursor, cursor_text
from moyai.rpc.limits import ROWS_SCANNED_MAX
from moyai.rpc.ports import ChainEvent, Place
from moyai.rpc.readable import readable_event
from moyai.rpc.reads import Reads
from moyai.rpc.schema_events import BlockItem, EventFilter, EventItem
from moyai.rpc.texts import account_text, time_text

BEGINNING = EventCursor(1, 0, 0)
Wanted = Callable[[Event], bool]

_event_cursors = CursorReader(EventCursor)
_block_cursors = CursorReader(BlockCursor)


def event_cursor(text: str | None) -> EventCursor:
    """Return where to begin; the beginning of the chain without a text. Raises `BadCursorError`."""
    return BEGINNING if text is None else _event_cursors.read(text)


def block_cursor(text: str) -> BlockCursor:
    """Return where to begin. Raises `BadCursorError`."""
    return _block_cursors.read(text)


def wanted_by(chosen: EventFilter) -> Wanted:
    """Return the test that a filter makes of an event."""
    kinds = frozenset(chosen.kinds)
    accounts = frozenset(chosen.accounts)

    def is_wanted(event: Event) -> bool:
        if kinds and event.kind not in kinds and event.kind.partition(".")[0] not in kinds:
            return False
        return not accounts or any(account_text(one) in accounts for one in event.accounts)

    return is_wanted


def events_after(
    reads: Reads, start: EventCursor, wanted: Wanted, limit: int
) -> tuple[list[EventItem], EventCursor]:
    """Return up to `limit` wanted events from a cursor on, and the cursor after them.

    Looks at `ROWS_SCANNED_MAX` events at most: a page may be empty while there are more.
    """
    items: list[EventItem] = []
    cursor = start
    looked_at = 0
    while cursor.height <= reads.height and looked_at < ROWS_SCANNED_MAX:
        page = reads.snapshot.events(Place(Height(cursor.height), cursor.position), limit)
        for one in page.events:
            after = EventCursor(one.place.height, one.place.position, one.number + 1)
            if _is_before(one, cursor):
                continue
            looked_at += 1
            if wanted(one.event):
                items.append(_item(reads, one, after))
            if len(items) == limit:
                return items, after
        cursor = EventCursor(page.next.height, page.next.position, 0)
        if len(page.events) < limit:  # all was read, or as many receipts as one page may
            break
    return items, cursor


def blocks_after(
    reads: Reads, start: BlockCursor, limit: int
) -> tuple[list[BlockItem], BlockCursor]:
    """Return up to `limit` blocks from a cursor on, and the cursor after them."""
    last = min(reads.height, start.height + limit - 1)
    items = [_block(reads, height) for height in range(start.height, last + 1)]
    return items, BlockCursor(start.height + len(items))


def _is_before(one: ChainEvent, cursor: EventCursor) -> bool:
    place = (one.place.height, one.place.position, one.number)
    return place < (cursor.height, cursor.position, cursor.number)


def _item(reads: Reads, one: ChainEvent, after: EventCursor) -> EventItem:
    return EventItem(
        cursor=cursor_text(after),
        height=one.place.height,
        time=time_text(reads.header(one.place.height).time_ms),
        transaction=one.transaction.hex(),
        **readable_event(one.event),
    )


def _block(reads: Reads, height: int) -> BlockItem:
    header = reads.header(height)
    return BlockItem(
        cursor=cursor_text(BlockCursor(height + 1)),
        height=header.height,
        digest=header_digest(header).hex(),
        time=time_text(header.time_ms),
        tx_count=header.tx_count,
    )
