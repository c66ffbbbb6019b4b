"""A proven city, nodes of it on loopback, and clients whose clock is the city's."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from harness.loopback_node import LoopbackNode
from harness.proven_city import ProvenCity
from moyai.client import Client, ClientSettings


@pytest.fixture
def city(tmp_path: Path) -> Iterator[ProvenCity]:
    made = ProvenCity(tmp_path / "chain")
    yield made
    made.close()


@pytest.fixture
async def node(city: ProvenCity) -> AsyncIterator[LoopbackNode]:
    async with LoopbackNode(city).running() as running:
        yield running


@pytest.fixture
async def other(city: ProvenCity) -> AsyncIterator[LoopbackNode]:
    async with LoopbackNode(city).running() as running:
        yield running


def settings_of(city: ProvenCity) -> ClientSettings:
    """Return settings with the city's clock, for tests that wait for nothing."""
    return ClientSettings(
        now_ms=lambda: city.now_ms, retry_pause_ms=1, retry_pause_max_ms=4, rounds_max=2
    )


@pytest.fixture
def patient_settings() -> Callable[[ProvenCity], ClientSettings]:
    return settings_of


@pytest.fixture
def patient(city: ProvenCity) -> ClientSettings:
    return settings_of(city)


class Connect:
    """Opens clients of the city."""

    def __init__(self, city: ProvenCity, settings: ClientSettings, head_file: Path) -> None:
        self.city = city
        self.settings = settings
        self.head_file = head_file

    def __call__(self, *nodes: LoopbackNode) -> AbstractAsyncContextManager[Client]:
        return Client.connect(
            [node.url for node in nodes],
            trust=self.city.genesis,
            head_file=self.head_file,
            settings=self.settings,
        )


@pytest.fixture
def connect(city: ProvenCity, patient: ClientSettings, tmp_path: Path) -> Connect:
    return Connect(city, patient, tmp_path / "head.json")
