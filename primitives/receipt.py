"""Receipts and events: what a final transaction did, hashed into the block's receipt root.

Not here: the catalogue of refusal codes and the kinds of events (the ledger).
"""

from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from moyai.primitives.codec import encode
from moyai.primitives.fields import TransactionIdField
from moyai.primitives.ids import AccountId, Digest
from moyai.primitives.merkle import merkle_root

OK = 0

if TYPE_CHECKING:
    FieldValue: TypeAlias = int | str | bytes | None
else:
    FieldValue = Any  # msgspec decodes no union of text and bytes


class Event(msgspec.Struct, array_like=True, frozen=True):
    """One thing that happened: its kind `topic.verb`, the accounts it touches, named values."""

    kind: str
    accounts: tuple[AccountId, ...]
    fields: tuple[tuple[str, FieldValue], ...]


class Receipt(msgspec.Struct, array_like=True, frozen=True):
    """The outcome of one transaction; code 0 is ok, any other names the rule that refused it.

    `operation` is the index of the refused operation (0 when ok), `subject` the object concerned.
    """

    transaction: TransactionIdField
    code: int
    operation: int
    subject: str
    events: tuple[Event, ...]


def block_receipts_root(receipts: tuple[Receipt, ...]) -> Digest:
    """Return the RFC 6962 root over the encoded receipts of one block, in its order."""
    return merkle_root([encode(receipt) for receipt in receipts])
