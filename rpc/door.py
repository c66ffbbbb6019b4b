"""What is checked of an HTTP request before its body means anything.

Host and origin keep web pages of others away, also on loopback: a page that resolves its own name
to 127.0.0.1 is refused by its Host, a page elsewhere by its Origin. No cookie is ever read or set,
and no CORS header for an unlisted origin. Not here: JSON (`strict_json`), methods (`desk`).
"""

from hashlib import sha256
from ipaddress import ip_address

from aiohttp.web_exceptions import HTTPRequestEntityTooLarge
from aiohttp.web_request import BaseRequest

from moyai.rpc.errors import WrongDoorError
from moyai.rpc.limits import REQUEST_BYTES_MAX
from moyai.rpc.settings import RpcConfig

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
_BEARER = "Bearer "
_SHOWN_CHARACTERS_MAX = 80


class DoorError(WrongDoorError):
    """A refusal with an HTTP status of its own, and the label under which it is counted."""

    def __init__(self, status: int, label: str, reason: str, *, what: str, advice: str) -> None:
        super().__init__(reason, what=what, next=advice)
        self.status = status
        self.label = label


class Door:
    """The rules of one listening address."""

    def __init__(self, config: RpcConfig, port: int) -> None:
        names = [*LOOPBACK_NAMES, *_own_names(config.listen)]
        own = {f"{name}:{port}" for name in names} | set(names if port in {80, 443} else ())
        self._hosts = frozenset(own | {name.lower() for name in config.hosts})
        scheme = "https" if config.tls_certificate else "http"
        mine = {f"{scheme}://{host}" for host in self._hosts}
        self._origins = frozenset(mine | {origin.lower() for origin in config.origins})
        self._foreign = frozenset(origin.lower() for origin in config.origins)
        self._writer_keys = frozenset(config.writer_key_digests)

    def check_source(self, request: BaseRequest) -> None:
        """Check Host and Origin. Raises `DoorError`."""
        hosts = request.headers.getall("Host", [])
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            raise DoorError(
                421,
                "host",
                "is not a name of this node",
                what=f"Host {shown(hosts[0]) if hosts else ''}",
                advice="use the node's address, or have its operator add the name to rpc.hosts",
            )
        origins = request.headers.getall("Origin", [])
        if any(origin.lower() not in self._origins for origin in origins):
            raise DoorError(
                403,
                "origin",
                "is a web page that may not use this node",
                what=f"Origin {shown(origins[0])}",
                advice="have the operator add it to rpc.origins",
            )

    def cross_origin_headers(self, request: BaseRequest) -> dict[str, str]:
        """Return what lets a listed foreign page read the answer; nothing for any other."""
        origin = request.headers.get("Origin", "")
        if origin.lower() not in self._foreign:
            return {}
        return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}

    def may_write(self, request: BaseRequest) -> bool:
        """Return whether the request may submit: always, unless the operator gave out keys."""
        return not self._writer_keys or self.writer_key(request) is not None

    def writer_key(self, request: BaseRequest) -> str | None:
        """Return the digest of the API key that a request carries, if it is a known one."""
        header = request.headers.get("Authorization", "")
        if not header.startswith(_BEARER):
            return None
        digest = sha256(header.removeprefix(_BEARER).encode(errors="surrogateescape")).hexdigest()
        return digest if digest in self._writer_keys else None


def shown(text: str) -> str:
    """Return what a client sent as it may be told back: cut, and in plain characters."""
    return text[:_SHOWN_CHARACTERS_MAX].encode("ascii", "backslashreplace").decode("ascii")


def check_body_headers(request: BaseRequest) -> None:
    """Check type, encoding and announced size of a body. Raises `DoorError`."""
    if request.headers.get("Content-Encoding") is not None:
        raise DoorError(
            415, "encoding", "is not taken here", what="Content-Encoding", advice="send it plain"
        )
    types = request.headers.getall("Content-Type", [])
    if len(types) != 1 or not _is_json(types[0]):
        raise DoorError(
            415,
            "content_type",
            "is not application/json",
            what="Content-Type",
            advice="send Content-Type: application/json",
        )
    length = request.content_length
    if length is not None and length > REQUEST_BYTES_MAX:
        raise _too_large()


async def read_body(request: BaseRequest) -> bytes:
    """Return the whole body. Raises `DoorError` when it is too large."""
    try:
        body = await request.read()
    except HTTPRequestEntityTooLarge:
        raise _too_large() from None
    if len(body) > REQUEST_BYTES_MAX:
        raise _too_large()
    return body


def _is_json(content_type: str) -> bool:
    kind, _, parameters = content_type.partition(";")
    if kind.strip().lower() != "application/json":
        return False
    return parameters.strip().lower() in {"", "charset=utf-8", 'charset="utf-8"'}


def _own_names(listen: str) -> list[str]:
    host = listen.rpartition(":")[0].lower()
    try:
        unspecified = ip_address(host.strip("[]")).is_unspecified
    except ValueError:
        return [host]
    return [] if unspecified else [host]


def _too_large() -> DoorError:
    return DoorError(
        413,
        "size",
        f"is larger than {REQUEST_BYTES_MAX} bytes",
        what="request body",
        advice="send several smaller requests",
    )
