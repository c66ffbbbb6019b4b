"""Distinct names for the numbers and bytes of the ledger, and their one text form each.

Digests and transaction ids are lower-case hexadecimal; accounts are bech32m (BIP-350), so that a
typing error is caught before anything is signed.
"""

from collections.abc import Iterable
from typing import NewType

from bech32 import CHARSET, bech32_hrp_expand, bech32_polymod, convertbits

from moyai.primitives.errors import IdentifierError

Height = NewType("Height", int)
View = NewType("View", int)
Epoch = NewType("Epoch", int)
ValidatorIndex = NewType("ValidatorIndex", int)
TimeMs = NewType("TimeMs", int)

Digest = NewType("Digest", bytes)
TransactionId = NewType("TransactionId", bytes)
AccountId = NewType("AccountId", bytes)
PublicKey = NewType("PublicKey", bytes)
NetworkKey = NewType("NetworkKey", bytes)  # X25519; it names a peer on the wire

DIGEST_BYTES = 32
ACCOUNT_BYTES = 20
KEY_BYTES = 32
SIGNATURE_BYTES = 64
ACCOUNT_PREFIX = "moyai"
_EXPANDED_PREFIX = bech32_hrp_expand(ACCOUNT_PREFIX)
_BECH32M = 0x2BC830A3  # BIP-350
_ACCOUNT_GROUPS = 32 + 6  # 160 bits in groups of 5, and the checksum

ZERO_DIGEST = Digest(bytes(DIGEST_BYTES))


def format_account(account: AccountId) -> str:
    """Return the bech32m text (`moyai1…`) of a 20-byte account id."""
    groups = _regroup(account, 8, 5, pad=True)
    remainder = bech32_polymod([*_EXPANDED_PREFIX, *groups, 0, 0, 0, 0, 0, 0]) ^ _BECH32M
    checksum = [(remainder >> 5 * (5 - place)) & 31 for place in range(6)]
    return f"{ACCOUNT_PREFIX}1" + "".join(CHARSET[group] for group in [*groups, *checksum])


def parse_account(text: str) -> AccountId:
    """Return the account id that `text` names.

    Raises `IdentifierError` when the text is no bech32m, has a typing error or another prefix.
    """
    prefix, _, rest = text.partition("1")
    groups = [CHARSET.find(character) for character in rest]
    if (
        prefix != ACCOUNT_PREFIX
        or len(groups) != _ACCOUNT_GROUPS
        or -1 in groups
        or bech32_polymod([*_EXPANDED_PREFIX, *groups]) != _BECH32M
    ):
        raise IdentifierError(
            "not an account address, or one with a typing error",
            what=text[:80],
            next="copy the address again; it starts with moyai1",
        )
    return AccountId(bytes(_regroup(groups[:-6], 5, 8, pad=False)))


def _regroup(values: Iterable[int], from_bits: int, to_bits: int, *, pad: bool) -> list[int]:
    groups: list[int] | None = convertbits(values, from_bits, to_bits, pad)
    if groups is None:
        raise IdentifierError("an account address with stray bits", next="copy the address again")
    return groups


def parse_hex(text: str, *, bytes_exact: int, what: str) -> bytes:
    """Return the bytes that lower-case hexadecimal `text` writes, exactly `bytes_exact` of them.

    Raises `IdentifierError`, naming the object as `what`.
    """
    advice = f"give {bytes_exact * 2} lower-case hexadecimal digits"
    try:
        value = bytes.fromhex(text)
    except ValueError:
        raise IdentifierError("not hexadecimal", what=what, next=advice) from None
    if len(value) != bytes_exact or value.hex() != text:
        raise IdentifierError("hexadecimal of a wrong form or length", what=what, next=advice)
    return value
