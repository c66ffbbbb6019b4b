"""Scenarios before a node runs: with what is there, what is wanted and what was left half done."""

import asyncio
from collections.abc import Iterator

import msgspec
import pytest

from harness.core_city import GENESIS, CoreCity, CoreNode, document
from moyai.node.beginning import Beginning
from moyai.node.config import NodeConfig, P2pConfig
from moyai.node.gap import NOTE_NAME, Goal, note_goal, read_goal
from moyai.node.state_place import NEW_NAME


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as made:
        yield made


def beginning(node: CoreNode, runner: asyncio.Runner, sync_from: str = "genesis") -> Beginning:
    config = NodeConfig(data_dir=str(node.folder), p2p=P2pConfig(listen="127.0.0.1:0"))
    wanted = msgspec.structs.replace(config, sync_from=sync_from)
    return Beginning(wanted, GENESIS, node.identity, runner)


@pytest.mark.parametrize("sync_from", ["genesis", "snapshot"])
def test_a_node_that_has_a_chain_starts_at_once(
    city: CoreCity, runner: asyncio.Runner, sync_from: str
) -> None:
    (outcome,) = city.nodes[0].submit(document(1))
    city.run(lambda: city.nodes[0].is_final(outcome))
    city.nodes[0].kill()
    assert beginning(city.nodes[0], runner, sync_from).prepare()


def test_a_new_node_of_a_city_starts_at_genesis(city: CoreCity, runner: asyncio.Runner) -> None:
    city.nodes[0].kill()
    assert beginning(city.nodes[0], runner).prepare()


def test_a_goal_that_was_reached_is_forgotten(city: CoreCity, runner: asyncio.Runner) -> None:
    node = city.nodes[0]
    (outcome,) = node.submit(document(1))
    city.run(lambda: node.is_final(outcome))
    with node.chain.snapshot() as snapshot:
        found = snapshot.certificate_above(1)
        assert found is not None
        header = snapshot.require_header(found[0])
    node.kill()
    note_goal(node.folder, Goal(found[1], (header,)))
    assert beginning(node, runner).prepare()
    assert read_goal(node.folder) is None


def test_a_complete_import_takes_its_place_at_the_next_start(
    city: CoreCity, runner: asyncio.Runner
) -> None:
    node, other = city.nodes[0], city.nodes[1]
    node.kill()
    other.kill()
    (other.folder / "chain").rename(node.folder / NEW_NAME)
    assert beginning(node, runner).prepare()
    assert not (node.folder / NEW_NAME).exists()
    assert not (node.folder / NOTE_NAME).exists()
