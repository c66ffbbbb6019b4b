"""Events by page; subscriptions are in `subscriptions`."""

from moyai.rpc.cursors import cursor_text
from moyai.rpc.event_pages import event_cursor, events_after, wanted_by
from moyai.rpc.reads import Reads
from moyai.rpc.schema_events import EventsParams, EventsShown


def events_list(reads: Reads, params: EventsParams) -> EventsShown:
    """Events in the order in which they happened, from after a cursor."""
    start = event_cursor(params.cursor)
    events, cursor = events_after(reads, start, wanted_by(params.filter), params.limit)
    return EventsShown(height=reads.height, events=events, cursor=cursor_text(cursor))
