"""`moyai init`, `genesis`, `testnet`: from nothing to a city, by the commands alone."""

import json
import shutil
from pathlib import Path

import pytest

from harness.command_line import Run
from moyai.node.genesis_file import read_genesis
from moyai.primitives.genesis import genesis_digest


@pytest.fixture
def folders(tmp_path: Path, moyai: Run) -> list[Path]:
    made = []
    for number, roles in enumerate([("sponsor", "registrar"), (), (), ()]):
        folder = tmp_path / f"node-{number}"
        options = [part for role in roles for part in ("--role", role)]
        code, answer, _ = moyai(
            *("init", folder, "--name", f"member {number}", "--endpoint", f"h{number}:7001"),
            *(*options, "--json"),
        )
        assert code == 0
        assert json.loads(answer)["name"] == f"member {number}"
        made.append(folder)
    return made


def test_members_found_a_city_together(folders: list[Path], tmp_path: Path, moyai: Run) -> None:
    genesis = tmp_path / "genesis.json"
    members = [folder / "member.json" for folder in folders]
    code, answer, _ = moyai("genesis", *members, "--chain-id", "city-1", "--output", genesis)
    assert code == 0
    digest = genesis_digest(read_genesis(genesis)).hex()
    assert digest in answer
    for folder in folders:
        code, answer, _ = moyai("init", folder, "--genesis", genesis, "--json")
        assert code == 0
        assert json.loads(answer)["digest"] == digest
        assert (folder / "data" / "journal" / "data.mdb").exists()
    code, _, told = moyai("init", folders[0], "--genesis", folders[0] / "genesis.json")
    assert code == 1
    assert "--lost-journal" in told


def test_a_node_that_lost_its_journal_takes_the_genesis_file_again(
    folders: list[Path], tmp_path: Path, moyai: Run
) -> None:
    genesis, members = tmp_path / "genesis.json", [folder / "member.json" for folder in folders]
    moyai("genesis", *members, "--chain-id", "city-1", "--output", genesis)
    moyai("init", folders[0], "--genesis", genesis)
    shutil.rmtree(folders[0] / "data")
    code, _, told = moyai("init", folders[0], "--genesis", genesis, "--lost-journal")
    assert code == 0, told
    assert (folders[0] / "data" / "journal" / "data.mdb").exists()


def test_a_first_step_without_a_name_is_refused(tmp_path: Path, moyai: Run) -> None:
    code, _, told = moyai("init", tmp_path / "n")
    assert code == 1
    assert "--name and --endpoint" in told


def test_a_city_in_one_command(tmp_path: Path, moyai: Run) -> None:
    code, answer, _ = moyai("testnet", "--directory", tmp_path / "city", "--json")
    assert code == 0
    city = json.loads(answer)
    assert [node["name"] for node in city["nodes"]][:2] == ["city hall", "utility"]
    assert city["nodes"][0]["url"] == "http://127.0.0.1:8545"
    code, _, told = moyai("testnet", "--directory", tmp_path / "city")
    assert code == 1
    assert "is not empty" in told


def test_people_are_told_what_to_do_next(tmp_path: Path, moyai: Run) -> None:
    code, answer, told = moyai("testnet", "--directory", tmp_path / "city", "--validators", 1)
    assert code == 0
    assert "city hall" in answer
    assert "run --config" in told


def test_too_many_validators_are_wrong_usage(tmp_path: Path, moyai: Run) -> None:
    assert moyai("testnet", "--directory", tmp_path / "c", "--validators", 65)[0] == 2


def test_a_library_follows_without_a_vote(folders: list[Path], tmp_path: Path, moyai: Run) -> None:
    library, genesis = tmp_path / "library", tmp_path / "genesis.json"
    place = ("--name", "library", "--endpoint", "library:7001", "--full")
    assert moyai("init", library, *place)[0] == 0
    members = [folder / "member.json" for folder in folders]
    follower = ("--full-node", library / "full-node.json")
    founded = moyai("genesis", *members, *follower, "--chain-id", "city-1", "--output", genesis)
    assert founded[0] == 0
    assert [node.name for node in read_genesis(genesis).full_nodes] == ["library"]
    code, answer, _ = moyai("init", library, "--genesis", genesis, "--json")
    assert code == 0
    assert json.loads(answer)["name"] == "library"
    assert sorted(path.name for path in library.glob("*.key")) == ["network.key"]


def test_a_node_that_is_no_member_has_no_role(tmp_path: Path, moyai: Run) -> None:
    options = ("--name", "library", "--endpoint", "library:7001", "--full", "--role", "sponsor")
    code, _, told = moyai("init", tmp_path / "n", *options)
    assert code == 1
    assert "leave out --role" in told
