"""Connections of the door: how many there may be, and how long a request may take to arrive.

Not here: what a request says (`door`), its answer (`desk`).
"""

import asyncio
from typing import Any

from aiohttp import http_parser
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_request import BaseRequest
from aiohttp.web_server import Server
from prometheus_client import Counter
from typing_extensions import override

from moyai.rpc.budget import client_of
from moyai.rpc.limits import (
    HEADER_LINE_BYTES_MAX,
    HEADERS_MAX,
    KEEP_ALIVE_SECONDS_MAX,
    REQUEST_BYTES_MAX,
    REQUEST_SECONDS_MAX,
)

LOCAL_CLIENT = "local"


def c_parser_is_active() -> bool:
    """Return whether aiohttp parses requests with its C parser; the slow one is not served with."""
    fast = getattr(http_parser, "HttpRequestParserC", None)
    return fast is not None and http_parser.HttpRequestParser is fast


class Gate:
    """Counts open connections, in all and by client."""

    def __init__(self, *, in_all: int, per_client: int, refused: Counter | None = None) -> None:
        self._in_all = in_all
        self._per_client = per_client
        self._refused = refused
        self._open: dict[str, int] = {}
        self.count = 0

    def enter(self, client: str) -> bool:
        """Count a new connection; false when it is one too many, and then it is not counted."""
        mine = self._open.get(client, 0)
        if self.count >= self._in_all or mine >= self._per_client:
            if self._refused is not None:
                self._refused.labels("connections").inc()
            return False
        self._open[client] = mine + 1
        self.count += 1
        return True

    def leave(self, client: str) -> None:
        """Forget a connection that was counted."""
        self.count -= 1
        self._open[client] -= 1
        if not self._open[client]:
            del self._open[client]


class DoorConnection(RequestHandler):
    """One connection; it is closed when a request does not arrive whole within its time."""

    __slots__ = ("_deadline", "_is_silent", "counted_as")

    def __init__(self, manager: Server, **settings: Any) -> None:
        super().__init__(manager, **settings)
        self._deadline: asyncio.TimerHandle | None = None
        self._is_silent = True
        self.counted_as: str | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._deadline = self._loop.call_later(KEEP_ALIVE_SECONDS_MAX, self._too_slow)

    @override
    def data_received(self, data: bytes) -> None:
        if self._is_silent:
            self._is_silent = False
            self.request_arrived()  # ends the time of grace for the first byte
        if self._deadline is None and not self._upgraded:
            self._deadline = self._loop.call_later(REQUEST_SECONDS_MAX, self._too_slow)
        super().data_received(data)

    def request_arrived(self) -> None:
        """Say that the request is whole: from now on its handler keeps the time."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    @override
    def connection_lost(self, exc: BaseException | None) -> None:
        self.request_arrived()
        super().connection_lost(exc)

    def _too_slow(self) -> None:
        self._deadline = None
        if not self._request_in_progress:
            self.force_close()


class DoorServer(Server):
    """Makes a connection of ours for each client, as far as the gate lets it in."""

    def __init__(self, handler: Any, gate: Gate) -> None:
        super().__init__(handler, request_factory=self._request, handler_cancellation=True)
        self._gate = gate

    @override
    def __call__(self) -> RequestHandler:
        return DoorConnection(
            self,
            loop=self._loop,
            access_log=None,
            keepalive_timeout=KEEP_ALIVE_SECONDS_MAX,
            max_line_size=HEADER_LINE_BYTES_MAX,
            max_field_size=HEADER_LINE_BYTES_MAX,
            max_headers=HEADERS_MAX,
            auto_decompress=False,
            lingering_time=0,
        )

    @override
    def connection_made(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        assert isinstance(handler, DoorConnection)
        client = client_of_transport(transport)
        if self._gate.enter(client):
            handler.counted_as = client
        else:
            transport.abort()

    @override
    def connection_lost(self, handler: RequestHandler, exc: BaseException | None = None) -> None:
        super().connection_lost(handler, exc)
        assert isinstance(handler, DoorConnection)
        if handler.counted_as is not None:
            self._gate.leave(handler.counted_as)
            handler.counted_as = None

    def _request(
        self, message: Any, payload: Any, protocol: RequestHandler, writer: Any, task: Any
    ) -> BaseRequest:
        return BaseRequest(
            message,
            payload,
            protocol,
            writer,
            task,
            self._loop,
            client_max_size=REQUEST_BYTES_MAX + 1,
        )


def client_of_transport(transport: asyncio.BaseTransport | None) -> str:
    """Return the client behind a connection; all of the operator's own socket are one."""
    peer = None if transport is None else transport.get_extra_info("peername")
    return client_of(peer[0]) if isinstance(peer, tuple) and peer else LOCAL_CLIENT
