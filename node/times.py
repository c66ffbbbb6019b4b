"""Times as people write them: RFC 3339 in, RFC 3339 in UTC with milliseconds out."""

from datetime import UTC, datetime

from moyai.primitives.ids import TimeMs

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def format_time(time_ms: int) -> str:
    """Return RFC 3339 UTC with milliseconds."""
    seconds, milliseconds = divmod(time_ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{milliseconds:03d}Z"


def parse_time(text: str) -> TimeMs:
    """Return milliseconds since 1970 of an RFC 3339 time with a zone. Raises `ValueError`."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"time {text} has no zone; write it as 2026-01-31T09:00:00.000Z")
    since = moment - _EPOCH
    milliseconds = (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000
    return TimeMs(milliseconds)
