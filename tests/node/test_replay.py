"""Executing a stored block again gives what it gave the first time."""

from pathlib import Path

import msgspec

from harness.real_city import RealCity
from moyai.ledger.codes import Code
from moyai.node.founding import create_journal, genesis_root
from moyai.node.free_ports import free_ports
from moyai.node.processes import CityProcesses
from moyai.node.replay import execute_again
from moyai.node.testnet import CityPlan, make_city
from moyai.primitives.genesis import genesis_header
from moyai.primitives.ids import Height, TimeMs
from moyai.storage.chain import ChainStore


def test_the_same_bytes_on_the_same_state_give_the_same_outcome(tmp_path: Path) -> None:
    plan = CityPlan(tmp_path / "city", "test-city", TimeMs(1_800_000_000_000), free_ports(1))
    city = make_city(plan, genesis_root, create_journal)
    _, raw = RealCity(city, CityProcesses(city)).document("again")
    header = msgspec.structs.replace(genesis_header(city.genesis), height=Height(1))
    store = ChainStore.create(tmp_path / "chain", city.genesis)
    try:
        first = execute_again(store.states, header, (raw,))
        assert [receipt.code for receipt in first.receipts] == [Code.OK]
        assert first.changes
        assert execute_again(store.states, header, (raw,)) == first
    finally:
        store.close()
