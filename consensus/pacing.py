"""How long after its parent a leader proposes: small blocks at once under little load, larger
later.

A block costs each node a few milliseconds whatever it carries (two rounds of signatures, three
commits), so the interval grows with the rate of transactions, towards the maximum but never over
it: with the square of the rate at first, to half of the range at `_HALF_RATE_PER_S`. After a rest
the parent is old and nothing is waited for. Not here: whether there is ground for a block at all
(`leading`).
"""

from moyai.primitives.block import Header
from moyai.primitives.parameters import Parameters

_HALF_RATE_PER_S = 3_000
_ATTESTATION_MS = 50
_MEMORY = 4  # blocks over which the rate is averaged


class Pacing:
    """The rate of transactions seen in the last blocks, and the interval that follows from it."""

    def __init__(self, parameters: Parameters) -> None:
        self._min_ms = parameters.block_interval_min_ms
        self._max_ms = parameters.block_interval_max_ms
        self._rate_per_s = 0.0

    def observe(self, header: Header, parent: Header) -> None:
        """Take in a notarized block."""
        elapsed_ms = max(1, header.time_ms - parent.time_ms)
        rate = header.tx_count * 1000 / elapsed_ms
        self._rate_per_s += (rate - self._rate_per_s) / _MEMORY
        if elapsed_ms > 4 * self._max_ms:
            self._rate_per_s = min(self._rate_per_s, rate)

    @property
    def interval_ms(self) -> int:
        """Return the time between a block and its parent while work is waiting."""
        share = self._rate_per_s**2 / (self._rate_per_s**2 + _HALF_RATE_PER_S**2)
        return self._min_ms + round((self._max_ms - self._min_ms) * share)

    @property
    def attestation_ms(self) -> int:
        """Return how long an empty block that carries roots waits for a block with transactions.

        Who wants a receipt proven waits for it, so it is short while little comes.
        """
        return min(self._max_ms, self.interval_ms + _ATTESTATION_MS)
