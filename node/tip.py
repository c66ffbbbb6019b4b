"""The final tip as consensus goes on from it, read from the chain store.

Not here: the journal (`starting`), who votes in the epoch of the tip (`identity`).
"""

from moyai.consensus.config import ExecutedBlock, FinalTip
from moyai.ledger.membership import read_pending_set
from moyai.primitives.block import Header
from moyai.primitives.certificate import Certificate
from moyai.primitives.ids import Epoch
from moyai.primitives.state_keys import validators_key
from moyai.storage.chain import ChainStore
from moyai.storage.snapshot import ChainSnapshot


def epoch_after(tip: Header) -> Epoch:
    """Return the epoch of the block after `tip`."""
    return tip.epoch if tip.epoch_end is None else Epoch(tip.epoch + 1)


def read_tip(chain: ChainStore) -> FinalTip:
    """Return the last written block with what consensus needs to go on from it."""
    with chain.snapshot() as snapshot:
        tip = snapshot.require_header(snapshot.height)
        first = max(min(tip.executed.height + 1, tip.height), snapshot.base - 1)
        recent = tuple(_executed_block(snapshot, height) for height in range(first, tip.height + 1))
        certificate = snapshot.certificate(tip.height)
        frontier = snapshot.log_frontier(tip.height)
    return FinalTip(certificate, frontier, recent)


def end_of_epoch(snapshot: ChainSnapshot, epoch: int) -> Certificate | None:
    """Return the certificate that ended an epoch; none when it has not ended here."""
    began = snapshot.state(validators_key(Epoch(epoch + 1)))
    return None if began is None else snapshot.end_certificate(began.height)


class _AsOf:
    """The state after an earlier block."""

    def __init__(self, snapshot: ChainSnapshot, height: int) -> None:
        self._snapshot = snapshot
        self._height = height

    def value(self, key: bytes) -> bytes | None:
        """Return what `key` held then."""
        entry = self._snapshot.state_as_of(key, self._height)
        return None if entry is None else entry.value


def _executed_block(snapshot: ChainSnapshot, height: int) -> ExecutedBlock:
    executed = snapshot.executed(height)
    assert executed is not None, "every written block has its roots"
    header = snapshot.require_header(height)
    pending = read_pending_set(_AsOf(snapshot, height))
    return ExecutedBlock(header, executed, pending.digest if pending is not None else None)
