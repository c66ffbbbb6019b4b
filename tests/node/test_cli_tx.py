"""`moyai tx`: build, sign, send, wait, each step a document, as in a pipe of commands."""

import io
import json
from pathlib import Path

import pytest

from harness.command_line import Build, Run
from harness.real_city import RealCity

DIGEST = bytes(range(32)).hex()


def operation(series: str) -> str:
    return json.dumps(
        {"type": "register_document", "series": series, "digest": DIGEST, "size_bytes": 3}
    )


@pytest.fixture
def build(live_city: RealCity, moyai: Run, tmp_path: Path) -> Build:
    hall = live_city.city.nodes[0]

    def made(operations: str, *options: object, officers: int = 1) -> Path:
        keys = [part for key in hall.officer_files[:officers] for part in ("--key", key)]
        code, answer, told = moyai(
            *("tx", "build", operations, "--account", account_of(live_city), *keys, *options),
            *("--city", live_city.city.directory),
        )
        assert code == 0, told
        path = tmp_path / f"{json.loads(answer)['id'][:8]}.json"
        path.write_text(answer)
        return path

    return made


def account_of(city: RealCity) -> str:
    members = city.call(city.nodes[0].node, "members_list")["members"]
    return str(next(one["account"] for one in members if one["name"] == "city hall"))


def test_a_transaction_goes_from_step_to_step(
    live_city: RealCity, moyai: Run, build: Build, tmp_path: Path
) -> None:
    hall = live_city.city.nodes[0]
    draft = build(operation("steps"), "--memo", DIGEST)
    code, signed, told = moyai("tx", "sign", draft, "--key", hall.officer_files[0])
    assert code == 0
    assert "register_document" in told
    path = tmp_path / "signed.json"
    path.write_text(signed)
    code, answer, told = moyai("tx", "send", path, "--city", live_city.city.directory, "--json")
    assert code == 0, told
    receipt = json.loads(answer)
    assert receipt["status"] == "final"
    assert receipt["events"][0]["kind"] == "document.registered"
    code, answer, _ = moyai("tx", "wait", receipt["id"], "--node", hall.url, "--json")
    assert code == 0
    assert json.loads(answer)["height"] == receipt["height"]
    code, answer, _ = moyai("tx", "send", path, "--no-wait", "--city", live_city.city.directory)
    assert code == 0
    assert receipt["id"] in answer


def test_two_officers_sign_one_after_the_other(
    live_city: RealCity, moyai: Run, build: Build, tmp_path: Path
) -> None:
    first, second = live_city.city.nodes[0].officer_files
    draft = build(operation("two officers"), officers=2)
    half = tmp_path / "half.json"
    half.write_text(moyai("tx", "sign", draft, "--key", first)[1])
    code, _, told = moyai("tx", "send", half, "--city", live_city.city.directory)
    assert code == 1
    assert "is missing" in told
    whole = tmp_path / "whole.json"
    whole.write_text(moyai("tx", "sign", half, "--key", second)[1])
    assert moyai("tx", "send", whole, "--city", live_city.city.directory)[0] == 0


def test_a_refused_transaction_ends_with_its_reason(
    live_city: RealCity, moyai: Run, build: Build, tmp_path: Path
) -> None:
    key = live_city.city.nodes[0].officer_files[0]
    text = json.dumps({"type": "revoke_document", "series": "never seen", "version": 1})
    signed = tmp_path / "refused.json"
    signed.write_text(moyai("tx", "sign", build(text), "--key", key)[1])
    code, _, told = moyai("tx", "send", signed, "--city", live_city.city.directory)
    assert code == 1
    assert "never seen" in told
    assert told.count("\n") == 1


def test_a_body_changed_on_the_way_is_noticed(
    moyai: Run, build: Build, live_city: RealCity
) -> None:
    draft = build(operation("changed"))
    other = json.loads(build(operation("another")).read_text())
    text = json.loads(draft.read_text())
    draft.write_text(json.dumps({**text, "body": other["body"]}))
    key = live_city.city.nodes[0].officer_files[0]
    code, _, told = moyai("tx", "sign", draft, "--key", key)
    assert code == 1
    assert "build it again" in told


def test_a_key_that_the_body_does_not_name_is_refused(
    moyai: Run, build: Build, live_city: RealCity
) -> None:
    key = live_city.city.nodes[1].officer_files[0]
    code, _, told = moyai("tx", "sign", build(operation("stranger")), "--key", key)
    assert code == 1
    assert "does not name this key" in told


def test_steps_are_joined_by_pipes(
    live_city: RealCity, moyai: Run, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = build(operation("piped"))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(draft.read_bytes())))
    key = live_city.city.nodes[0].officer_files[0]
    code, answer, _ = moyai("tx", "sign", "--key", key)
    assert code == 0
    assert len(json.loads(answer)["signatures"]) == 1


def test_operations_can_come_from_a_file(build: Build, tmp_path: Path) -> None:
    path = tmp_path / "operations.json"
    path.write_text(f"[{operation('from a file')}]")
    assert json.loads(build(f"@{path}").read_text())["signatures"] == {}


def test_two_officers_sign_on_machines_of_their_own(
    live_city: RealCity, moyai: Run, tmp_path: Path
) -> None:
    mine, other = live_city.city.nodes[0].officer_files
    told = json.loads(moyai("keys", "show", other, "--json")[1])["public_key"]
    where = ("--account", account_of(live_city), "--city", live_city.city.directory)
    _, document, _ = moyai("tx", "build", operation("both"), "--key", mine, "--key", told, *where)
    carried = tmp_path / "carried.json"
    for officer in (mine, other):
        carried.write_text(document)
        _, document, _ = moyai("tx", "sign", carried, "--key", officer)
    assert set(json.loads(document)["signatures"]) >= {told}
    carried.write_text(document)
    code, answer, told = moyai("tx", "send", carried, *where[2:], "--json")
    assert (code, json.loads(answer)["status"]) == (0, "final"), told


@pytest.mark.parametrize("data", [b"{", b"[]", b'{"id": 1}', b'{"id": "\xff"}'])
def test_what_is_no_transaction_is_refused(data: bytes, moyai: Run, tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(data)
    code, _, told = moyai("tx", "send", path, "--node", "http://127.0.0.1:1")
    assert code == 1
    assert "is not what `moyai tx build` prints" in told


def test_a_pipe_that_brings_nothing_points_at_the_command_before(
    moyai: Run, tmp_path: Path
) -> None:
    path = tmp_path / "empty.json"
    path.write_bytes(b"")
    code, _, told = moyai("tx", "send", path, "--node", "http://127.0.0.1:1")
    assert code == 1
    assert "nothing came in" in told


def test_an_unknown_transaction_is_waited_for_in_vain(live_city: RealCity, moyai: Run) -> None:
    code, answer, _ = moyai(
        *("tx", "wait", "00" * 32, "--seconds", "0.1", "--city", live_city.city.directory, "--json")
    )
    assert code == 5
    assert json.loads(answer)["status"] == "unknown"
