"""SHA-256 under domain tags: one table of every tag, so that no two uses can be confused.

A tagged hash is SHA-256(tag ‖ 0x00 ‖ bytes). Merkle trees have prefixes of their own (RFC 6962).
"""

from enum import Enum
from hashlib import sha256 as _sha256

from moyai.primitives.ids import Digest


class Tag(Enum):
    """What a digest or a signature is about."""

    HEADER = b"moyai/header/1\x00"
    TRANSACTION = b"moyai/transaction/1\x00"
    TRANSACTION_SIGNATURE = b"moyai/transaction-signature/1\x00"
    VOTE = b"moyai/vote/1\x00"
    VALIDATORS = b"moyai/validators/1\x00"
    GENESIS = b"moyai/genesis/1\x00"
    ACCOUNT = b"moyai/account/1\x00"
    LEADER = b"moyai/leader/1\x00"
    RECEIPT = b"moyai/receipt/1\x00"
    STORED = b"moyai/stored/1\x00"
    DOCUMENT = b"moyai/document/1\x00"


def sha256(data: bytes) -> Digest:
    """Return the plain SHA-256 of `data`."""
    return Digest(_sha256(data).digest())


def tagged(tag: Tag, data: bytes) -> Digest:
    """Return SHA-256(tag ‖ data)."""
    return Digest(_sha256(tag.value + data).digest())
