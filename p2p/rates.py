"""Token buckets: how much of something may happen in the long run, and how much at once.

Pure: the time is an argument. Not here: what is counted and what an empty bucket leads to.
"""

from collections import OrderedDict


class TokenBucket:
    """Fills with `per_s` tokens a second up to `burst`; starts full."""

    __slots__ = ("_at_ms", "_burst", "_per_ms", "_tokens")

    def __init__(self, per_s: int, burst: int, now_ms: int) -> None:
        assert per_s > 0
        assert burst > 0
        self._per_ms = per_s / 1_000
        self._burst = float(burst)
        self._tokens = float(burst)
        self._at_ms = now_ms

    def take(self, tokens: int, now_ms: int) -> bool:
        """Take `tokens` when there are as many; otherwise take nothing and return False."""
        self._fill(now_ms)
        if self._tokens < tokens:
            return False
        self._tokens -= tokens
        return True

    def owe(self, tokens: int, now_ms: int) -> int:
        """Take `tokens` in any case; return the milliseconds to wait until none is owed."""
        self._fill(now_ms)
        self._tokens -= tokens
        return 0 if self._tokens >= 0 else int(-self._tokens / self._per_ms) + 1

    def _fill(self, now_ms: int) -> None:
        elapsed_ms = now_ms - self._at_ms
        if elapsed_ms > 0:
            self._tokens = min(self._burst, self._tokens + elapsed_ms * self._per_ms)
            self._at_ms = now_ms


class AddressRates:
    """One bucket per remote address; the longest unused are forgotten first."""

    def __init__(self, per_s: int, burst: int, addresses_max: int) -> None:
        self._per_s = per_s
        self._burst = burst
        self._addresses_max = addresses_max
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def take(self, address: str, now_ms: int) -> bool:
        """Take one token of `address`."""
        bucket = self._buckets.pop(address, None) or TokenBucket(self._per_s, self._burst, now_ms)
        self._buckets[address] = bucket
        if len(self._buckets) > self._addresses_max:
            self._buckets.popitem(last=False)
        return bucket.take(1, now_ms)
