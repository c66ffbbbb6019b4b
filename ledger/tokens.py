"""Token classes, balances and supplies read from the state.

Not here: the operations on them (`rules_tokens`).
"""

from functools import lru_cache

import msgspec

from moyai.ledger.state import ValueReader
from moyai.primitives.ids import AccountId
from moyai.primitives.state_keys import balance_key, supply_key, token_key
from moyai.primitives.state_values import TokenClass, decode_amount

CLASSES_REMEMBERED_MAX = 1_024

_decoder = msgspec.msgpack.Decoder(TokenClass)


@lru_cache(maxsize=CLASSES_REMEMBERED_MAX)
def decode_token(value: bytes) -> TokenClass:
    """Return the class that a state value holds; the same bytes decode once."""
    return _decoder.decode(value)


def read_token(reader: ValueReader, name: str) -> TokenClass | None:
    """Return a class, or none when there is none of this name."""
    value = reader.value(token_key(name))
    return None if value is None else decode_token(value)


def read_balance(reader: ValueReader, name: str, account: AccountId) -> int:
    """Return what an account holds of a class."""
    return decode_amount(reader.value(balance_key(name, account)))


def read_supply(reader: ValueReader, name: str) -> int:
    """Return the units of a class that exist: minted and not burnt."""
    return decode_amount(reader.value(supply_key(name)))
