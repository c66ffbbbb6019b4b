"""Collections and their records read from the state.

Not here: the operations on them (`rules_records`), queries over indexes.
"""

from functools import lru_cache

import msgspec

from moyai.ledger.state import ValueReader
from moyai.primitives.state_keys import collection_key, record_key
from moyai.primitives.state_values import Collection

COLLECTIONS_REMEMBERED_MAX = 1_024

_decoder = msgspec.msgpack.Decoder(Collection)


@lru_cache(maxsize=COLLECTIONS_REMEMBERED_MAX)
def decode_collection(value: bytes) -> Collection:
    """Return the collection that a state value holds; the same bytes decode once."""
    return _decoder.decode(value)


def read_collection(reader: ValueReader, name: str) -> Collection | None:
    """Return a collection, or none when there is none of this name."""
    value = reader.value(collection_key(name))
    return None if value is None else decode_collection(value)


def read_record(reader: ValueReader, collection: str, key: str) -> bytes | None:
    """Return the canonical JSON of a record, or none when there is none."""
    value = reader.value(record_key(collection, key))
    return None if value is None else value
