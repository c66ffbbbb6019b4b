"""Names of metrics, and their page."""

import re

import aiohttp
from prometheus_client import CollectorRegistry

from moyai.rpc.metrics import Metrics, metric_names
from moyai.rpc.metrics_server import MetricsServer


def test_names_are_of_one_kind_and_have_words() -> None:
    registry = CollectorRegistry()
    Metrics(registry)
    for family in registry.collect():
        assert re.fullmatch(r"moyai_[a-z_]+", family.name)
        assert family.documentation.endswith(".")
    assert "moyai_view_changes_total" in metric_names()
    assert "moyai_final_height" in metric_names()


def test_two_nodes_in_one_process_count_apart() -> None:
    one, other = Metrics(CollectorRegistry()), Metrics(CollectorRegistry())
    one.view_changes.labels("timeout").inc()
    assert (
        other.registry.get_sample_value("moyai_view_changes_total", {"reason": "timeout"}) is None
    )


async def test_the_page_has_what_was_counted() -> None:
    metrics = Metrics(CollectorRegistry())
    refreshed = []
    server = MetricsServer(metrics, "127.0.0.1:0", lambda: refreshed.append(True))
    await server.start()
    metrics.messages_dropped.labels("vote", "old view").inc(3)
    url = f"http://127.0.0.1:{server.port}"
    async with aiohttp.ClientSession() as http:
        async with http.get(f"{url}/metrics") as answer:
            text = await answer.text()
        assert 'moyai_messages_dropped_total{kind="vote",reason="old view"} 3.0' in text
        assert refreshed
        async with http.post(f"{url}/metrics") as answer:
            assert answer.status == 405
        async with http.get(f"{url}/") as answer:
            assert answer.status == 404
    await server.stop()
    await server.stop()
