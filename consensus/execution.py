"""What this node knows about executed blocks: own roots, roots claimed by final headers, the lag.

Not here: executing (the ledger).
"""

from enum import Enum

from moyai.consensus.config import FinalTip
from moyai.consensus.tree import Block
from moyai.primitives.block import Executed, Header
from moyai.primitives.ids import Digest, Height


class Attested(Enum):
    """How a header's executed roots compare with this node's own."""

    SAME = 1
    UNKNOWN = 2  # not executed here yet: it waits
    DIFFERENT = 3


def changes_state(header: Header) -> bool:
    """Return whether executing a block may lead to another root: that has to be attested."""
    return bool(header.tx_count) or header.epoch_end is not None


class Execution:
    """Own roots by height, from the executed height of the final tip upwards."""

    def __init__(self, tip: FinalTip) -> None:
        self._roots: dict[Height, Executed] = {}
        self._pending: dict[Height, Digest | None] = {}
        self._claims: dict[Height, Executed] = {}
        self._loaded: dict[Height, int] = {}
        self._with_transactions: set[Height] = set()  # never iterated
        self.reset(tip)

    def reset(self, tip: FinalTip) -> None:
        """Start from a tip that is stored and executed."""
        attested = tip.header.executed
        self._roots = {attested.height: attested}
        self._roots.update((past.executed.height, past.executed) for past in tip.recent)
        self._pending = {past.executed.height: past.pending for past in tip.recent}
        self._claims = {}
        self._loaded = {}
        self._with_transactions = set()
        self.latest = tip.recent[-1].executed
        self.unattested_height = attested.height
        loaded = 0
        for past in tip.recent:
            if past.header.tx_count:
                loaded += 1
                self._with_transactions.add(past.header.height)
            if changes_state(past.header) and past.header.height > attested.height:
                self.unattested_height = past.header.height
            self._loaded[past.header.height] = loaded
        if attested.height not in self._loaded:
            self._loaded[attested.height] = 0

    def finalize(self, block: Block) -> Height | None:
        """Take in the next final block; return the height of a root that differs from its claim."""
        header = block.header
        self._loaded[header.height] = block.loaded
        if header.tx_count:
            self._with_transactions.add(header.height)
        claim = header.executed
        own = self._roots.get(claim.height)
        if own is None:
            self._claims[claim.height] = claim
            return None
        return claim.height if own != claim else None

    def executed(self, roots: Executed, pending: Digest | None) -> Executed | None:
        """Take in own roots; return the differing claim of a final header, if there is one."""
        self._roots[roots.height] = roots
        self._pending[roots.height] = pending
        if roots.height > self.latest.height:
            self.latest = roots
        if roots.height in self._with_transactions:
            self.unattested_height = max(self.unattested_height, roots.height)
        claim = self._claims.pop(roots.height, None)
        return claim if claim is not None and claim != roots else None

    def attests(self, header: Header) -> Attested:
        """Compare the header's executed roots with own ones."""
        own = self._roots.get(header.executed.height)
        if own is None:
            return Attested.UNKNOWN
        return Attested.SAME if own == header.executed else Attested.DIFFERENT

    def pending(self, executed: Executed) -> Digest | None:
        """Return the validator set that waits for an epoch end after a height executed here.

        The executed height of the tip has none: else the tip had ended the epoch.
        """
        return self._pending.get(executed.height)

    def names_pending(self, header: Header) -> bool:
        """Return whether a block with own roots ends the epoch just when its state asks for it."""
        return header.filler_of is not None or header.epoch_end == self.pending(header.executed)

    def lag(self, parent: Block, executed_height: Height) -> int:
        """Return how many blocks with transactions lie above `executed_height` up to `parent`."""
        below: Block | None = parent
        while below is not None and below.header.height > executed_height:
            if below.parent is None:
                return parent.loaded - self._loaded.get(executed_height, 0)
            below = below.parent
        return parent.loaded - (below.loaded if below is not None else 0)

    def executed_for(self, parent: Block) -> Executed:
        """Return the pair that a child of `parent` made here carries."""
        claimed = parent.header.executed
        return self.latest if self.latest.height > claimed.height else claimed

    def prune(self, tip: Header) -> None:
        """Forget what lies below the executed height of the final tip."""
        floor = tip.executed.height
        for table in (self._roots, self._pending, self._claims, self._loaded):
            for height in [height for height in table if height < floor]:
                del table[height]
        self._with_transactions = {each for each in self._with_transactions if each > floor}
