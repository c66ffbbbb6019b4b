"""Sockets that the door listens on: TCP, TLS, and the operator's own.

Not here: what happens on a connection (`connections`).
"""

import asyncio
import os
import socket
import ssl
from pathlib import Path

from aiohttp.web_server import Server

from moyai.primitives.errors import MoyaiError

BACKLOG = 512
ADMIN_SOCKET_MODE = 0o600
TLS_HANDSHAKE_SECONDS_MAX = 5.0


class ListenError(MoyaiError):
    """An address that cannot be listened on, or a certificate that cannot be read."""

    code = "cannot_listen"


async def listen_tcp(server: Server, address: str, tls: ssl.SSLContext | None) -> asyncio.Server:
    """Listen on `host:port`. Raises `ListenError`."""
    host, _, port = address.rpartition(":")
    loop = asyncio.get_running_loop()
    try:
        return await loop.create_server(
            server,
            host.strip("[]"),
            int(port),
            ssl=tls,
            backlog=BACKLOG,
            ssl_handshake_timeout=None if tls is None else TLS_HANDSHAKE_SECONDS_MAX,
        )
    except OSError as error:
        raise ListenError(
            f"cannot be listened on: {error.strerror or error}",
            what=address,
            next="stop what uses it, or set another address",
        ) from None


async def listen_unix(server: Server, path: str) -> asyncio.Server:
    """Listen on a Unix socket that only the node's own user can open. Raises `ListenError`."""
    _remove_stale(Path(path))
    loop = asyncio.get_running_loop()
    mask = os.umask(0o777 & ~ADMIN_SOCKET_MODE)
    try:
        listening = await loop.create_unix_server(server, path, backlog=BACKLOG)
    except OSError as error:
        raise ListenError(
            f"cannot be listened on: {error.strerror or error}",
            what=path,
            next="choose a path in a folder of the node's user, of at most 100 characters",
        ) from None
    finally:
        os.umask(mask)
    return listening


def remove_socket(path: str) -> None:
    """Remove the socket of a node that stops."""
    Path(path).unlink(missing_ok=True)


def tls_context(certificate: str, key: str) -> ssl.SSLContext | None:
    """Return the context for a certificate and its key, none without both. Raises `ListenError`."""
    if not certificate and not key:
        return None
    if not certificate or not key:
        raise ListenError(
            "one of the two is missing",
            what="rpc.tls_certificate, rpc.tls_key",
            next="give both files, or neither",
        )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise ListenError(
            f"cannot be read: {error.strerror or error}",
            what=f"{certificate}, {key}",
            next="give a certificate chain and its key as PEM files",
        ) from None
    return context


def port_of(listening: asyncio.Server) -> int:
    """Return the port that is listened on; the system chooses one when 0 was asked for."""
    port: int = listening.sockets[0].getsockname()[1]
    return port


def _remove_stale(path: Path) -> None:
    """Remove the socket of a node that is gone. Raises `ListenError` when one listens there."""
    if not path.is_socket():
        return
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            path.unlink(missing_ok=True)
            return
    raise ListenError(
        "another process listens there", what=str(path), next="stop it, or choose another path"
    )
