"""Collections in the state. Not here: the operations on them (`rules_records`)."""

from functools import lru_cache

import msgspec

from moyai.ledger.accounts import ValueReader
from moyai.ledger.keys import collection_key
from moyai.primitives.ids import AccountId
from moyai.primitives.operations_records import Writers


class Collection(msgspec.Struct, array_like=True, frozen=True):
    """A collection: who made it, what its records look like, what is indexed, who writes."""

    creator: AccountId
    title_ja: str
    title_en: str
    schema: bytes
    indexes: tuple[str, ...]
    writers: Writers


_decoder = msgspec.msgpack.Decoder(Collection)


@lru_cache(maxsize=1_024)
def decode_collection(value: bytes) -> Collection:
    """Return the collection that a state value holds; the same bytes decode once."""
    return _decoder.decode(value)


def read_collection(reader: ValueReader, name: str) -> Collection | None:
    """Return a collection, or none when there is no such collection."""
    value = reader.value(collection_key(name))
    return None if value is None else decode_collection(value)
