"""Running cities: four cores on virtual time, and real processes for the command line."""

from collections.abc import Iterator

import pytest

from harness.command_line import Run
from harness.core_city import CoreCity, fast_folder
from harness.real_city import RealCity, real_city
from moyai.node.cli import main


@pytest.fixture
def city() -> Iterator[CoreCity]:
    """Give four linked cores on virtual time."""
    with fast_folder() as folder:
        made = CoreCity(folder)
        made.start()
        yield made
        made.close()


@pytest.fixture(scope="session")
def live_city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealCity]:
    """Give a city of real processes that took three documents; then its chamber was stopped."""
    with real_city(tmp_path_factory.mktemp("live") / "city") as running:
        for place in range(3):
            running.make_final(running.nodes[place].node, f"document {place}")
        running.wait_equal_heads(10.0)
        chamber = running["chamber"]
        chamber.terminate()
        assert chamber.join(10.0) == 0
        yield running


@pytest.fixture
def moyai(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run one command line; return exit code, what it answered, and what else it said."""
    for variable in ("MOYAI_CITY", "MOYAI_NODE", "MOYAI_GENESIS", "MOYAI_PASSPHRASE"):
        monkeypatch.delenv(variable, raising=False)

    def run(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run
