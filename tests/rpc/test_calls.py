"""One call: its envelope, its id, its parameters."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from moyai.rpc.calls import (
    call_id,
    convert_params,
    error_bytes,
    http_status,
    parse_call,
    result_bytes,
)
from moyai.rpc.errors import (
    InvalidParamsError,
    InvalidRequestError,
    NotFoundError,
    ParseFailedError,
)
from moyai.rpc.schema_events import EventsParams
from moyai.rpc.schema_transactions import WaitParams

GOOD: dict[str, Any] = {"jsonrpc": "2.0", "id": 1, "method": "chain_head", "params": {}}


def test_a_call_is_read() -> None:
    call = parse_call(GOOD)
    assert (call.id, call.method, call.params) == (1, "chain_head", {})
    assert parse_call({"jsonrpc": "2.0", "method": "x"}).id is UNSET
    assert parse_call({**GOOD, "id": None}).id is None
    assert parse_call({**GOOD, "id": "a"}).id == "a"


@pytest.mark.parametrize(
    "value",
    [
        None,
        1,
        "call",
        [],
        {},
        {**GOOD, "jsonrpc": "1.0"},
        {**GOOD, "jsonrpc": 2},
        {**GOOD, "method": 7},
        {**GOOD, "method": "x" * 65},
        {**GOOD, "params": [1]},
        {**GOOD, "params": None},
        {**GOOD, "id": True},
        {**GOOD, "id": [1]},
        {**GOOD, "id": "x" * 129},
        {**GOOD, "extra": 1},
    ],
)
def test_what_is_no_call_is_refused(value: object) -> None:
    with pytest.raises(InvalidRequestError):
        parse_call(value)


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists) | st.just(GOOD)
)
def test_any_value_is_a_call_or_refused(value: object) -> None:
    try:
        parse_call(value)
    except InvalidRequestError:
        assert call_id(value) in {None, 1}


def test_a_bad_call_is_answered_under_its_own_id_where_it_has_a_good_one() -> None:
    assert call_id({"id": 7}) == 7
    assert call_id({"id": [7]}) is None
    assert call_id({}) is None
    assert call_id("x") is None


@pytest.mark.parametrize(
    ("raw", "what"),
    [
        ({}, "params"),
        ({"id": 5}, "params.id"),
        ({"id": "xyz"}, "params.id"),
        ({"id": "00" * 32, "timeout_ms": -1}, "params.timeout_ms"),
        ({"id": "00" * 32, "timeout_ms": 10_000}, "params.timeout_ms"),
        ({"id": "00" * 32, "timeout_ms": True}, "params.timeout_ms"),
        ({"id": "00" * 32, "more": 1}, "params"),
    ],
)
def test_a_wrong_parameter_is_named(raw: dict[str, Any], what: str) -> None:
    with pytest.raises(InvalidParamsError) as refused:
        convert_params(raw, WaitParams)
    assert refused.value.what == what


def test_a_wrong_parameter_is_named_deep_inside() -> None:
    with pytest.raises(InvalidParamsError) as refused:
        convert_params({"filter": {"kinds": ["Bad Kind"]}}, EventsParams)
    assert refused.value.what.startswith("params.filter.kinds")


def test_answers_have_the_form_of_json_rpc() -> None:
    assert msgspec.json.decode(result_bytes(3, {"a": 1})) == {
        "jsonrpc": "2.0",
        "id": 3,
        "result": {"a": 1},
    }
    answer = msgspec.json.decode(error_bytes(None, NotFoundError("no", what="it", next="do")))
    assert answer["error"]["code"] == -32001
    assert answer["error"]["data"] == {
        "code": "not_found",
        "reason": "no",
        "what": "it",
        "next": "do",
    }


def test_only_errors_of_the_whole_request_have_a_status_of_http() -> None:
    assert http_status(NotFoundError("x")) == 200
    assert http_status(ParseFailedError("x")) == 400


def test_an_answer_too_large_is_not_sent() -> None:
    with pytest.raises(ValueError, match="too large"):
        result_bytes(1, "x" * 6_000_000)
