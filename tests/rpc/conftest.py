"""A city with a door, for every scenario of this folder; those of sockets run on both loops."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import pytest
import uvloop

from harness.rpc_city import RpcCity, rpc_city

ON_BOTH_LOOPS = {"test_any_bytes", "test_connections", "test_server", "test_sessions"}


def pytest_asyncio_loop_factories(
    item: pytest.Item,
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Return the loops that a scenario runs on."""
    factories: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
        "asyncio": asyncio.new_event_loop
    }
    if item.path.stem in ON_BOTH_LOOPS:
        factories["uvloop"] = uvloop.new_event_loop
    return factories


@pytest.fixture
async def city(tmp_path: Path) -> AsyncIterator[RpcCity]:
    async with rpc_city(tmp_path) as made:
        yield made
