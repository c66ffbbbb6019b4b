"""The genesis file: text and document are one, and every mistake in the text is named."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moyai.node.errors import GenesisFileError
from moyai.node.founding import genesis_root
from moyai.node.genesis_file import (
    MemberText,
    check_state_root,
    genesis_from_json,
    genesis_to_json,
    make_genesis,
    read_genesis,
    read_member,
    write_genesis,
    write_member,
)
from moyai.primitives.errors import MoyaiError
from moyai.primitives.genesis import Genesis, genesis_digest
from moyai.primitives.hashing import sha256
from moyai.primitives.ids import AccountId, format_account
from moyai.primitives.keys import SigningKey


def member(number: int, *roles: str) -> MemberText:
    return MemberText(
        name=f"member {number}",
        validator_key=SigningKey(bytes([number]) * 32).public.hex(),
        network_key=sha256(bytes([number])).hex(),
        endpoint=f"127.0.0.1:{7000 + number}",
        account=format_account(AccountId(bytes([number]) * 20)),
        officer_keys=(SigningKey(bytes([100 + number]) * 32).public.hex(),),
        roles=roles,
    )


def document() -> Genesis:
    members = (member(1, "sponsor", "registrar"), member(2), member(3), member(4, "records"))
    return make_genesis("city-1", "2026-04-01T00:00:00Z", members, genesis_root)


def altered(**changes: Any) -> bytes:
    text = json.loads(genesis_to_json(document()))
    del text["digest"]
    return json.dumps({**text, **changes}).encode()


def test_the_text_and_the_document_are_one() -> None:
    genesis = document()
    assert genesis_from_json(genesis_to_json(genesis)) == genesis


def test_blanks_and_order_do_not_change_the_network() -> None:
    genesis = document()
    text = json.loads(genesis_to_json(genesis))
    shuffled = json.dumps(dict(reversed(text.items()))).encode()
    assert genesis_digest(genesis_from_json(shuffled)) == genesis_digest(genesis)


def test_the_state_root_is_the_one_of_the_state() -> None:
    genesis = document()
    check_state_root(genesis, genesis_root)
    other = msgspec.structs.replace(genesis, state_root=sha256(b"other"))
    with pytest.raises(GenesisFileError, match="leads to"):
        check_state_root(other, genesis_root)


def test_a_digest_that_does_not_belong_is_noticed() -> None:
    text = json.loads(genesis_to_json(document()))
    text["chain_id"] = "city-2"
    with pytest.raises(GenesisFileError, match="says its digest is"):
        genesis_from_json(json.dumps(text).encode())


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"chain": 1}, "no such key: chain"),
        ({"chain_id": "City Hall"}, "out of bounds"),
        ({"time": "yesterday"}, "Invalid isoformat"),
        ({"time": "2026-01-01T00:00:00"}, "has no zone"),
        ({"parameters": {}}, "parameters lack delta_ms"),
        ({"members": []}, "out of bounds"),
        ({"members": [{"name": "x"}]}, "lacks validator_key"),
        ({"state_root": "00"}, "wrong form or length"),
        ({"full_nodes": 3}, "full_nodes is an integer, not a list"),
    ],
)
def test_a_wrong_field_is_named(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(MoyaiError, match=reason):
        genesis_from_json(altered(**change))


def test_an_unknown_role_lists_the_roles() -> None:
    members = (member(1, "mayor"), member(2))
    with pytest.raises(GenesisFileError, match="unknown role mayor; the roles are sponsor"):
        make_genesis("city-1", "2026-04-01T00:00:00Z", members, genesis_root)


def test_a_parameter_out_of_its_domain_is_refused() -> None:
    parameters = json.loads(genesis_to_json(document()))["parameters"]
    with pytest.raises(GenesisFileError, match="out of bounds"):
        genesis_from_json(altered(parameters={**parameters, "delta_ms": 1}))


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_with_advice(data: bytes) -> None:
    with pytest.raises(GenesisFileError) as refusal:
        genesis_from_json(data)
    assert refusal.value.next


def test_a_genesis_file_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "genesis.json"
    write_genesis(path, document())
    assert read_genesis(path) == document()
    with pytest.raises(GenesisFileError, match="File exists"):
        write_genesis(path, document())


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(GenesisFileError, match="No such file"):
        read_genesis(tmp_path / "genesis.json")


def test_members_hand_in_what_is_read(tmp_path: Path) -> None:
    path = tmp_path / "member.json"
    write_member(path, member(7, "issuer"))
    assert read_member(path) == member(7, "issuer")


def test_the_shipped_example_is_a_whole_document() -> None:
    example = Path(__file__).resolve().parents[2] / "config" / "genesis.example.json"
    check_state_root(read_genesis(example), genesis_root)


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b'{"chain_id": "\xff"}', b"[" * 100_000])
def test_bytes_that_are_no_json_are_refused_with_the_name_of_the_file(data: bytes) -> None:
    with pytest.raises(GenesisFileError, match="genesis file"):
        genesis_from_json(data)
