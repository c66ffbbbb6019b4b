"""One small chain store for each test that asks for it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.stored_chain import ChainBuilder


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[ChainBuilder]:
    builder = ChainBuilder(tmp_path / "chain")
    yield builder
    builder.store.close()
