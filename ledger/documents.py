"""Document series and versions read from the state, and which version was in force at a time.

Not here: the operations on them (`rules_documents`), the salted digest (`primitives.documents`).
"""

import msgspec

from moyai.ledger.state import ValueReader
from moyai.primitives.ids import TimeMs
from moyai.primitives.state_keys import series_key, version_key
from moyai.primitives.state_values import DocumentVersion, Series

_series = msgspec.msgpack.Decoder(Series)
_version = msgspec.msgpack.Decoder(DocumentVersion)


def read_series(reader: ValueReader, series: str) -> Series | None:
    """Return a series, or none when there is none of this name."""
    value = reader.value(series_key(series))
    return None if value is None else _series.decode(value)


def read_version(reader: ValueReader, series: str, version: int) -> DocumentVersion | None:
    """Return one version of a series, or none when it was never registered."""
    value = reader.value(version_key(series, version))
    return None if value is None else _version.decode(value)


def version_in_force(
    reader: ValueReader, series: str, time_ms: TimeMs
) -> tuple[int, DocumentVersion] | None:
    """Return the number and the version that was in force at a time, or none.

    At most one is: a version ends at the latest when the next one begins.
    """
    found = read_series(reader, series)
    low, high = 1, 0 if found is None else found.latest
    while low <= high:
        middle = (low + high) // 2
        version = read_version(reader, series, middle)
        assert version is not None, "a series without one of its versions"
        if time_ms < version.registered_ms:
            high = middle - 1
        elif version.replaced_ms is not None and version.replaced_ms <= time_ms:
            low = middle + 1
        else:
            return (middle, version) if version.was_in_force(time_ms) else None
    return None
