"""Which city a command talks to: options first, then the environment, else a clear refusal."""

from pathlib import Path

import pytest

from moyai.client.errors import NodeUnreachableError
from moyai.node.cli_connection import ask, ask_each, connection, genesis_file_of, node_urls
from moyai.node.errors import ConfigError
from moyai.node.founding import create_journal, genesis_root
from moyai.node.free_ports import free_ports
from moyai.node.testnet import City, CityPlan, make_city
from moyai.primitives.errors import MoyaiError
from moyai.primitives.ids import TimeMs


@pytest.fixture
def founded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> City:
    for variable in ("MOYAI_CITY", "MOYAI_NODE", "MOYAI_GENESIS"):
        monkeypatch.delenv(variable, raising=False)
    plan = CityPlan(tmp_path / "city", "city-1", TimeMs(1_800_000_000_000), free_ports(4))
    return make_city(plan, genesis_root, create_journal)


def test_a_folder_names_nodes_and_genesis(founded: City) -> None:
    where = connection(founded.directory, None, None)
    assert where.urls == tuple(node.url for node in founded.nodes)
    assert where.genesis == founded.genesis


def test_a_node_that_is_named_goes_first(founded: City) -> None:
    assert node_urls(founded.directory, ["http://h:1"]) == ("http://h:1",)


def test_the_environment_does_as_well(founded: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOYAI_CITY", str(founded.directory))
    assert len(node_urls(None, None)) == 4
    monkeypatch.setenv("MOYAI_NODE", "http://a:1 http://b:2")
    assert node_urls(None, None) == ("http://a:1", "http://b:2")
    monkeypatch.setenv("MOYAI_GENESIS", "/somewhere/genesis.json")
    assert genesis_file_of(None, None) == Path("/somewhere/genesis.json")


def test_nothing_named_is_refused_with_the_options(founded: City) -> None:
    with pytest.raises(ConfigError, match="--city FOLDER or --node URL"):
        node_urls(None, None)
    with pytest.raises(ConfigError, match="names no genesis file"):
        connection(None, None, ["http://h:1"])


def test_nodes_that_do_not_answer_are_told_by_address(founded: City) -> None:
    urls = tuple(node.url for node in founded.nodes)
    with pytest.raises(NodeUnreachableError, match="does not answer"):
        ask(urls, "chain_head")
    answers = ask_each(urls, "node_status")
    assert [url for url, _ in answers] == list(urls)
    assert all(isinstance(answer, MoyaiError) for _, answer in answers)
