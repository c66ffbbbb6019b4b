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


class Allowance(msgspec.Struct, frozen=True):
    """What one client gets: tokens a second, and the most it may save up."""

    per_second: int
    burst: int


class Client(msgspec.Struct, frozen=True):
    """Who pays: a name, and whether it showed an API key."""

    name: str
    has_key: bool = False


class Budget:
    """A bucket of tokens for each client, filled steadily; the longest idle one is forgotten.

    Clients with an API key are known to the operator and have an allowance of their own.
    """

    def __init__(self, *, anybody: Allowance, keyed: Allowance) -> None:
        self._anybody = anybody
        self._keyed = keyed
        self._buckets: dict[Client, _Bucket] = {}

    def spend(self, client: Client, cost: int, now_ms: int) -> None:
        """Take `cost` tokens. Raises `TooManyRequestsError`, and takes none, when there are fewer.

        A request dearer than a full bucket is let through a full bucket.
        """
        bucket, allowance = self._filled(client, now_ms), self._allowance(client)
        needed = min(cost, allowance.burst)
        if bucket.tokens < needed:
            wait_ms = int((needed - bucket.tokens) * 1000 / allowance.per_second) + 1
            raise TooManyRequestsError(
                f"this client has used up its share; the request costs {cost}",
                what=f"client {client.name}",
                next=f"wait {wait_ms} ms, use several nodes, or ask the operator for an API key",
            )
        bucket.tokens -= cost

    def owe(self, client: Client, cost: int, now_ms: int) -> None:
        """Take `cost` tokens for what turned out dearer than its price, into debt if need be."""
        self._filled(client, now_ms).tokens -= cost

    def _allowance(self, client: Client) -> Allowance:
        return self._keyed if client.has_key else self._anybody

    def _filled(self, client: Client, now_ms: int) -> _Bucket:
        allowance = self._allowance(client)
        bucket = self._buckets.pop(client, None)
        if bucket is None:
            if len(self._buckets) >= CLIENTS_REMEMBERED_MAX:
                del self._buckets[next(iter(self._buckets))]
            bucket = _Bucket(allowance.burst, now_ms)
        gained = (now_ms - bucket.filled_ms) * allowance.per_second / 1000
        bucket.tokens = min(allowance.burst, bucket.tokens + gained)
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
