"""Members of a running city decide: one leaves, parameters change, and blocks go on."""

import asyncio
from typing import Any

from harness.real_city import RealCity, until
from moyai.client import Client, load_key_file
from moyai.node.genesis_file import read_genesis
from moyai.primitives.operations_governance import (
    ApproveChange,
    Change,
    ParameterSetting,
    ProposeChange,
    RemoveMember,
    SetParameters,
)

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
