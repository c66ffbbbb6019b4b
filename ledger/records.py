"""Collections and their records read from the state.

Not here: the operations on them (`rules_records`), queries over indexes.
"""

from collections.abc import Iterator
from functools import lru_cache

import msgspec

from moyai.ledger.canonical_json import parse_canonical
from moyai.ledger.indexes import KEY_FIELD, index_name, index_value
from moyai.ledger.state import ValueReader
from moyai.primitives.state_keys import collection_key, record_key
from moyai.primitives.state_values import Collection

COLLECTIONS_REMEMBERED_MAX = 1_024

_RECORD = record_key("", "")[:1]

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


def index_rows(reader: ValueReader, key: bytes, value: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield (index, indexed value) of each row that a state key has while it holds `value`.

    Only records have any.
    """
    if key[:1] != _RECORD:
        return
    collection, _, name = key[1:].decode().partition("\x00")
    yield index_name(collection, KEY_FIELD), index_value(name)
    described = read_collection(reader, collection)
    assert described is not None, "a record lies in a collection"
    if described.indexes:
        fields = parse_canonical(value)
        for field in described.indexes:
            yield index_name(collection, field), index_value(fields.get(field))
