"""One city for the tests that leave it whole; those that break something make their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.real_city import RealCity, real_city


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealCity]:
    with real_city(tmp_path_factory.mktemp("city") / "city") as running:
        yield running


@pytest.fixture
def own_city(tmp_path: Path) -> Iterator[RealCity]:
    with real_city(tmp_path / "city") as running:
        yield running
