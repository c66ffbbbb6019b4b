"""Values of the state as the SDK reads them, each decoded from proven bytes.

Not here: who may change them (the ledger).
"""

from typing import Any

import msgspec

from moyai.client.errors import LyingNodeError
from moyai.client.proofs import ProvenHistory, ProvenValue
from moyai.primitives.codec import UNDECODABLE, Codec
from moyai.primitives.errors import MoyaiError
from moyai.primitives.ids import Height
from moyai.primitives.state_values import DocumentVersion

AMOUNT_BYTES = 8


class Record(msgspec.Struct, frozen=True):
    """A record as of block `height`: plain data, or none when there is none."""

    value: Any
    version: int
    changed_height: Height
    height: Height


_document_codec = Codec(DocumentVersion, name="document version")


def read_record(proven: ProvenValue) -> Record:
    """Return the record in a proven value."""
    return Record(_json(proven.value), proven.version, proven.changed_height, proven.height)


def read_records(proven: ProvenHistory) -> tuple[Record, ...]:
    """Return the versions of a record, oldest first."""
    return tuple(
        Record(_json(one.value), one.version, one.height, proven.height) for one in proven.versions
    )


def read_balance(proven: ProvenValue) -> int:
    """Return the amount in a proven value; nothing is 0."""
    if proven.value is not None and len(proven.value) != AMOUNT_BYTES:
        raise _newer("balance")
    return int.from_bytes(proven.value or b"", "big")


def read_document(proven: ProvenValue) -> DocumentVersion | None:
    """Return the document version in a proven value."""
    if proven.value is None:
        return None
    try:
        return _document_codec.decode(proven.value)
    except MoyaiError:
        raise _newer("document version") from None


def _json(value: bytes | None) -> Any:
    if value is None:
        return None
    try:
        return msgspec.json.decode(value)
    except UNDECODABLE:
        raise _newer("record") from None


def _newer(what: str) -> LyingNodeError:
    return LyingNodeError(
        "is proven, and of a form that this version of the SDK does not know",
        what=what,
        next="install the version of the SDK that the city uses",
    )
