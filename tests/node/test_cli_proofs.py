"""`moyai verify`: whose word counts, what a changed file says, the stores of a stopped node."""

import json
from pathlib import Path

import pytest

from harness.command_line import Run
from harness.real_city import RealCity


@pytest.fixture
def evidence(live_city: RealCity, moyai: Run, tmp_path: Path) -> Path:
    path = tmp_path / "evidence.moyai"
    where = ("--output", path, "--city", live_city.city.directory)
    assert moyai("prove", "document", "document 1", 1, *where)[0] == 0
    return path


def test_the_genesis_one_trusts_decides(live_city: RealCity, evidence: Path, moyai: Run) -> None:
    assert moyai("verify", evidence, "--genesis", live_city.city.genesis_file)[0] == 0
    digest = live_city.call(live_city.nodes[0].node, "chain_genesis")["digest"]
    assert moyai("verify", evidence, "--digest", digest, "--lang", "ja")[0] == 0
    assert moyai("verify", evidence, "--digest", "00" * 32)[0] == 4


def test_without_a_genesis_nothing_is_proven(evidence: Path, moyai: Run) -> None:
    assert moyai("verify", evidence)[0] == 4


def test_a_changed_file_is_not_proven(live_city: RealCity, evidence: Path, moyai: Run) -> None:
    data = bytearray(evidence.read_bytes())
    data[len(data) // 2] ^= 1
    evidence.write_bytes(data)
    code, answer, _ = moyai("verify", evidence, "--city", live_city.city.directory, "--json")
    assert code in {1, 4}
    assert json.loads(answer)["verdict"] in {"refused", "unreadable"}


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        ((), "name an evidence file"),
        (("x", "--lang", "fr"), "--lang en or ja"),
        (("x", "--digest", "12"), "64 lower-case hexadecimal digits"),
    ],
)
def test_a_mistake_is_named(arguments: tuple[str, ...], advice: str, moyai: Run) -> None:
    code, _, told = moyai("verify", *arguments)
    assert code == 1
    assert advice in told


def test_a_file_that_is_no_evidence(tmp_path: Path, moyai: Run) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("notes")
    assert moyai("verify", path)[0] == 1


def test_every_value_of_a_stopped_node_is_checked(live_city: RealCity, moyai: Run) -> None:
    config = live_city["chamber"].node.config_file
    code, answer, _ = moyai("verify", "--config", config, "--json")
    assert code == 0
    assert json.loads(answer)["transactions"] >= 3


def test_a_running_node_is_left_alone(live_city: RealCity, moyai: Run) -> None:
    code, _, told = moyai("verify", "--config", live_city["utility"].node.config_file)
    assert code == 1
    assert "another process has it open" in told
