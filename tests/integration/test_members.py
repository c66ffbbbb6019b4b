"""Members of a running city decide: one leaves, one joins, parameters change; blocks go on."""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.real_city import RealCity, until
from moyai.client import Client, load_key_file
from moyai.node.config import load_config
from moyai.node.founding import join, make_node_folder
from moyai.node.free_ports import free_ports
from moyai.node.genesis_file import read_genesis
from moyai.node.processes import NodeProcess
from moyai.node.testnet import CONFIG_NAME, CityNode
from moyai.primitives.ids import NetworkKey, PublicKey
from moyai.primitives.operations_accounts import (
    AccountKind,
    Controller,
    ControllerRole,
    OpenAccount,
    Thresholds,
)
from moyai.primitives.operations_governance import (
    AddMember,
    ApproveChange,
    Change,
    ParameterSetting,
    ProposeChange,
    RemoveMember,
    SetParameters,
)
from moyai.primitives.transaction import Scheme, opened_account

IN_FORCE_SECONDS_MAX = 20.0


def decide(city: RealCity, change: Change) -> None:
    """Let city hall propose and two others approve; the receipts are proven."""

    async def session() -> None:
        urls = [node.url for node in city.city.nodes[:3]]
        genesis = read_genesis(city.city.genesis_file)
        async with Client.connect(urls, trust=genesis) as client:
            hall, *others = city.city.nodes[:3]
            proposed = await client.submit(
                [ProposeChange(change)],
                account=hall.account,
                signer=[load_key_file(path) for path in hall.officer_files],
            )
            number = dict(proposed.receipt.events[0].fields)["proposal"]
            assert isinstance(number, int)
            for member in others:
                await client.submit(
                    [ApproveChange(number)],
                    account=member.account,
                    signer=[load_key_file(path) for path in member.officer_files],
                )

    asyncio.run(session())


def in_epoch(city: RealCity, epoch: int) -> Any:
    """Wait until every remaining node is in an epoch, and return the members it tells."""

    def there() -> Any:
        told = [city.call(node, "members_list") for node in city.city.nodes[:3]]
        return told[0] if all(one["epoch"] == epoch for one in told) else None

    return until(there, IN_FORCE_SECONDS_MAX, what=f"epoch {epoch}")


def test_a_member_leaves_and_the_others_go_on(own_city: RealCity) -> None:
    city, leaving = own_city, own_city.city.nodes[3]
    city.make_final(city.nodes[0].node, "before")
    decide(city, RemoveMember(leaving.account))
    listed = in_epoch(city, 1)
    assert leaving.name not in [one["name"] for one in listed["members"]]
    city.nodes[3].kill()
    for place in range(3):
        city.make_final(city.nodes[place].node, f"after {place}")
    decide(city, SetParameters((ParameterSetting("delta_ms", 300),)))
    in_epoch(city, 2)
    for place in range(3):
        parameters = city.call(city.city.nodes[place], "params_get")["parameters"]
        assert parameters["delta_ms"] == 300
    city.make_final(city.nodes[1].node, "in the third epoch")


def test_a_node_that_was_away_finds_the_new_epoch(own_city: RealCity) -> None:
    city, away = own_city, own_city.nodes[3]
    away.kill()
    decide(city, SetParameters((ParameterSetting("delta_ms", 300),)))
    in_epoch(city, 1)
    last = city.make_final(city.nodes[0].node, "while it was away")
    away.start()
    assert city.wait_final(away.node, last, IN_FORCE_SECONDS_MAX)["status"] == "final"
    assert city.call(away.node, "members_list")["epoch"] == 1
    head = city.wait_equal_heads(IN_FORCE_SECONDS_MAX)
    assert head["height"] > 0


def test_a_member_joins_and_its_vote_is_needed(own_city: RealCity, tmp_path: Path) -> None:
    city = own_city
    bank, member = prepared(city, tmp_path / "bank")
    decide(city, member)
    with running(bank):
        in_epoch(city, 1)
        city.nodes[3].kill()
        document = city.make_final(city.nodes[0].node, "by four of five, the bank among them")
        assert city.wait_final(bank, document, IN_FORCE_SECONDS_MAX)["status"] == "final"
        assert city.call(bank, "node_status")["quorum"]["validators"] == 5


def prepared(city: RealCity, folder: Path) -> tuple[CityNode, AddMember]:
    """Make the node of a bank, open its account, and return what lets it in."""
    (ports,) = free_ports(1)
    text = make_node_folder(folder, "bank", f"127.0.0.1:{ports.p2p}", ())
    config = load_config(folder / CONFIG_NAME, {})
    shutil.copy(city.city.genesis_file, config.genesis_file)
    join(config, city.city.genesis, joining=True)
    owners = tuple(
        Controller(Scheme.ED25519, bytes.fromhex(key), ControllerRole.OWNER, 1, None)
        for key in text.officer_keys
    )
    opening = OpenAccount(AccountKind.ORGANISATION, owners, Thresholds(1, 1, 1))
    transaction, raw = city.sign((opening,))
    city.submit(city.nodes[0].node, raw)
    assert city.wait_final(city.nodes[0].node, transaction, 10.0)["status"] == "final"
    member = AddMember(
        name="bank",
        account=opened_account(transaction, 0),
        validator_key=PublicKey(bytes.fromhex(text.validator_key)),
        network_key=NetworkKey(bytes.fromhex(text.network_key)),
        endpoint=text.endpoint,
        roles=(),
    )
    return CityNode("bank", "bank", folder, ports, member.account, ()), member


@contextmanager
def running(node: CityNode) -> Iterator[None]:
    """Run one more node; its process has ended when the block ends."""
    listening = {
        "MOYAI_P2P_LISTEN": f"127.0.0.1:{node.ports.p2p}",
        "MOYAI_RPC_LISTEN": f"127.0.0.1:{node.ports.rpc}",
        "MOYAI_METRICS_LISTEN": "",
    }
    process = NodeProcess(node, listening)
    process.start()
    try:
        yield
    finally:
        process.kill()
