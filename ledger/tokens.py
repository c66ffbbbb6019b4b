"""Token classes and balances in the state. Not here: the operations on them (`rules_tokens`)."""

from functools import lru_cache

import msgspec

from moyai.ledger.accounts import ValueReader
from moyai.ledger.keys import balance_key, token_key
from moyai.primitives.ids import AccountId
from moyai.primitives.operations_tokens import TokenPolicy


class TokenClass(msgspec.Struct, array_like=True, frozen=True):
    """A class of units: its policy, who may mint beside the creator, and what exists of it."""

    creator: AccountId
    title_ja: str
    title_en: str
    policy: TokenPolicy
    minters: tuple[AccountId, ...]
    supply: int


_decoder = msgspec.msgpack.Decoder(TokenClass)


@lru_cache(maxsize=1_024)
def decode_token(value: bytes) -> TokenClass:
    """Return the class that a state value holds; the same bytes decode once."""
    return _decoder.decode(value)


def read_token(reader: ValueReader, name: str) -> TokenClass | None:
    """Return a token class, or none when there is no such class."""
    value = reader.value(token_key(name))
    return None if value is None else decode_token(value)


def read_balance(reader: ValueReader, name: str, account: AccountId) -> int:
    """Return how many units of a class an account holds."""
    value = reader.value(balance_key(name, account))
    return 0 if value is None else int.from_bytes(value, "big")


def encode_balance(amount: int) -> bytes:
    """Return the state value of a balance: u64 big-endian."""
    return amount.to_bytes(8, "big")
