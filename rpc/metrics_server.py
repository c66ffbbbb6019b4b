"""`/metrics` on an address of its own, for Prometheus; nothing else is served there."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from aiohttp.web_request import BaseRequest
from aiohttp.web_response import Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from moyai.rpc.connections import DoorServer, Gate
from moyai.rpc.limits import METRICS_CONNECTIONS_MAX, STOP_SECONDS_MAX
from moyai.rpc.listening import listen_tcp, port_of
from moyai.rpc.metrics import Metrics

if TYPE_CHECKING:
    from asyncio import Server

PATH = "/metrics"


class MetricsServer:
    """Serves one registry; `refresh` is called before each reading, to set what is only asked."""

    def __init__(
        self, metrics: Metrics, listen: str, refresh: Callable[[], None] = lambda: None
    ) -> None:
        self._metrics = metrics
        self._listen = listen
        self._refresh = refresh
        self._listening: Server | None = None
        self._server: DoorServer | None = None

    @property
    def port(self) -> int:
        """Return the port that is listened on."""
        assert self._listening is not None
        return port_of(self._listening)

    async def start(self) -> None:
        """Begin to listen. Raises `ListenError`."""
        gate = Gate(in_all=METRICS_CONNECTIONS_MAX, per_client=METRICS_CONNECTIONS_MAX)
        self._server = DoorServer(self._answer, gate)
        self._listening = await listen_tcp(self._server, self._listen, None)

    async def stop(self) -> None:
        """Stop listening and end all connections."""
        if self._listening is None or self._server is None:
            return
        self._listening.close()
        self._server.pre_shutdown()
        await self._server.shutdown(STOP_SECONDS_MAX)
        self._listening = None

    async def _answer(self, request: BaseRequest) -> Response:
        if request.path != PATH:
            return Response(status=404, text=f"the metrics are at {PATH}\n")
        if request.method != "GET":
            return Response(status=405, text="ask with GET\n", headers={"Allow": "GET"})
        self._refresh()
        body = generate_latest(self._metrics.registry)
        return Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})
