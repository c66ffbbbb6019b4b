"""The end of an epoch: nothing is done after it but to show it to those who missed it (R15).

Not here: which block ends it (`headers`, `leading`), its finality (`finality`), the machine of the
next epoch (the shell).
"""

from moyai.consensus.core import Core
from moyai.consensus.effects import DropBlock, EpochEnded, ProveEpochEnd
from moyai.consensus.inputs import Timer
from moyai.primitives.block import Header
from moyai.primitives.certificate import Certificate
from moyai.primitives.ids import Digest, Epoch, NetworkKey


def end(
    core: Core, certificate: Certificate, headers: tuple[Header, ...], left: list[Digest]
) -> None:
    """Let the epoch be over: what is not final is left behind, and this machine does nothing more.

    `headers` lead from the finalized block down to the one that ends the epoch.
    """
    next_set = headers[-1].epoch_end
    assert next_set is not None, "the last of these headers ends the epoch"
    for digest in left:
        core.emit(DropBlock(digest))
    for timer in Timer:
        core.timers.clear(timer)
    core.learned.clear()
    core.ended = True
    core.emit(EpochEnded(certificate, headers, next_set))


def show_end(core: Core, epoch: Epoch, peer: NetworkKey) -> None:
    """R11: prove its end to a peer that is still in an older epoch, once a status period."""
    if epoch < core.epoch and peer not in core.shown_end:
        core.shown_end[peer] = None
        core.emit(ProveEpochEnd(peer, epoch))
