"""Executing a block: each transaction in order, all of its operations or none of them.

`apply_block` is a function of the state, what the header says (`BlockContext`) and the
transactions; it never fails for what a transaction contains. Not here: the rules (`rules_*`), the
block's validity.
"""

from collections.abc import Sequence

import msgspec

from moyai.ledger.actions import ACTIONS
from moyai.ledger.codes import Refusal
from moyai.ledger.context import Context, IndexChange
from moyai.ledger.epoch_end import end_epoch
from moyai.ledger.state import Overlay, StateReader
from moyai.primitives.ids import AccountId, Digest, Epoch, Height, TimeMs
from moyai.primitives.receipt import OK, Receipt
from moyai.primitives.transaction import CheckedTransaction


class BlockContext(msgspec.Struct, frozen=True):
    """What the ledger may know of the block; `epoch_end` is the set that the next epoch has."""

    height: Height
    time_ms: TimeMs
    epoch: Epoch
    epoch_end: Digest | None


class BlockOutcome(msgspec.Struct, frozen=True):
    """What a block does: receipts, state changes, index changes, accounts touched by each one."""

    receipts: tuple[Receipt, ...]
    changes: dict[bytes, bytes | None]
    indexes: tuple[IndexChange, ...]
    touched: tuple[tuple[AccountId, ...], ...]


def apply_block(
    view: StateReader, block: BlockContext, transactions: Sequence[CheckedTransaction]
) -> BlockOutcome:
    """Execute `transactions` over `view` and return what they do; `view` itself is not changed."""
    overlay = Overlay(view, block.height)
    receipts: list[Receipt] = []
    indexes: list[IndexChange] = []
    touched: list[tuple[AccountId, ...]] = []
    for transaction in transactions:
        receipt, context = _apply_transaction(overlay, block, transaction)
        receipts.append(receipt)
        if context is not None:
            indexes.extend(context.indexes)
            touched.append(tuple(context.touched))
        else:
            touched.append((transaction.body.account,))
    if block.epoch_end is not None:
        end_epoch(overlay, block.epoch_end, block.time_ms)
    return BlockOutcome(tuple(receipts), overlay.changes(), tuple(indexes), tuple(touched))


def _apply_transaction(
    overlay: Overlay, block: BlockContext, transaction: CheckedTransaction
) -> tuple[Receipt, Context | None]:
    place = 0
    try:
        context = Context(overlay, transaction, block.height, block.time_ms)
        for place, operation in enumerate(transaction.body.operations):
            context.operation = place
            ACTIONS[type(operation)].rule(context, operation)
    except Refusal as refusal:
        overlay.rollback()
        return Receipt(transaction.id, int(refusal.code), place, refusal.subject, ()), None
    overlay.commit()
    return Receipt(transaction.id, OK, 0, "", tuple(context.events)), context
