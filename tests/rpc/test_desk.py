"""Requests and batches: in turns, under costs, within limits, whatever happens behind the door."""

import asyncio
import json
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from harness.rpc_city import RpcCity, rpc_city
from moyai.primitives.ids import Digest
from moyai.primitives.operations_documents import RegisterDocument
from moyai.primitives.transaction import parse_transaction
from moyai.rpc import desk as desk_module
from moyai.rpc.texts import base64_text


def document(number: int) -> RegisterDocument:
    return RegisterDocument(f"paper/{number}", Digest(bytes([number]) * 32), 10)


def call(number: Any, method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


async def batch(city: RpcCity, *calls: Any) -> Any:
    status, body = await city.post(json.dumps(calls).encode())
    assert status == 200, body
    return json.loads(body)


async def test_fifty_submits_are_one_list_for_the_node(city: RpcCity) -> None:
    raws = [city.sign(document(number)) for number in range(50)]
    answers = await batch(
        city,
        *(
            call(number, "tx_submit", transaction=base64_text(raw))
            for number, raw in enumerate(raws)
        ),
    )
    assert city.writes.lists == [50]
    assert [answer["id"] for answer in answers] == list(range(50))
    ids = [answer["result"]["id"] for answer in answers]
    assert ids == [parse_transaction(raw).id.hex() for raw in raws]
    assert {answer["result"]["status"] for answer in answers} == {"pending"}


async def test_each_call_of_a_batch_is_answered_for_itself(city: RpcCity) -> None:
    good = city.sign(document(1))
    answers = await batch(
        city,
        call(1, "tx_submit", transaction="!!!"),
        call(2, "tx_submit", transaction=base64_text(good)),
        call(3, "tx_submit", transaction=base64_text(b"nonsense")),
        call("four", "chain_head"),
        call(5, "no_such_method"),
        call(6, "tx_status", id=parse_transaction(good).id.hex()),
        7,
        {"id": 8},
        {"jsonrpc": "2.0", "method": "chain_head"},
    )
    told = {answer["id"]: answer for answer in answers}
    assert len(answers) == 8
    assert told[1]["error"]["data"]["code"] == "invalid_params"
    assert told[2]["result"]["status"] == "pending"
    assert told[3]["error"]["data"]["code"] == "bad_encoding"
    assert told["four"]["result"]["height"] == 0
    assert told[5]["error"]["code"] == -32601
    assert told[6]["result"]["status"] == "pending", "submits come before reads"
    assert told[None]["error"]["code"] == -32600
    assert told[8]["error"]["code"] == -32600
    assert city.writes.lists == [2]


@pytest.mark.parametrize("size", [0, 51])
async def test_a_batch_has_from_1_to_50_calls(city: RpcCity, size: int) -> None:
    status, body = await city.post(json.dumps([call(1, "chain_head")] * size).encode())
    assert status == 400
    assert json.loads(body)["error"]["data"]["code"] == "invalid_request"


@pytest.mark.parametrize("body", [b"", b"{", b'{"a":1,"a":1}', b"[" * 100_000, b"[NaN]"])
async def test_what_is_no_json_is_a_parse_error(city: RpcCity, body: bytes) -> None:
    status, answer = await city.post(body)
    assert status == 400
    assert json.loads(answer)["error"]["code"] == -32700


@pytest.mark.parametrize("body", [b"1", b'"x"', b"null", b"true", b"{}", b"[1]"])
async def test_json_that_is_no_request_is_told_so(city: RpcCity, body: bytes) -> None:
    _, answer = await city.post(body)
    told = json.loads(answer)
    error = (told[0] if isinstance(told, list) else told)["error"]
    assert error["code"] == -32600


async def test_notifications_are_done_and_not_answered(city: RpcCity) -> None:
    raw = city.sign(document(1))
    quiet = {
        "jsonrpc": "2.0",
        "method": "tx_submit",
        "params": {"transaction": base64_text(raw)},
    }
    status, body = await city.post(json.dumps(quiet).encode())
    assert (status, body) == (204, b"")
    status, body = await city.post(json.dumps([quiet, {**quiet, "method": "nothing"}]).encode())
    assert (status, body) == (204, b"")
    assert city.writes.lists == [1, 1]


async def test_a_client_that_asks_too_much_is_told_to_wait(tmp_path: Path) -> None:
    async with rpc_city(tmp_path, cost_per_second=10, cost_burst=100) as city:
        calls = [call(number, "chain_head") for number in range(50)]
        assert (await city.post(json.dumps(calls).encode()))[0] == 200
        status, body = await city.post(json.dumps(calls).encode())
        assert status == 429
        error = json.loads(body)["error"]
        assert error["data"]["code"] == "too_many_requests"
        assert error["data"]["retry_after_ms"] > 0


async def test_a_fault_of_ours_is_told_without_its_inside_and_costs_nobody_its_time(
    city: RpcCity, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> Any:
        raise RuntimeError("secret /path")

    city.queries.status = broken
    minutes = count(step=60_000)
    monkeypatch.setattr(city.queries, "mono_ms", lambda: next(minutes))
    answer = await city.raw_call("node_status")
    assert answer["error"]["code"] == -32603
    assert "secret" not in json.dumps(answer)
    assert answer["error"]["data"]["what"].startswith("reference ")
    assert (await city.call("chain_head"))["height"] == 0


async def test_a_fault_behind_a_submit_or_a_wait_is_told_too(
    city: RpcCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> Any:
        raise RuntimeError("secret")

    monkeypatch.setattr(city.writes, "submit", broken)
    monkeypatch.setattr(city.writes, "is_pending", broken)
    submitted = await city.refusal("tx_submit", transaction="AAAA")
    waited = await city.refusal("tx_wait", id="00" * 32, timeout_ms=0)
    assert submitted["code"] == waited["code"] == "internal_error"


async def test_a_request_that_takes_too_long_is_given_up(
    city: RpcCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_module, "REQUEST_SECONDS_MAX", 0.05)
    refusal = await city.refusal("tx_wait", id="00" * 32, timeout_ms=9_000)
    assert refusal["code"] == "deadline"
    assert len(city.server._waiting.waiters) == 0


async def test_an_answer_too_large_is_not_sent(
    city: RpcCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_module, "ANSWER_BYTES_MAX", 700)
    answers = await batch(city, *(call(number, "chain_head") for number in range(3)))
    assert "result" in answers[0]
    assert answers[2]["error"]["data"]["code"] == "answer_too_large"


async def test_a_long_read_lets_others_run_between_its_calls(
    city: RpcCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_module, "READ_SLICE_MS", 0)
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.get_running_loop().create_task(others())
    try:
        answers = await batch(city, *(call(number, "chain_head") for number in range(40)))
    finally:
        other.cancel()
    assert all(answer["result"]["height"] == 0 for answer in answers)
    assert turns > 40


async def test_the_waits_of_a_batch_wait_side_by_side(city: RpcCity) -> None:
    started = asyncio.get_running_loop().time()
    answers = await batch(
        city,
        *(call(number, "tx_wait", id=f"{number:064x}", timeout_ms=100) for number in range(20)),
    )
    assert {answer["result"]["status"] for answer in answers} == {"unknown"}
    assert asyncio.get_running_loop().time() - started < 1.5


async def test_calls_and_errors_are_counted(city: RpcCity) -> None:
    await city.call("chain_head")
    await city.refusal("chain_block", height=99)
    read = city.metrics.registry.get_sample_value
    assert read("moyai_rpc_calls_total", {"method": "chain_head"}) == 1
    assert read("moyai_rpc_errors_total", {"code": "not_found"}) == 1


async def test_a_read_far_dearer_than_its_price_is_charged_for_its_time(
    city: RpcCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_module, "OVERRUN_MS_FREE", -10_000)
    assert "height" in await city.call("chain_head")
    status, body = await city.post(json.dumps(call(1, "chain_head")).encode())
    assert json.loads(body)["error"]["data"]["code"] == "too_many_requests", (status, body)
