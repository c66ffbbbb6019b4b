"""Cost tokens: what one client may use of this node's time.

A client is an address (an IPv6 network of /64) or an API key. Not here: what a method costs
(`routes`).
"""

from ipaddress import IPv6Address, ip_address, ip_network

import msgspec

from moyai.rpc.errors import TooManyRequestsError
from moyai.rpc.limits import CLIENTS_REMEMBERED_MAX

_IPV6_CLIENT_BITS = 64


class _Bucket(msgspec.Struct):
    tokens: float
    filled_ms: int


class Budget:
    """A bucket of tokens for each client, filled steadily; the longest idle one is forgotten."""

    def __init__(self, *, per_second: int, burst: int) -> None:
        self._per_ms = per_second / 1000
        self._burst = burst
        self._buckets: dict[str, _Bucket] = {}

    def spend(self, client: str, cost: int, now_ms: int) -> None:
        """Take `cost` tokens. Raises `TooManyRequestsError`, and takes none, when there are fewer.

        A request dearer than a full bucket is let through a full bucket.
        """
        bucket = self._filled(client, now_ms)
        if bucket.tokens < min(cost, self._burst):
            missing = min(cost, self._burst) - bucket.tokens
            error = TooManyRequestsError(
                f"this client has used up its share; the request costs {cost}",
                what=f"client {client}",
                next=f"wait {int(missing / self._per_ms) + 1} ms, or use several nodes",
            )
            raise error
        bucket.tokens -= cost

    def owe(self, client: str, cost: int, now_ms: int) -> None:
        """Take `cost` tokens for what turned out dearer than its price, into debt if need be."""
        self._filled(client, now_ms).tokens -= cost

    def _filled(self, client: str, now_ms: int) -> _Bucket:
        bucket = self._buckets.pop(client, None)
        if bucket is None:
            if len(self._buckets) >= CLIENTS_REMEMBERED_MAX:
                del self._buckets[next(iter(self._buckets))]
            bucket = _Bucket(self._burst, now_ms)
        gained = (now_ms - bucket.filled_ms) * self._per_ms
        bucket.tokens = min(self._burst, bucket.tokens + gained)
        bucket.filled_ms = now_ms
        self._buckets[client] = bucket
        return bucket


def client_of(address: str) -> str:
    """Return the client that an address stands for."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        mapped = parsed.ipv4_mapped
        if mapped is not None:
            return str(mapped)
        return str(ip_network((parsed, _IPV6_CLIENT_BITS), strict=False))
    return address
