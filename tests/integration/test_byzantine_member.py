"""One member of four gone bad, over real sockets: the other three go on, and stay small."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.byzantine_peer import SINS, Sin, Traitor, votes_for_everything
from harness.real_city import RealCity, real_city, until
from moyai.client import Client, TransactionRefusedError, load_key_file
from moyai.node.genesis_file import read_genesis
from moyai.node.operation_text import parse_operation
from moyai.node.processes import NodeProcess
from moyai.node.testnet import CityNode

SIN_SECONDS = 1.0
FINAL_SECONDS_MAX = 5.0
GROWTH_KIB_MAX = 64 * 1024


@pytest.fixture(scope="module")
def betrayed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealCity]:
    """Give a city whose last member has stopped; a traitor uses its keys."""
    with real_city(tmp_path_factory.mktemp("betrayed") / "city") as city:
        city.nodes[-1].kill()
        yield city


def resident_kib(process: NodeProcess) -> int:
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError(f"{process.node.name} has ended")


@pytest.mark.parametrize("sin", SINS, ids=lambda sin: sin.__name__)
def test_the_others_go_on(betrayed: RealCity, sin: Sin) -> None:
    *honest, bad = betrayed.nodes
    before = [resident_kib(process) for process in honest]
    traitor = Traitor(betrayed.city, bad.node)
    sinning = threading.Thread(target=lambda: asyncio.run(traitor.run(sin, SIN_SECONDS)))
    sinning.start()
    number = 0
    while sinning.is_alive() or not number:
        process = honest[number % len(honest)]
        betrayed.make_final(process.node, f"{sin.__name__} {number}", FINAL_SECONDS_MAX)
        number += 1
    sinning.join()
    assert traitor.turns
    for process, kib in zip(honest, before, strict=True):
        assert process.running
        assert resident_kib(process) - kib < GROWTH_KIB_MAX
        assert "Traceback" not in process.log_tail()
    heads = {betrayed.call(process.node, "chain_block", height=1)["digest"] for process in honest}
    assert len(heads) == 1


def test_what_the_traitor_signed_goes_on_record(betrayed: RealCity) -> None:
    """Every honest node holds it, names nobody else, and shows the record that one made of it."""
    *honest, bad = betrayed.nodes
    traitor = Traitor(betrayed.city, bad.node)
    asyncio.run(traitor.run(votes_for_everything, SIN_SECONDS))
    key = traitor.validators.keys[traitor.index].hex()
    for process in honest:
        held = betrayed.call(process.node, "evidence_list")["evidence"]
        assert held
        assert {one["validator_key"] for one in held} == {key}
        assert not any(one["recorded"] for one in held)
    hall = honest[0].node
    genesis = read_genesis(betrayed.city.genesis_file)

    async def record() -> None:
        async with Client.connect([hall.url], trust=genesis) as client:
            signer = load_key_file(hall.officer_files[0])
            operation = parse_operation(held[0]["operation"])
            final = await client.submit([operation], account=hall.account, signer=signer)
            assert [event.kind for event in final.receipt.events] == ["evidence.recorded"]
            with pytest.raises(TransactionRefusedError, match="on record already"):
                await client.submit([operation], account=hall.account, signer=signer)

    asyncio.run(record())
    for process in honest:
        wait_on_record(betrayed, process.node, bad.node.name)
        held = betrayed.call(process.node, "evidence_list")["evidence"]
        assert all(one["recorded"] for one in held)


def wait_on_record(city: RealCity, node: CityNode, name: str) -> None:
    """Wait until a node tells that one member, and no other, stands on record."""

    def shown() -> bool:
        members = city.call(node, "members_list")["members"]
        return [one["name"] for one in members if one["evidence_height"] is not None] == [name]

    until(shown, FINAL_SECONDS_MAX, what="the record")
