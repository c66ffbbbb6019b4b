"""A city with a door, for every scenario of this folder."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from harness.rpc_city import RpcCity, rpc_city


@pytest.fixture
async def city(tmp_path: Path) -> AsyncIterator[RpcCity]:
    async with rpc_city(tmp_path) as made:
        yield made
