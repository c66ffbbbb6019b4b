"""A real full node beside four real validators: it takes transactions, follows, and never votes."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.real_city import CHAIN_ID, RealCity, until
from moyai.node.config import load_config
from moyai.node.founding import create_journal, genesis_root, join
from moyai.node.free_ports import free_ports
from moyai.node.processes import CityProcesses, NodeProcess
from moyai.node.testnet import CityNode, CityPlan, make_city, make_network_key, write_config
from moyai.primitives.genesis import FullNode
from moyai.primitives.ids import ACCOUNT_BYTES, AccountId, TimeMs

FOLLOW_SECONDS_MAX = 10.0


class Library:
    """A city that knows a library's network key, and the library's own node."""

    def __init__(self, folder: Path) -> None:
        *ports, own_ports = free_ports(5)
        place = folder / "library"
        place.mkdir()
        key = make_network_key(place)
        self.node = CityNode(
            "library", "library", place, own_ports, AccountId(bytes(ACCOUNT_BYTES)), ()
        )
        entry = FullNode("library", key, f"127.0.0.1:{own_ports.p2p}")
        now_ms = TimeMs(time.time_ns() // 10**6)
        self.city = make_city(
            CityPlan(folder / "city", CHAIN_ID, now_ms, tuple(ports), full_nodes=(entry,)),
            genesis_root,
            create_journal,
        )
        shutil.copy(self.city.genesis_file, folder)
        write_config(self.node, mode="full", log_format="json")
        self.join()
        self.process = NodeProcess(self.node)

    def join(self) -> None:
        join(load_config(self.node.config_file, {}), self.city.genesis)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[tuple[Library, RealCity]]:
    made = Library(tmp_path)
    with CityProcesses(made.city, {}) as processes:
        processes.start()
        made.process.start()
        try:
            processes.wait_ready()
            yield made, RealCity(made.city, processes)
        finally:
            made.process.kill()


def test_a_full_node_takes_transactions_and_follows(library: tuple[Library, RealCity]) -> None:
    made, city = library
    until(lambda: made.process.health().ready, FOLLOW_SECONDS_MAX, what="the library is ready")
    assert city.call(made.node, "node_status")["mode"] == "full"
    through_it = city.make_final(made.node, "handed in at the library")
    city.wait_final(city.nodes[0].node, through_it, FOLLOW_SECONDS_MAX)


def test_a_full_node_that_lost_everything_follows_again(
    library: tuple[Library, RealCity],
) -> None:
    made, city = library
    made.process.kill()
    missed = [city.make_final(city.nodes[0].node, f"missed {number}") for number in range(3)]
    shutil.rmtree(load_config(made.node.config_file, {}).data_dir)
    made.join()
    made.process.start()
    for transaction_id in missed:
        city.wait_final(made.node, transaction_id, FOLLOW_SECONDS_MAX)
    height = city.head(city.nodes[0].node)
    until(lambda: city.head(made.node) >= height, FOLLOW_SECONDS_MAX, what="the tip")


def test_a_full_node_is_no_part_of_a_quorum(library: tuple[Library, RealCity]) -> None:
    made, city = library
    for slug in ("hospital", "utility"):
        city[slug].kill()
    transaction_id, raw = city.document("waits for a third validator")
    city.submit(made.node, raw)
    with pytest.raises(AssertionError, match="not within"):
        city.wait_final(made.node, transaction_id, 1.5)
    city["utility"].start()
    city.wait_final(made.node, transaction_id, FOLLOW_SECONDS_MAX)
