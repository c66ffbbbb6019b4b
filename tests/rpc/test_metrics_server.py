"""The page of metrics on an address of its own."""

import pytest
from prometheus_client import CollectorRegistry

from harness.rpc_city import RpcCity
from moyai.rpc.listening import ListenError
from moyai.rpc.metrics import Metrics
from moyai.rpc.metrics_server import MetricsServer


async def test_an_address_in_use_is_named(city: RpcCity) -> None:
    server = MetricsServer(Metrics(CollectorRegistry()), f"127.0.0.1:{city.server.port}")
    with pytest.raises(ListenError):
        await server.start()
    await server.stop()


async def test_the_door_of_applications_has_no_metrics(city: RpcCity) -> None:
    assert city.http is not None
    async with city.http.get(f"{city.url}/metrics") as answer:
        assert answer.status == 404
