"""Executes stored blocks again, for `moyai reindex`: the same rules on the same bytes."""

from moyai.ledger.apply import BlockContext, BlockOutcome, apply_block
from moyai.ledger.state import StateReader
from moyai.primitives.block import Header
from moyai.primitives.transaction import checked_before, parse_transaction


def execute_again(state: StateReader, header: Header, body: tuple[bytes, ...]) -> BlockOutcome:
    """Return what the block did; its signatures were checked before it became final."""
    transactions = [checked_before(parse_transaction(raw)) for raw in body]
    context = BlockContext(header.height, header.time_ms, header.epoch, header.epoch_end)
    return apply_block(state, context, transactions)
