"""Secondary indexes of collections: their names, and values whose bytes sort as the values do.

Not here: where the entries are kept (storage), and queries over them.
"""

from typing import TypeAlias

Indexed: TypeAlias = bool | int | str | None

KEY_FIELD = ""
"""The index over the keys of all records of a collection; no field has an empty name."""

_OFFSET = 2**63


def index_name(collection: str, field: str) -> bytes:
    """Return the name of the index over one field: collection ‖ 0 ‖ field."""
    return collection.encode() + b"\x00" + field.encode()


def index_value(value: Indexed) -> bytes:
    """Return a value as bytes that sort: absent, false, true, 64-bit integers, texts by character.

    Different values have different bytes.
    """
    if value is None:
        return b"\x00"
    if isinstance(value, bool):
        return b"\x02" if value else b"\x01"
    if isinstance(value, int):
        return b"\x03" + (value + _OFFSET).to_bytes(8, "big")
    return b"\x04" + value.encode()
