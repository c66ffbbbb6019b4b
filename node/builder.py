"""Chooses the transactions of an own block: what waits, is in no ancestor, and fits the limits."""

from moyai.consensus.effects import BuildBlock
from moyai.consensus.inputs import BlockBuilt
from moyai.ledger.mempool import BlockSpace, Mempool
from moyai.node.bodies import Bodies
from moyai.primitives.merkle import transactions_root
from moyai.primitives.parameters import Parameters


class Builder:
    """Answers `BuildBlock` from the mempool."""

    def __init__(self, parameters: Parameters, mempool: Mempool, bodies: Bodies) -> None:
        self._parameters = parameters
        self._mempool = mempool
        self._bodies = bodies

    def build(self, order: BuildBlock) -> BlockBuilt:
        """Return the chosen transactions, none when there is no work."""
        taken = self._bodies.ids_of(order.ancestors)
        space = BlockSpace.of(self._parameters, time_ms=order.time_ms)
        chosen = self._mempool.take(space, excluded=taken)
        ids = tuple(transaction.id for transaction in chosen)
        size = sum(len(transaction.body_bytes) for transaction in chosen)
        return BlockBuilt(order.view, order.parent, ids, transactions_root(ids), size)
