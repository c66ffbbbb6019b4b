"""Scenarios of receipts: every field is under the root."""

import msgspec

from moyai.primitives.ids import AccountId, TransactionId
from moyai.primitives.merkle import EMPTY_ROOT
from moyai.primitives.receipt import OK, Event, Receipt, block_receipts_root

RECEIPT = Receipt(
    TransactionId(bytes(32)),
    OK,
    0,
    "",
    (Event("token.sent", (AccountId(bytes(20)),), (("amount", 5),)),),
)


def test_a_changed_receipt_changes_the_root() -> None:
    root = block_receipts_root((RECEIPT,))
    for changed in (
        msgspec.structs.replace(RECEIPT, code=7),
        msgspec.structs.replace(RECEIPT, subject="x"),
        msgspec.structs.replace(RECEIPT, events=()),
        msgspec.structs.replace(RECEIPT, operation=1),
    ):
        assert block_receipts_root((changed,)) != root


def test_an_empty_block_has_the_empty_root() -> None:
    assert block_receipts_root(()) == EMPTY_ROOT
