"""What members propose, as the door tells it: what is asked, who agreed, who is ready."""

import json

import pytest

from harness.proven_city import ACCOUNTS, NAMES, seed
from harness.rpc_city import RpcCity
from moyai.ledger.membership import read_pending_set
from moyai.ledger.state import Values
from moyai.node.operation_text import parse_change
from moyai.primitives.ids import Digest, NetworkKey
from moyai.primitives.keys import SigningKey
from moyai.primitives.operations_governance import (
    AddFullNode,
    ApproveChange,
    Change,
    MembersReady,
    ParameterSetting,
    ProposeChange,
    RecoverOfficers,
    RemoveMember,
    RotateNetworkKey,
    RotateValidatorKey,
    SetEndpoint,
    SetParameters,
)
from moyai.rpc.texts import account_text

FIRST, SECOND, THIRD, LAST = NAMES
LEAVING = ProposeChange(RemoveMember(ACCOUNTS[LAST]))


def validator(name: str) -> SigningKey:
    return SigningKey(seed(f"{name} validator"))


async def test_a_city_without_proposals_says_so(city: RpcCity) -> None:
    answer = await city.call("changes_list")
    assert (answer["epoch"], answer["changes"]) == (0, [])
    assert answer["under_way"] is None


async def test_a_proposal_is_told_with_what_it_leads_to(city: RpcCity) -> None:
    city.commit(city.sign(LEAVING, by=FIRST))
    (change,) = (await city.call("changes_list"))["changes"]
    assert change["stage"] == "open"
    assert change["change"] == {"type": "remove_member", "account": account_text(ACCOUNTS[LAST])}
    assert change["approvals"] == [account_text(ACCOUNTS[FIRST])]
    assert (change["approvals_needed"], change["ready_needed"]) == (3, 3)
    assert [member["name"] for member in change["next_members"]] == [FIRST, SECOND, THIRD]
    assert not any(member["is_ready"] for member in change["next_members"])


async def test_it_is_followed_until_it_is_in_force(city: RpcCity) -> None:
    city.commit(city.sign(LEAVING, by=FIRST))
    city.commit(*(city.sign(ApproveChange(1), by=name) for name in (SECOND, THIRD)))
    answer = await city.call("changes_list")
    assert answer["under_way"] == 1
    (change,) = answer["changes"]
    assert change["stage"] == "approved"
    ready = MembersReady(Digest(bytes.fromhex(change["next_set"])))
    city.commit(
        *(city.sign(ready, by=name, key=validator(name)) for name in (FIRST, SECOND, THIRD))
    )
    (change,) = (await city.call("changes_list"))["changes"]
    assert change["stage"] == "pending"
    assert all(member["is_ready"] for member in change["next_members"])
    pending = read_pending_set(Values(city.city.store.states))
    assert pending is not None
    assert pending.digest.hex() == change["next_set"]


async def test_the_newest_come_first_and_older_ones_when_asked_for(city: RpcCity) -> None:
    for number in (300, 310, 320):
        change = SetParameters((ParameterSetting("delta_ms", number),))
        city.commit(city.sign(ProposeChange(change), by=FIRST))
    answer = await city.call("changes_list", limit=2)
    assert [change["proposal"] for change in answer["changes"]] == [3, 2]
    answer = await city.call("changes_list", up_to=1)
    assert [change["proposal"] for change in answer["changes"]] == [1]


KEY = validator("new").public
NETWORK = NetworkKey(KEY)
KINDS: list[Change] = [
    RemoveMember(ACCOUNTS[LAST]),
    RotateValidatorKey(ACCOUNTS[LAST], KEY),
    RotateNetworkKey(ACCOUNTS[LAST], NETWORK),
    SetEndpoint(ACCOUNTS[LAST], "moved.example:7000"),
    SetParameters((ParameterSetting("delta_ms", 300),)),
    AddFullNode("library", NETWORK, "library.example:7000"),
    RecoverOfficers(ACCOUNTS[LAST], (KEY,)),
]


@pytest.mark.parametrize("change", KINDS, ids=lambda change: type(change).__name__)
async def test_every_kind_of_change_is_told_with_those_who_have_to_be_there(
    city: RpcCity, change: Change
) -> None:
    city.commit(city.sign(ProposeChange(change), by=FIRST))
    (shown,) = (await city.call("changes_list"))["changes"]
    assert parse_change(json.dumps(shown["change"])) == change
    names = {member["name"] for member in shown["next_members"]}
    assert names == set(NAMES) - ({LAST} if isinstance(change, RemoveMember) else set())
    assert shown["next_set"] is not None
    assert shown["ready_needed"] == 3


@pytest.mark.parametrize("params", [{"limit": 0}, {"limit": 101}, {"up_to": 0}, {"from": 1}])
async def test_questions_out_of_bounds(city: RpcCity, params: dict[str, int]) -> None:
    assert (await city.refusal("changes_list", **params))["code"] == "invalid_params"
