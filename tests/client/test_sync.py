"""Scenarios for the client without `await`, against a node in another thread."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.loopback_node import LoopbackNode
from harness.proven_city import ACCOUNTS, OFFICERS, ProvenCity
from moyai.client import opening_of_bytes
from moyai.client.errors import NoNodeAnsweredError, SettingsError
from moyai.client.sync import connect
from moyai.primitives.operations import RegisterDocument
from moyai.primitives.state_keys import version_key

OPENING = opening_of_bytes(b"minutes", salt=bytes(32))


@pytest.fixture
def served(tmp_path: Path) -> Iterator[LoopbackNode]:
    """A node with a loop, a thread and a city of its own."""
    ready, stop, found = threading.Event(), asyncio.Event(), []
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        city = ProvenCity(tmp_path / "chain")
        async with LoopbackNode(city).running() as node:
            found.append(node)
            ready.set()
            await stop.wait()
        city.close()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    assert ready.wait(10)
    yield found[0]
    loop.call_soon_threadsafe(stop.set)
    thread.join(10)
    loop.close()


def test_a_script(served: LoopbackNode, patient_settings: Any) -> None:
    with connect(
        served.url, trust=served.city.genesis, settings=patient_settings(served.city)
    ) as city:
        assert city.chain_id == city.genesis.chain_id
        hall = {"account": ACCOUNTS["city-hall"], "signer": OFFICERS["city-hall"]}
        receipt = city.submit([RegisterDocument("minutes", OPENING.digest, 7)], **hall)
        assert city.receipt(receipt.transaction) == receipt
        raw = city.sign([RegisterDocument("more", OPENING.digest, 7)], **hall)
        assert city.submit_many([raw]) == [city.send(raw)]
        assert city.head.height == city.refresh().height
        key = version_key("minutes", 1)
        assert city.state(key).version == len(city.history(key).versions) == 1
        document = city.document("minutes", 1)
        assert document is not None
        assert document.is_in_force
        assert city.balance("coin", ACCOUNTS["utility"]) == 0
        assert city.record("none", "none").value is None
        assert [record.key for record in city.query("things")] == ["k0", "k1", "k2"]
        assert city.call("tx_status", {"id": "00" * 32})["status"] == "unknown"
        assert next(city.events("0")).transaction == receipt.transaction
        assert city.state_evidence(key).kind == "state"
        assert city.transaction_evidence(receipt.transaction).kind == "transaction"


def test_errors_come_through(served: LoopbackNode, patient_settings: Any) -> None:
    served.is_down = True
    settings = patient_settings(served.city)
    with (
        pytest.raises(NoNodeAnsweredError),
        connect(served.url, trust=served.city.genesis, settings=settings),
    ):
        pass


async def test_inside_a_loop_the_other_client_is_named() -> None:
    with pytest.raises(SettingsError, match="Client"), connect("x", trust=bytes(32)):
        pass
