"""Whatever is asked, in whatever shape: a result or a typed error, never a fault of the node."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.proven_city import ACCOUNTS
from harness.rpc_city import RpcCity
from moyai.primitives.ids import Digest, format_account
from moyai.primitives.operations_documents import RegisterDocument
from moyai.primitives.operations_records import CreateCollection, PutRecord, Writers
from moyai.primitives.state_keys import series_key
from moyai.rpc.budget import Client
from moyai.rpc.cursors import BlockCursor, EventCursor, cursor_text
from moyai.rpc.desk import Caller
from moyai.rpc.discovery import openrpc
from moyai.rpc.settings import RpcConfig

CALLER = Caller(client=Client("anyone"), is_admin=True)
SCHEMA = (
    b'{"additionalProperties":false,"properties":{"depth":{"type":"integer"}},'
    b'"required":[],"type":"object"}'
)
METHODS = {
    method["name"]: [parameter["name"] for parameter in method["params"]]
    for method in openrpc()["methods"]
}
HALL = format_account(ACCOUNTS["city-hall"])


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RpcCity]:
    made = RpcCity(Path(tmp_path_factory.mktemp("any")) / "chain", RpcConfig())
    writers = Writers((), (), None)
    made.city.commit(
        made.sign(CreateCollection("wells", "井戸", "wells", SCHEMA, ("depth",), writers)),
        made.sign(PutRecord("wells", "w1", b'{"depth":3}')),
        made.sign(RegisterDocument("paper", Digest(bytes(32)), 1)),
    )
    made.city.commit()
    with made.city.store.snapshot() as snapshot:
        assert [receipt.code for receipt in snapshot.receipts(1)] == [0, 0, 0]
    yield made
    made.city.close()


leaves = (
    st.none()
    | st.booleans()
    | st.integers(-2, 5)
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
    | st.sampled_from(
        [
            "00" * 32,
            "ff",
            series_key("paper").hex(),
            HALL,
            "wells",
            "w1",
            "depth",
            "paper",
            "blocks",
            "ids",
            "2026-01-01T00:00:00Z",
            "9999-12-31T23:59:59+00:00",
            "0001-01-01T00:00:00+14:00",
            "AAAA",
            cursor_text(EventCursor(1, 0, 0)),
            cursor_text(EventCursor(2**53 - 1, 2**53 - 1, 0)),
            cursor_text(BlockCursor(1)),
        ]
    )
)
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["field", "eq", "ge", "le", "kinds", "accounts", "x"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


@st.composite
def calls(draw: st.DrawFn) -> dict[str, Any]:
    """A call with parameters under the right names and any values."""
    method = draw(st.sampled_from(sorted(METHODS)))
    names = [name for name in METHODS[method] if name not in {"wait_ms", "timeout_ms"}]
    chosen = {name: draw(values) for name in names if draw(st.booleans())}
    waits = {"tx_wait": {"timeout_ms": 0}}
    params = {**chosen, **waits.get(method, {})}
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


@given(st.lists(calls(), min_size=1, max_size=5))
def test_calls_with_any_parameters_get_an_answer(city: RpcCity, batch: list[Any]) -> None:
    answered = asyncio.run(city.server._desk.answer(msgspec.json.encode(batch), CALLER))
    assert answered.body is not None
    for answer in msgspec.json.decode(answered.body):
        error = answer.get("error")
        assert error is None or error["data"]["code"] != "internal_error", (batch, error)


@given(st.binary(max_size=300) | values.map(msgspec.json.encode))
def test_any_body_gets_an_answer(city: RpcCity, body: bytes) -> None:
    answered = asyncio.run(city.server._desk.answer(body, CALLER))
    if answered.body is not None:
        assert b"internal_error" not in answered.body


def test_every_single_good_call_is_answered(city: RpcCity) -> None:
    with city.city.store.snapshot() as snapshot:
        name = snapshot.transaction_ids(1)[0].hex()
    good: dict[str, dict[str, Any]] = {
        "tx_get": {"id": name},
        "chain_prove": {"transaction": name},
        "records_query": {"collection": "wells", "order_by": "depth"},
        "state_prove": {"key": series_key("paper").hex(), "history": True},
        "documents_get": {"series": "paper", "at": "9999-12-31T23:59:59+00:00"},
        "account_history": {"account": HALL},
    }
    for method, params in good.items():
        call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answered = asyncio.run(city.server._desk.answer(msgspec.json.encode(call), CALLER))
        assert answered.body is not None
        assert b'"result"' in answered.body, (method, answered.body)
