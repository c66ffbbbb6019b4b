"""`moyai run` and `moyai doctor` before a node runs, and what they say when something is wrong."""

import json
from pathlib import Path

import pytest

from harness.command_line import Run
from harness.real_city import RealCity
from moyai.node.founding import create_journal, genesis_root
from moyai.node.free_ports import free_ports
from moyai.node.testnet import City, CityPlan, make_city
from moyai.primitives.ids import TimeMs


@pytest.fixture
def founded(tmp_path: Path) -> City:
    plan = CityPlan(tmp_path / "city", "city-1", TimeMs(1_800_000_000_000), free_ports(4))
    return make_city(plan, genesis_root, create_journal)


def test_a_missing_configuration_says_how_to_make_one(tmp_path: Path, moyai: Run) -> None:
    code, _, told = moyai("run", "--config", tmp_path / "absent.toml")
    assert code == 1
    assert "moyai testnet" in told


def test_a_node_that_does_not_run_is_examined(founded: City, moyai: Run) -> None:
    code, answer, _ = moyai("doctor", "--config", founded.nodes[0].config_file, "--json")
    found = {one["check"]: one for one in json.loads(answer)}
    assert code == 0
    assert found["node"]["found"] == "does not run"
    assert found["peer port"]["verdict"] == "good"
    assert found["genesis"]["found"] == "city-1, 4 members"
    assert found["peer hospital"]["verdict"] == "warning"


def test_what_is_bad_ends_with_an_exit_code(founded: City, moyai: Run) -> None:
    key = founded.nodes[0].folder / "validator.key"
    key.chmod(0o644)
    code, answer, _ = moyai("doctor", "--config", founded.nodes[0].config_file)
    assert code == 1
    assert "BAD" in answer
    assert f"chmod 600 {key}" in answer


def test_a_running_node_tells_its_quorum(live_city: RealCity, moyai: Run) -> None:
    config = live_city.nodes[0].node.config_file
    code, answer, _ = moyai("doctor", "--config", config, "--json")
    found = {one["check"]: one for one in json.loads(answer)}
    assert code == 0
    assert "quorum 3/4" in found["node"]["found"]
    assert found["peer utility"]["verdict"] == "good"
