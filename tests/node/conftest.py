"""A running city of four cores, for scenarios of the node's parts."""

from collections.abc import Iterator

import pytest

from harness.core_city import CoreCity, fast_folder


@pytest.fixture
def city() -> Iterator[CoreCity]:
    """Give four linked cores; in the end nobody may have called an honest node a liar."""
    with fast_folder() as folder:
        made = CoreCity(folder)
        made.start()
        yield made
        made.close()
