"""The header check, as functions of a header and what it builds on; each returns what is wrong, or
"".

Not here: the body (`CheckBlock`), the certificates a proposal needs (`proposing`).
"""

from moyai.consensus.execution import Execution
from moyai.consensus.limits import CLOCK_TOLERANCE_MS
from moyai.consensus.tree import Block
from moyai.primitives.block import Header
from moyai.primitives.ids import Digest, Epoch, TimeMs, TransactionId, View
from moyai.primitives.merkle import transactions_root
from moyai.primitives.parameters import Parameters


def ids_fault(header: Header, transaction_ids: tuple[TransactionId, ...]) -> str:
    """Check that the ids are those the header commits to, each once."""
    if header.tx_count != len(transaction_ids):
        return "tx_count is not the number of ids"
    if len(set(transaction_ids)) != len(transaction_ids):
        return "a transaction twice"
    if header.tx_root != transactions_root(transaction_ids):
        return "tx_root is not the root of the ids"
    return ""


def own_fault(header: Header, parameters: Parameters) -> str:
    """Check what needs nothing but the header."""
    if header.filler_of is not None and (header.tx_count or header.epoch_end is not None):
        return "a filler that is more than that"
    if header.tx_count > parameters.block_transactions_max:
        return "too many transactions"
    if header.tx_bytes > parameters.block_bytes_max:
        return "too many bytes"
    if not header.tx_count and header.tx_bytes:
        return "bytes without transactions"
    return ""


def parent_fault(
    block: Block, parent_view: View, execution: Execution, parameters: Parameters
) -> str:
    """Check a linked block against its parent, whose view in this epoch is `parent_view`."""
    assert block.parent is not None
    header, parent, above = block.header, block.parent, block.parent.header
    if header.filler_of != filled(parent, header.epoch):
        return "fills nothing, or something else than the epoch's last block"
    if header.height != above.height + 1:
        return "height is not the parent's plus one"
    if header.parent_view != parent_view or header.view <= parent_view:
        return "parent_view is not the parent's view"
    if header.time_ms <= above.time_ms:
        return "time is not after the parent's"
    if header.log_root != block.frontier.root:
        return "log_root is not the root of the ancestors"
    return _executed_fault(header, parent, execution, parameters)


def filled(parent: Block, epoch: Epoch) -> Digest | None:
    """Return the block that a child of `parent` in `epoch` is a filler of: the epoch's last one."""
    if parent.header.epoch != epoch:
        return None
    return parent.digest if parent.header.epoch_end is not None else parent.header.filler_of


def _executed_fault(
    header: Header, parent: Block, execution: Execution, parameters: Parameters
) -> str:
    above = parent.header
    if header.executed.height < above.executed.height:
        return "executed height goes back"
    if header.executed.height == above.executed.height and header.executed != above.executed:
        return "executed roots differ from the parent's"
    if header.executed.height > above.height:
        return "executed height is no ancestor's"
    if header.filler_of is not None:
        return "" if header.executed == above.executed else "a filler with other executed roots"
    if header.epoch != above.epoch and header.executed.height < above.height:
        return "does not attest the end of the epoch before"
    if header.tx_count:
        lag = execution.lag(parent, header.executed.height)
        if lag > parameters.execution_lag_max:
            return "too far ahead of execution"
    return ""


def clock_fault(header: Header, parent: Header, wall_ms: TimeMs) -> str:
    """Check a header against the clock; asked only before voting.

    The parent's time and a millisecond always passes. There is no lower bound but the parent: a
    block may be old, since a slow vote must not make it invalid.
    """
    if header.time_ms > max(wall_ms + CLOCK_TOLERANCE_MS, parent.time_ms + 1):
        return "time is ahead of the clock"
    return ""
