"""Noticing that catching up has become impossible: nobody has the next block any more.

One peer may lie about that, and one that has the block may be slow: it takes the word of more
validators than may be faulty, and that nobody linked is left who could help.
"""

from collections.abc import Collection

from moyai.p2p.sync import Sync
from moyai.primitives.errors import MoyaiError
from moyai.primitives.ids import Height, NetworkKey
from moyai.primitives.quorum import one_honest


class BelowHorizonError(MoyaiError):
    """The blocks that this node needs next are gone everywhere; only a state can help it."""

    code = "below_horizon"

    def __init__(self, needed: Height, base: Height) -> None:
        super().__init__(
            f"no linked node has it any more, they hold blocks from height {base} on",
            what=f"block {needed}",
            next='set sync_from = "snapshot" in the configuration and start again, '
            "or link to a node in archive mode",
        )


def check_reach(
    sync: Sync, linked: Collection[NetworkKey], validators: Collection[NetworkKey]
) -> None:
    """Raise `BelowHorizonError` when nobody of `linked` can give the next block.

    `validators` are the keys of the epoch on the wire.
    """
    bases = sync.bases()
    told = [peer for peer in validators if peer in bases]
    if len(told) < one_honest(len(validators)):
        return
    if not any(sync.may_help(peer) for peer in linked):
        raise BelowHorizonError(sync.next_height, min(bases.values()))
