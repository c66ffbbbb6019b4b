"""Order-preserving keys of secondary indexes: bytes compare as the values do.

null < false < true < integers < strings. Not here: storing and scanning them (storage).
"""

from moyai.ledger.keys import collection_key

STRING_BYTES_MAX = 128
_OFFSET = 2**63

Indexable = str | int | bool | None


def index_name(collection: str, field: str) -> bytes:
    """Return the name of the index over one field of a collection."""
    return collection_key(collection) + b"\x00" + field.encode()


def index_value(value: Indexable) -> bytes:
    """Return the bytes of a value; a long string is cut, so equal bytes are not equal values."""
    if value is None:
        return b"\x00"
    if isinstance(value, bool):
        return b"\x02" if value else b"\x01"
    if isinstance(value, int):
        return b"\x03" + (value + _OFFSET).to_bytes(8, "big")
    return b"\x04" + value.encode()[:STRING_BYTES_MAX]
