"""A city on one machine: real keys, one genesis, a folder a member, nothing overwritten."""

import shutil
from pathlib import Path

import pytest

from moyai.node.config import load_config
from moyai.node.errors import FolderError
from moyai.node.founding import create_journal, genesis_root, join
from moyai.node.genesis_file import check_state_root, read_genesis
from moyai.node.key_file import KeyKind, load_network_secret, load_signing_key
from moyai.node.testnet import City, CityPlan, default_ports, load_city, make_city
from moyai.primitives.genesis import genesis_digest
from moyai.primitives.ids import TimeMs
from moyai.storage.journal import Journal


def make(directory: Path, validators: int = 4) -> City:
    plan = CityPlan(directory, "city-1", TimeMs(1_800_000_000_000), default_ports(validators))
    return make_city(plan, genesis_root, create_journal)


def test_four_members_have_the_documented_names(tmp_path: Path) -> None:
    city = make(tmp_path / "city")
    assert [node.slug for node in city.nodes] == ["city-hall", "utility", "hospital", "chamber"]
    assert [node.name for node in city.nodes][3] == "chamber of commerce"


def test_every_node_has_what_its_configuration_names(tmp_path: Path) -> None:
    city = make(tmp_path / "city")
    genesis = read_genesis(city.genesis_file)
    check_state_root(genesis, genesis_root)
    for node, member in zip(city.nodes, genesis.members, strict=True):
        config = load_config(node.config_file, {})
        key = load_signing_key(Path(config.key_file), KeyKind.VALIDATOR)
        assert key.public == member.validator_key
        network = load_network_secret(Path(config.network_key_file))
        assert network.public == member.network_key
        assert read_genesis(Path(config.genesis_file)) == genesis
        officers = [load_signing_key(path, KeyKind.ACCOUNT) for path in node.officer_files]
        assert tuple(officer.public for officer in officers) == member.officer_keys


def test_every_journal_is_unused_and_names_the_key(tmp_path: Path) -> None:
    city = make(tmp_path / "city")
    for node, member in zip(city.nodes, city.genesis.members, strict=True):
        path = load_config(node.config_file, {}).journal_path
        journal = Journal.open(path, member.validator_key, genesis_digest(city.genesis))
        try:
            assert journal.load().unused
        finally:
            journal.close()


def test_no_key_gets_a_second_journal(tmp_path: Path) -> None:
    city = make(tmp_path / "city")
    config = load_config(city.nodes[0].config_file, {})
    shutil.rmtree(config.journal_path)
    with pytest.raises(FolderError, match="could vote against the first"):
        join(config, city.genesis)


def test_a_city_is_found_again(tmp_path: Path) -> None:
    city = make(tmp_path / "city")
    assert load_city(tmp_path / "city") == city


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(FolderError, match="not empty"):
        make(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("validators", [1, 9])
def test_cities_of_other_sizes(tmp_path: Path, validators: int) -> None:
    city = make(tmp_path / "city", validators)
    assert len(city.nodes) == validators
    assert len(city.genesis.validators()) == validators


def test_a_folder_that_is_no_city_is_named(tmp_path: Path) -> None:
    city = make(tmp_path / "city")
    city.nodes[2].config_file.unlink()
    with pytest.raises(FolderError, match="holds no folder of hospital"):
        load_city(tmp_path / "city")
