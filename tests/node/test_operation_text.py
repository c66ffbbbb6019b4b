"""Operations written in JSON: every type is understood, every mistake is named."""

import json
from contextlib import suppress
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moyai.node.errors import OperationTextError
from moyai.node.operation_text import (
    OPERATION_TYPES,
    canonical_json,
    parse_operations,
)
from moyai.primitives.errors import IdentifierError, MoyaiError
from moyai.primitives.ids import AccountId, format_account
from moyai.primitives.operations_accounts import OpenAccount
from moyai.primitives.operations_documents import RegisterDocument
from moyai.primitives.operations_governance import Change
from moyai.primitives.operations_identity import BindIdentity
from moyai.primitives.operations_records import CreateCollection, PutRecord
from moyai.primitives.operations_tokens import TransferToken
from moyai.rpc.readable import readable_operation

ADDRESS = format_account(AccountId(bytes(range(20))))
KEY = bytes(range(32)).hex()
CONTROLLER = {
    "scheme": 1,
    "public_key": KEY,
    "role": "owner",
    "weight": 1,
    "expires": None,
}
POLICY = {
    "hold_level": "friend",
    "send_level": 1,
    "mint_level": 0,
    "cap": "1000000",
    "transferable": True,
}
WRITERS = {"accounts": [ADDRESS], "roles": ["records"], "level": None}
SCHEMA = {"type": "object", "properties": {"km": {"type": "integer"}}}
VOTE = {
    "epoch": 0,
    "view": 7,
    "kind": "finalize",
    "digest": KEY,
    "signer": 2,
    "signature": KEY + KEY,
}
EXAMPLES: list[dict[str, object]] = [
    {
        "type": "open_account",
        "kind": "person",
        "controllers": [CONTROLLER],
        "thresholds": {"ordinary": 1, "value": 1, "control": 1},
    },
    {"type": "add_controller", "controller": CONTROLLER},
    {"type": "remove_controller", "public_key": KEY},
    {
        "type": "rotate_controller",
        "public_key": KEY,
        "new_scheme": 1,
        "new_public_key": KEY,
        "new_expires": "2027-01-01T00:00:00Z",
    },
    {"type": "freeze_account", "account": ADDRESS},
    {"type": "thaw_account", "account": ADDRESS},
    {
        "type": "bind_identity",
        "account": ADDRESS,
        "level": "resident",
        "expires": 1_800_000_000_000,
        "nullifiers": [{"programme": "snow", "nullifier": KEY}],
        "place_cell": "xn7",
    },
    {"type": "renew_identity", "account": ADDRESS, "expires": "2027-01-01T09:00:00+09:00"},
    {"type": "suspend_identity", "account": ADDRESS},
    {"type": "revoke_identity", "account": ADDRESS},
    {
        "type": "create_token_class",
        "name": "coin",
        "title_ja": "コイン",
        "title_en": "Coin",
        "policy": POLICY,
        "minters": [],
    },
    {"type": "mint_token", "token": "coin", "to": ADDRESS, "amount": "5"},
    {"type": "transfer_token", "token": "coin", "to": ADDRESS, "amount": 5},
    {"type": "burn_token", "token": "coin", "amount": 5},
    {
        "type": "create_collection",
        "name": "roads",
        "title_ja": "道路",
        "title_en": "Roads",
        "schema": SCHEMA,
        "indexes": ["km"],
        "writers": WRITERS,
    },
    {"type": "put_record", "collection": "roads", "key": "r1", "value": {"b": 1, "a": "é"}},
    {"type": "expect_record", "collection": "roads", "key": "r1", "version": 0},
    {"type": "register_document", "series": "plan", "digest": KEY, "size_bytes": 9},
    {"type": "replace_document", "series": "plan", "digest": KEY, "size_bytes": 9, "replaces": 1},
    {"type": "revoke_document", "series": "plan", "version": 1},
    {"type": "propose_change", "change": {"type": "remove_member", "account": ADDRESS}},
    {"type": "approve_change", "proposal": 7},
    {"type": "members_ready", "next_set": KEY},
    {"type": "submit_evidence", "first": VOTE, "second": {**VOTE, "kind": "nullify"}},
]
CHANGES: list[dict[str, object]] = [
    {
        "type": "add_member",
        "name": "hospital",
        "account": ADDRESS,
        "validator_key": KEY,
        "network_key": KEY,
        "endpoint": "hospital.example:7000",
        "roles": ["sponsor"],
    },
    {"type": "remove_member", "account": ADDRESS},
    {"type": "rotate_validator_key", "account": ADDRESS, "validator_key": KEY},
    {"type": "rotate_network_key", "account": ADDRESS, "network_key": KEY},
    {"type": "set_endpoint", "account": ADDRESS, "endpoint": "[::1]:7000"},
    {
        "type": "add_full_node",
        "name": "library",
        "network_key": KEY,
        "endpoint": "library.example:7000",
    },
    {"type": "remove_full_node", "name": "library"},
    {"type": "recover_officers", "account": ADDRESS, "officer_keys": [KEY]},
    {"type": "set_parameters", "settings": [{"name": "delta_ms", "number": "300"}]},
]


def test_there_is_an_example_of_every_operation_and_change() -> None:
    assert {example["type"] for example in EXAMPLES} == set(OPERATION_TYPES)
    assert len({change["type"] for change in CHANGES}) == len(get_args(Change))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: str(example["type"]))
def test_every_operation_is_read_and_described_alike(example: dict[str, object]) -> None:
    (operation,) = parse_operations(json.dumps(example))
    assert type(operation) is OPERATION_TYPES[str(example["type"])]
    described = readable_operation(operation)
    assert parse_operations(json.dumps(described)) == (operation,)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: str(change["type"]))
def test_every_change_is_read_and_described_alike(change: dict[str, object]) -> None:
    (operation,) = parse_operations(json.dumps({"type": "propose_change", "change": change}))
    described = readable_operation(operation)
    assert described["change"]["type"] == change["type"]
    assert parse_operations(json.dumps(described)) == (operation,)


def test_a_change_of_no_kind_is_named() -> None:
    with pytest.raises(OperationTextError, match="no such type: add_membr") as caught:
        parse_operations('{"type": "propose_change", "change": {"type": "add_membr"}}')
    assert "operation 0 (propose_change).change" in caught.value.what


def test_values_become_what_the_ledger_holds() -> None:
    transfer, put, opened, bound, register, collection = (
        operation
        for name in (
            "transfer_token",
            "put_record",
            "open_account",
            "bind_identity",
            "register_document",
            "create_collection",
        )
        for operation in parse_operations(
            json.dumps(next(one for one in EXAMPLES if one["type"] == name))
        )
    )
    assert isinstance(transfer, TransferToken)
    assert transfer.to == bytes(range(20))
    assert isinstance(put, PutRecord)
    assert put.value == '{"a":"é","b":1}'.encode()
    assert isinstance(opened, OpenAccount)
    assert opened.controllers[0].public_key.hex() == KEY
    assert isinstance(bound, BindIdentity)
    assert bound.nullifiers[0].programme == "snow"
    assert isinstance(register, RegisterDocument)
    assert register.digest.hex() == KEY
    assert isinstance(collection, CreateCollection)
    assert json.loads(collection.schema) == SCHEMA


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "is not JSON"),
        ("[1]", "has no type"),
        (
            f'{{"type": "renew_identity", "account": "{ADDRESS}", "expires": "soon"}}',
            "Invalid isoformat",
        ),
        ('{"type": "transfer_tokens"}', "did you mean transfer_token"),
        ('{"type": "burn_token", "token": "coin"}', "lacks amount"),
        ('{"type": "burn_token", "token": "coin", "amout": 1}', "did you mean amount"),
        ('{"type": "burn_token", "token": "coin", "amount": 1.5}', "is not an integer"),
        ('{"type": "burn_token", "token": "coin", "amount": true}', "is not an integer"),
        ('{"type": "burn_token", "token": "coin", "amount": 0}', ">= 1"),
        ('{"type": "put_record", "collection": "c", "key": "k", "value": {"a": 0.5}}', "fraction"),
        ('{"type": "add_controller", "controller": 1}', "is not an object"),
    ],
)
def test_a_mistake_is_named(text: str, reason: str) -> None:
    with pytest.raises(OperationTextError, match=reason):
        parse_operations(text)


def test_an_address_with_a_typing_error_is_refused() -> None:
    text = json.dumps({"type": "freeze_account", "account": ADDRESS[:-1] + "q"})
    with pytest.raises(IdentifierError, match="typing error"):
        parse_operations(text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.sampled_from(EXAMPLES), st.data())
def test_any_value_in_any_field_is_read_or_named(
    example: dict[str, object], data: st.DataObject
) -> None:
    field = data.draw(st.sampled_from(sorted(example)))
    changed = {**example, field: data.draw(json_values)}
    with suppress(MoyaiError):
        parse_operations(json.dumps(changed))


def test_canonical_json_sorts_keys_and_joins_accents() -> None:
    assert canonical_json({"b": 1, "a": "e\u0301"}, what="value") == '{"a":"é","b":1}'.encode()
