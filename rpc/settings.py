"""What an operator may choose about the door; defaults are safe for one machine.

Not here: fixed limits (`limits`), and where the metrics are served (`node.config`).
"""

from typing import Annotated

import msgspec
from msgspec import Meta

_ADDRESS = r"(\[[0-9A-Fa-f:.%]+\]|[A-Za-z0-9._-]+):[0-9]{1,5}"
ListenAddress = Annotated[str, Meta(pattern=f"^{_ADDRESS}$", description="an address, host:port")]
HostName = Annotated[
    str,
    Meta(
        pattern=r"^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?$",
        max_length=255,
        description='a host as a request names it, "rpc.example.jp" or "rpc.example.jp:8545"',
    ),
]
Origin = Annotated[
    str,
    Meta(
        pattern=r"^https?://[^/\s]+$",
        max_length=255,
        description='an origin, "https://app.example.jp"',
    ),
]
KeyDigest = Annotated[
    str,
    Meta(pattern=r"^[0-9a-f]{64}$", description="the SHA-256 of an API key, 64 hexadecimal digits"),
]


class RpcConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The JSON-RPC door of one node.

    `hosts` are names by which requests may address it beside `listen` and loopback; `origins` are
    web pages that may use it. `admin_socket` is the path of the operator's own socket, "" for none.
    `tls_certificate` and `tls_key` are PEM files, both or neither. With `writer_key_digests`, only
    who sends an API key with one of these digests may submit. Costs: docs/rpc.md; who has no key
    gets a fifth of one processor, who has one gets what a whole processor can do.
    """

    listen: ListenAddress = "127.0.0.1:8545"
    hosts: Annotated[tuple[HostName, ...], Meta(max_length=64)] = ()
    origins: Annotated[tuple[Origin, ...], Meta(max_length=64)] = ()
    admin_socket: Annotated[str, Meta(max_length=100)] = ""
    tls_certificate: str = ""
    tls_key: str = ""
    writer_key_digests: Annotated[tuple[KeyDigest, ...], Meta(max_length=256)] = ()
    connections_max: Annotated[int, Meta(ge=1, le=65_536)] = 1_024
    connections_per_address_max: Annotated[int, Meta(ge=1, le=65_536)] = 128
    cost_per_second: Annotated[int, Meta(ge=10, le=10_000_000)] = 4_000
    cost_burst: Annotated[int, Meta(ge=100, le=100_000_000)] = 20_000
    key_cost_per_second: Annotated[int, Meta(ge=10, le=10_000_000)] = 20_000
    key_cost_burst: Annotated[int, Meta(ge=100, le=100_000_000)] = 40_000
