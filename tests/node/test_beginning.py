"""Scenarios before a node runs: with what is there, what is wanted and what was left half done."""

import asyncio

import msgspec
import pytest

from harness.core_city import GENESIS, CoreCity, CoreNode, document
from moyai.node.beginning import Beginning
from moyai.node.config import NodeConfig, P2pConfig
from moyai.node.gap import NOTE_NAME, Goal, note_goal, read_goal
from moyai.node.state_place import NEW_NAME


def starts(node: CoreNode, sync_from: str = "genesis") -> bool:
    """Return whether a node can run after what comes before."""
    config = NodeConfig(data_dir=str(node.folder), p2p=P2pConfig(listen="127.0.0.1:0"))
    wanted = msgspec.structs.replace(config, sync_from=sync_from)
    return asyncio.run(Beginning(wanted, GENESIS, node.identity).prepare())


@pytest.mark.parametrize("sync_from", ["genesis", "snapshot"])
def test_a_node_that_has_a_chain_starts_at_once(city: CoreCity, sync_from: str) -> None:
    (outcome,) = city.nodes[0].submit(document(1))
    city.run(lambda: city.nodes[0].is_final(outcome))
    city.nodes[0].kill()
    assert starts(city.nodes[0], sync_from)


def test_a_new_node_of_a_city_starts_at_genesis(city: CoreCity) -> None:
    city.nodes[0].kill()
    assert starts(city.nodes[0])


def test_a_goal_that_was_reached_is_forgotten(city: CoreCity) -> None:
    node = city.nodes[0]
    (outcome,) = node.submit(document(1))
    city.run(lambda: node.is_final(outcome))
    with node.chain.snapshot() as snapshot:
        found = snapshot.certificate_above(1)
        assert found is not None
        header = snapshot.require_header(found[0])
    node.kill()
    note_goal(node.folder, Goal(found[1], (header,)))
    assert starts(node)
    assert read_goal(node.folder) is None


def test_a_complete_import_takes_its_place_at_the_next_start(city: CoreCity) -> None:
    node, other = city.nodes[0], city.nodes[1]
    node.kill()
    other.kill()
    (other.folder / "chain").rename(node.folder / NEW_NAME)
    assert starts(node)
    assert not (node.folder / NEW_NAME).exists()
    assert not (node.folder / NOTE_NAME).exists()
