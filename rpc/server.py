"""The door itself: listens, checks, hands bodies to the desk, and tells what was committed.

Not here: rules of a request (`door`), its answer (`desk`), WebSockets (`sessions`).
"""

import asyncio
import contextlib
from collections.abc import Iterable

import msgspec
import structlog
from aiohttp import WSCloseCode
from aiohttp.web_request import BaseRequest
from aiohttp.web_response import Response, StreamResponse
from aiohttp.web_ws import WebSocketResponse

from moyai.primitives.ids import Height, TransactionId
from moyai.primitives.stages import StageClock
from moyai.rpc import health
from moyai.rpc.budget import Allowance, Budget, Client
from moyai.rpc.connections import (
    LOCAL_CLIENT,
    DoorConnection,
    DoorServer,
    Gate,
    c_parser_is_active,
    client_of_transport,
)
from moyai.rpc.desk import Answered, Caller, Desk
from moyai.rpc.discovery import openrpc
from moyai.rpc.door import Door, DoorError, check_body_headers, read_body, shown
from moyai.rpc.errors import DeadlineError, RpcError, error_object
from moyai.rpc.limits import (
    REQUEST_BYTES_MAX,
    REQUEST_SECONDS_MAX,
    SOCKET_CLOSE_SECONDS_MAX,
    SOCKET_HEARTBEAT_SECONDS,
    STOP_SECONDS_MAX,
)
from moyai.rpc.listening import listen_tcp, listen_unix, port_of, remove_socket, tls_context
from moyai.rpc.metrics import Metrics
from moyai.rpc.ports import NodePorts
from moyai.rpc.sessions import Session
from moyai.rpc.settings import RpcConfig
from moyai.rpc.signals import BlockSignal
from moyai.rpc.waiters import FinalityWaiters
from moyai.rpc.waits import Waiting

_log = structlog.get_logger(__name__)
_SAFE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Server": "moyai",
}


class RpcServer:
    """JSON-RPC over HTTP and WebSocket, health pages, and the operator's own socket.

    The node tells it of every committed block (`committed`) and of transactions that expired
    (`expired`), both on the event loop.
    """

    def __init__(
        self,
        node: NodePorts,
        config: RpcConfig,
        metrics: Metrics,
        stages: StageClock | None = None,
    ) -> None:
        assert c_parser_is_active(), "aiohttp runs without its C parser: install its binary wheel"
        self._node = node
        self._config = config
        self._metrics = metrics
        self._waiting = Waiting(node, FinalityWaiters(), BlockSignal(), stages)
        budget = Budget(
            anybody=Allowance(config.cost_per_second, config.cost_burst),
            keyed=Allowance(config.key_cost_per_second, config.key_cost_burst),
        )
        self._desk = Desk(self._waiting, budget, metrics, openrpc())
        self._gate = Gate(
            in_all=config.connections_max,
            per_client=config.connections_per_address_max,
            refused=metrics.rpc_refused,
        )
        metrics.rpc_connections.set_function(lambda: self._gate.count)
        metrics.rpc_waiters.set_function(lambda: len(self._waiting.waiters))
        self._door: Door | None = None
        self._servers: list[DoorServer] = []
        self._listening: list[asyncio.Server] = []
        self._sockets: dict[WebSocketResponse, None] = {}
        self._told: Height = Height(0)

    @property
    def port(self) -> int:
        """Return the port that is listened on."""
        return port_of(self._listening[0])

    async def start(self) -> None:
        """Begin to listen. Raises `ListenError`."""
        config = self._config
        tls = tls_context(config.tls_certificate, config.tls_key)
        with self._node.snapshot() as snapshot:
            self._told = snapshot.height
        public = DoorServer(self._public, self._gate)
        self._servers.append(public)
        self._listening.append(await listen_tcp(public, config.listen, tls))
        self._door = Door(config, self.port)
        if config.admin_socket:
            own = DoorServer(self._own, self._gate)
            self._servers.append(own)
            self._listening.append(await listen_unix(own, config.admin_socket))
        _log.info("rpc_listens", address=config.listen, port=self.port)

    async def stop(self) -> None:
        """Stop listening, end all connections, and wait until they are gone."""
        for listening in self._listening:
            listening.close()
        self._waiting.stop()
        await self._close_sockets()
        for server in self._servers:
            server.pre_shutdown()
            await server.shutdown(STOP_SECONDS_MAX)
        if self._config.admin_socket and len(self._listening) > 1:
            remove_socket(self._config.admin_socket)
        self._listening.clear()
        self._servers.clear()

    async def _close_sockets(self) -> None:
        """Tell all WebSockets at once that the node stops; some may no longer listen."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SOCKET_CLOSE_SECONDS_MAX), asyncio.TaskGroup() as group:
                for socket in self._sockets:
                    closing = socket.close(code=WSCloseCode.GOING_AWAY, message=b"the node stops")
                    group.create_task(closing)

    def committed(self, height: Height) -> None:
        """Tell that blocks up to `height` are on disk: wakes who waits and who follows."""
        waiters = self._waiting.waiters
        if len(waiters):
            with self._node.snapshot() as snapshot:
                for one in range(self._told + 1, height + 1):
                    waiters.wake(snapshot.transaction_ids(one))
        self._told = height
        self._waiting.signal.tell()

    def expired(self, transactions: Iterable[TransactionId]) -> None:
        """Tell that the time of transactions ran out before a block took them."""
        self._waiting.waiters.expire(transactions)

    async def _public(self, request: BaseRequest) -> StreamResponse:
        try:
            assert self._door is not None
            self._door.check_source(request)
            response = await self._route(request, self._caller(request))
        except DoorError as refusal:
            response = self._turned_away(refusal)
        if not response.prepared and self._door is not None:
            response.headers.update(self._door.cross_origin_headers(request))
        return response

    async def _own(self, request: BaseRequest) -> StreamResponse:
        try:
            return await self._route(request, Caller(client=Client(LOCAL_CLIENT), is_admin=True))
        except DoorError as refusal:
            return self._turned_away(refusal)

    def _caller(self, request: BaseRequest) -> Caller:
        assert self._door is not None
        key = self._door.writer_key(request)
        if key is None:
            client = Client(client_of_transport(request.transport))
        else:
            client = Client(f"key {key[:8]}", has_key=True)
        return Caller(client=client, is_writer=self._door.may_write(request))

    async def _route(self, request: BaseRequest, caller: Caller) -> StreamResponse:
        match (request.method, request.path):
            case ("POST", "/"):
                return await self._post(request, caller)
            case ("GET", "/ws"):
                return await self._socket(request, caller)
            case ("GET", "/health/live"):
                return self._page(request, health.live())
            case ("GET", "/health/ready"):
                return self._page(request, health.ready(self._node))
            case (_, "/" | "/ws" | "/health/live" | "/health/ready"):
                raise DoorError(
                    405,
                    "method",
                    "is not served there",
                    what=shown(f"{request.method} {request.path}"),
                    advice="POST calls to /, connect WebSockets to /ws, GET health pages",
                )
            case _:
                raise DoorError(
                    404,
                    "path",
                    "is not served",
                    what=shown(request.path),
                    advice="POST calls to /, connect WebSockets to /ws",
                )

    async def _post(self, request: BaseRequest, caller: Caller) -> Response:
        check_body_headers(request)
        try:
            async with asyncio.timeout(REQUEST_SECONDS_MAX):
                body = await read_body(request)
        except TimeoutError:
            return self._turned_away(_too_slow())
        _arrived(request)
        return _json_response(await self._desk.answer(body, caller))

    async def _socket(self, request: BaseRequest, caller: Caller) -> StreamResponse:
        socket = WebSocketResponse(
            heartbeat=SOCKET_HEARTBEAT_SECONDS,
            max_msg_size=REQUEST_BYTES_MAX,
            compress=False,
            decode_text=False,
        )
        if not socket.can_prepare(request).ok:
            raise DoorError(
                426, "upgrade", "takes WebSockets only", what="/ws", advice="connect a WebSocket"
            )
        try:
            await socket.prepare(request)
        except ConnectionError:
            return Response(status=400)  # the client is gone, nobody reads this
        _arrived(request)
        self._sockets[socket] = None
        session = Session(socket, desk=self._desk, waiting=self._waiting, metrics=self._metrics)
        try:
            await session.serve(msgspec.structs.replace(caller, host=session))
        finally:
            self._sockets.pop(socket, None)
            if session.is_stalled and request.transport is not None:
                request.transport.abort()  # what it did not read would keep the connection open
        return socket

    def _page(self, request: BaseRequest, response: Response) -> Response:
        _arrived(request)
        response.headers.update(_SAFE_HEADERS)
        return response

    def _turned_away(self, refusal: RpcError) -> Response:
        """Refuse a request at the door; what it still sends is not read."""
        label = refusal.label if isinstance(refusal, DoorError) else refusal.code
        status = refusal.status if isinstance(refusal, DoorError) else 408
        self._metrics.rpc_refused.labels(label).inc()
        body = msgspec.json.encode({"jsonrpc": "2.0", "id": None, "error": error_object(refusal)})
        response = Response(
            status=status, body=body, content_type=health.JSON_TYPE, headers=_SAFE_HEADERS
        )
        response.force_close()
        return response


def _json_response(answered: Answered) -> Response:
    if answered.body is None:
        return Response(status=204, headers=_SAFE_HEADERS)
    return Response(
        status=answered.status,
        body=answered.body,
        content_type=health.JSON_TYPE,
        headers=_SAFE_HEADERS,
    )


def _arrived(request: BaseRequest) -> None:
    protocol = request.protocol
    assert isinstance(protocol, DoorConnection)
    protocol.request_arrived()


def _too_slow() -> DeadlineError:
    return DeadlineError(
        f"did not arrive within {REQUEST_SECONDS_MAX:.0f} s", what="request", next="send it faster"
    )
