"""Document series and versions in the state, and which version was in force at a time.

Not here: the operations on them (`rules_documents`).
"""

import msgspec

from moyai.ledger.accounts import ValueReader
from moyai.ledger.keys import series_key, version_key
from moyai.primitives.ids import AccountId, Digest, TimeMs


class Series(msgspec.Struct, array_like=True, frozen=True):
    """A series of versions of one document: who registered it, the number of the latest version."""

    owner: AccountId
    latest: int


class DocumentVersion(msgspec.Struct, array_like=True, frozen=True):
    """A registered version: in force from `registered_ms` until it is replaced or revoked."""

    digest: Digest
    size_bytes: int
    registered_ms: TimeMs
    replaced_ms: TimeMs | None
    revoked_ms: TimeMs | None


_series_decoder = msgspec.msgpack.Decoder(Series)
_version_decoder = msgspec.msgpack.Decoder(DocumentVersion)


def read_series(reader: ValueReader, series: str) -> Series | None:
    """Return a series, or none when nothing was registered under the name."""
    value = reader.value(series_key(series))
    return None if value is None else _series_decoder.decode(value)


def read_version(reader: ValueReader, series: str, version: int) -> DocumentVersion | None:
    """Return one version of a series, or none."""
    value = reader.value(version_key(series, version))
    return None if value is None else _version_decoder.decode(value)


def version_in_force(
    reader: ValueReader, series: str, time_ms: TimeMs
) -> tuple[int, DocumentVersion] | None:
    """Return the number and the version that was in force at `time_ms`, or none."""
    found = read_series(reader, series)
    low, high = 1, 0 if found is None else found.latest
    while low <= high:  # versions are registered in the order of their times
        middle = (low + high) // 2
        version = read_version(reader, series, middle)
        assert version is not None, "a series has every version up to its latest"
        if version.registered_ms > time_ms:
            high = middle - 1
        elif version.replaced_ms is not None and version.replaced_ms <= time_ms:
            low = middle + 1
        else:
            revoked = version.revoked_ms is not None and version.revoked_ms <= time_ms
            return None if revoked else (middle, version)
    return None
