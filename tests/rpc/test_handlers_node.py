"""What a node says about itself and its city."""

from pathlib import Path

import msgspec

from harness.rpc_city import RpcCity, rpc_city, status
from harness.unix_http import unix_call
from moyai.node.operation_text import parse_operation
from moyai.primitives.ids import Digest, Epoch, ValidatorIndex, View
from moyai.primitives.operations_evidence import SubmitEvidence
from moyai.primitives.vote import Vote, VoteKind
from moyai.rpc.handlers_node import summary_of
from moyai.rpc.ports import EvidenceFound, QuorumStatus

INDEX = ValidatorIndex(2)


async def test_the_status_names_who_is_missing(city: RpcCity) -> None:
    answer = await city.call("node_status")
    assert answer["name"] == "city-hall"
    assert answer["summary"] == "quorum 3/4, missing hospital"
    assert answer["waits_for"] == "votes of a quorum"
    assert answer["heights"] == {"final": 5, "executed": 5, "committed": 4}
    assert answer["links"][0] == {
        "name": "hospital",
        "is_validator": True,
        "is_linked": False,
        "height": 3,
    }
    assert answer["disk"] == {"level": "good", "used_percent": 3}
    assert answer["chain_id"] == "test-city"


async def test_health_says_why_nothing_becomes_final(city: RpcCity) -> None:
    assert (await city.call("node_health"))["ready"] is True
    city.status = status(
        quorum=QuorumStatus(2, 3, 4, ("chamber", "hospital")),
        is_ready=False,
        not_ready_because="too few validators",
    )
    answer = await city.call("node_health")
    assert answer["ready"] is False
    assert answer["quorum"] == "2/4"
    assert answer["summary"] == "quorum 2/4, missing chamber, hospital, too few validators"


def test_the_summary_does_not_say_a_thing_twice() -> None:
    reason = "quorum 3/4, missing hospital"
    assert summary_of(status(is_ready=False, not_ready_because=reason)) == reason
    assert summary_of(status(mode="catching up", not_ready_because="catching up")).count("cat") == 1
    assert "abstaining" in summary_of(status(mode="abstaining"))


async def test_members_come_in_the_order_of_their_votes(city: RpcCity) -> None:
    members = (await city.call("members_list"))["members"]
    assert [member["validator"] for member in members] == [0, 1, 2, 3]
    keys = [key.hex() for key in city.city.genesis.validators().keys]
    assert [member["validator_key"] for member in members] == keys
    assert {member["name"] for member in members} >= {"hospital", "utility"}
    assert members[0]["account"].startswith("moyai1")


async def test_parameters_come_from_the_state(city: RpcCity) -> None:
    parameters = (await city.call("params_get"))["parameters"]
    expected = city.city.genesis.parameters
    assert parameters == msgspec.structs.asdict(expected)


async def test_evidence_is_listed_in_full(city: RpcCity) -> None:
    assert await city.call("evidence_list") == {"evidence": []}
    first, second = votes = tuple(
        Vote(Epoch(0), View(9), VoteKind.NOTARIZE, Digest(bytes([n]) * 32), INDEX, bytes(64))
        for n in (1, 2)
    )
    city.evidence.append(EvidenceFound(first, second, b"\x01\x02"))
    (shown,) = (await city.call("evidence_list"))["evidence"]
    key = city.city.genesis.validators().keys[INDEX]
    assert parse_operation(shown.pop("operation")) == SubmitEvidence(*votes)
    assert shown == {
        "kind": "notarize and notarize",
        "epoch": 0,
        "view": 9,
        "validator": INDEX,
        "validator_key": key.hex(),
        "recorded": False,
        "evidence": "AQI=",
    }


async def test_only_the_operator_s_socket_takes_orders(tmp_path: Path) -> None:
    path = str(tmp_path / "admin.sock")
    async with rpc_city(tmp_path, admin_socket=path) as city:
        for method in ("admin_stop", "admin_log_level"):
            assert (await city.refusal(method))["code"] == "method_not_found"
        assert city.admin.asked == []
        level = await unix_call(path, "admin_log_level", level="debug")
        assert level["result"]["done"] is True
        wrong = await unix_call(path, "admin_log_level", level="loud")
        assert wrong["error"]["data"]["code"] == "invalid_params"
        assert (await unix_call(path, "admin_stop"))["result"]["done"] is True
        assert city.admin.asked == ["debug", "stop"]
        assert (await unix_call(path, "chain_head"))["result"]["height"] == 0
