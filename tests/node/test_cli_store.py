"""`moyai backup`, `restore`, `compact`, `reindex`, `snapshot` on a stopped node's stores."""

import json
import shutil
from pathlib import Path

import pytest

from harness.command_line import Run
from harness.real_city import RealCity


@pytest.fixture
def stopped(live_city: RealCity, tmp_path: Path) -> Path:
    """Give a copy of a stopped node's folder; return its configuration."""
    folder = live_city["chamber"].node.folder
    shutil.copytree(folder, tmp_path / "chamber")
    shutil.copy(live_city.city.genesis_file, tmp_path / "genesis.json")
    return tmp_path / "chamber" / "config.toml"


def test_a_backup_is_put_back(stopped: Path, tmp_path: Path, moyai: Run) -> None:
    target = tmp_path / "backup"
    code, answer, told = moyai("backup", target, "--config", stopped, "--json")
    assert code == 0, told
    height = json.loads(answer)["height"]
    assert height >= 3
    shutil.rmtree(stopped.parent / "data")
    code, answer, told = moyai("restore", target, "--config", stopped, "--json")
    assert code == 0, told
    assert json.loads(answer)["height"] == height
    assert moyai("verify", "--config", stopped)[0] == 0


def test_nothing_is_overwritten(stopped: Path, tmp_path: Path, moyai: Run) -> None:
    target = tmp_path / "backup"
    assert moyai("backup", target, "--config", stopped)[0] == 0
    assert moyai("backup", target, "--config", stopped)[0] == 1
    code, _, told = moyai("restore", target, "--config", stopped)
    assert code == 1
    assert "move it away first" in told


def test_a_restore_of_nothing_is_named(stopped: Path, tmp_path: Path, moyai: Run) -> None:
    code, _, told = moyai("restore", tmp_path / "absent", "--config", stopped)
    assert code == 1
    assert "backup" in told


def test_compaction_keeps_everything(stopped: Path, moyai: Run) -> None:
    code, answer, told = moyai("compact", "--config", stopped, "--json")
    assert code == 0, told
    report = json.loads(answer)
    assert report["bytes_saved"] == report["bytes_before"] - report["bytes_after"]
    assert moyai("verify", "--config", stopped)[0] == 0


def test_indexes_are_rebuilt_from_the_blocks(stopped: Path, moyai: Run) -> None:
    code, answer, told = moyai("reindex", "--config", stopped, "--json")
    assert code == 0, told
    assert json.loads(answer)["blocks"] >= 3


def test_a_running_node_is_left_alone(live_city: RealCity, tmp_path: Path, moyai: Run) -> None:
    config = live_city["utility"].node.config_file
    for command in (("backup", tmp_path / "b"), ("compact",), ("reindex",)):
        code, _, told = moyai(*command, "--config", config)
        assert code == 1
        assert "another process has it open" in told


def test_a_snapshot_is_made_and_listed(stopped: Path, moyai: Run) -> None:
    code, answer, told = moyai("snapshot", "--config", stopped, "--json")
    assert (code, json.loads(answer)) == (0, {"snapshots": []}), told
    assert "No snapshot yet" in moyai("snapshot", "--config", stopped)[2]
    code, answer, told = moyai("snapshot", "--make", "--config", stopped, "--json")
    assert code == 0, told
    (made,) = json.loads(answer)["snapshots"]
    assert made["height"] >= 1
    assert made["bytes"] > 1_000
    assert f"{made['height']}" in moyai("snapshot", "--config", stopped)[1]
    assert json.loads(moyai("verify", "--config", stopped, "--json")[1])["base"] == 0
