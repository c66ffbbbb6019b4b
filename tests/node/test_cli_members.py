"""`moyai members` against a running city: who is there, what is proposed, who could take part."""

import json
from pathlib import Path

import pytest

from harness.command_line import Run
from harness.real_city import RealCity
from moyai.node.key_file import read_key_file

CHANGE = '{"type": "set_parameters", "settings": [{"name": "delta_ms", "number": %d}]}'


def acting(city: RealCity, place: int) -> tuple[object, ...]:
    """Return the options by which the officers of one member act."""
    node = city.city.nodes[place]
    members = city.call(city.nodes[0].node, "members_list")["members"]
    account = next(one["account"] for one in members if one["name"] == node.name)
    keys = [part for key in node.officer_files for part in ("--key", key)]
    return ("--account", account, *keys, "--city", city.city.directory)


@pytest.fixture
def proposal(live_city: RealCity, moyai: Run) -> int:
    """Give the number of a proposal of city hall; with fewer than three it stays open."""
    code, answer, told = moyai("members", "propose", CHANGE % 300, *acting(live_city, 0), "--json")
    assert code == 0, told
    (event,) = json.loads(answer)["events"]
    assert event["kind"] == "change.proposed"
    return int(event["fields"]["proposal"])


def test_members_are_listed_with_what_is_proposed(
    live_city: RealCity, moyai: Run, proposal: int
) -> None:
    code, answer, _ = moyai("members", "list", "--city", live_city.city.directory)
    assert code == 0
    assert "chamber of commerce" in answer
    assert "set_parameters delta_ms 300" in answer
    assert "{" not in answer
    code, answer, _ = moyai("members", "list", "--city", live_city.city.directory, "--json")
    listed = json.loads(answer)
    assert len(listed["members"]) == 4
    assert listed["changes"][0]["proposal"] == proposal
    assert listed["changes"][0]["approvals_needed"] == 3


def test_another_member_approves_once(live_city: RealCity, moyai: Run, proposal: int) -> None:
    approval = ("members", "approve", proposal, *acting(live_city, 1))
    code, answer, _ = moyai(*approval)
    assert code == 0
    assert "change.approved" in answer
    code, _, told = moyai(*approval)
    assert code == 1
    assert "approved already" in told


def test_a_check_tells_who_answers(live_city: RealCity, moyai: Run, proposal: int) -> None:
    options = ("--proposal", proposal, "--city", live_city.city.directory)
    code, answer, told = moyai("members", "check", *options)
    assert code == 0, "the chamber is down; three of four are enough"
    assert f"Proposal {proposal}, open" in answer
    assert "set_parameters" in answer
    assert "chamber of commerce" in answer
    assert "3 of 4 answer; the next set needs 3" in told
    code, answer, _ = moyai("members", "check", *options, "--json")
    shown = json.loads(answer)
    assert shown["reached"] == 3
    (down,) = [one["name"] for one in shown["next_members"] if one["unreachable"]]
    assert down == "chamber of commerce"


def test_only_a_validator_of_the_next_set_is_ready(
    live_city: RealCity, moyai: Run, proposal: int, tmp_path: Path
) -> None:
    assert proposal
    stranger = tmp_path / "stranger.key"
    assert moyai("keys", "new", stranger, "--kind", "validator")[0] == 0
    code, _, told = moyai("members", "ready", "--key", stranger, "--city", live_city.city.directory)
    assert code == 1
    assert "no validator of the set" in told


def test_the_next_key_of_a_node_comes_with_the_change_to_propose(
    live_city: RealCity, moyai: Run
) -> None:
    node = live_city.city.nodes[2]
    account = acting(live_city, 2)[1]
    command = ("members", "next-key", "--kind", "network", "--account", account)
    code, answer, told = moyai(*command, "--config", node.config_file, "--json")
    assert code == 0, told
    key = read_key_file(node.folder / "network.key.next").public_key
    assert json.loads(answer) == {
        "type": "rotate_network_key",
        "account": account,
        "network_key": key,
    }
    code, _, told = moyai(*command, "--config", node.config_file)
    assert code == 1
    assert "lies ready already" in told
    assert moyai(*command[:3], "account", *command[4:], "--config", node.config_file)[0] == 1


def test_no_evidence_is_held_against_anybody(live_city: RealCity, moyai: Run) -> None:
    where = ("--city", live_city.city.directory)
    code, answer, _ = moyai("members", "evidence", *where, "--json")
    assert (code, json.loads(answer)) == (0, {"evidence": []})
    code, answer, told = moyai("members", "evidence", *where)
    assert (code, answer) == (0, "")
    assert "hold no evidence" in told
    code, _, told = moyai("members", "evidence", *acting(live_city, 0))
    assert code == 1
    assert "not held by these nodes" in told


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("remove", "is not JSON"),
        ('{"type": "remove_membr"}', "did you mean remove_member"),
        ('{"type": "remove_member", "account": "moyai1x"}', "moyai1x"),
        (CHANGE % 1, "delta_ms"),
    ],
)
def test_a_change_that_cannot_be_is_refused_in_one_line(
    live_city: RealCity, moyai: Run, change: str, reason: str
) -> None:
    code, _, told = moyai("members", "propose", change, *acting(live_city, 0))
    assert code == 1
    assert reason in told
    assert told.count("\n") == 1


def test_a_proposal_that_nobody_made(live_city: RealCity, moyai: Run) -> None:
    options = ("--proposal", 999_999, "--city", live_city.city.directory)
    code, _, told = moyai("members", "check", *options)
    assert code == 1
    assert "proposal 999999" in told
