"""How many connections there may be, and how long a request may take to arrive."""

import asyncio
from pathlib import Path

import pytest

from harness.raw_http import exchange, read_answer
from harness.rpc_city import RpcCity, rpc_city, turns_until
from moyai.rpc import connections
from moyai.rpc.connections import Gate, c_parser_is_active, client_of_transport

CALL = b'{"jsonrpc":"2.0","id":1,"method":"chain_head"}'


def request(city: RpcCity, body: bytes = CALL) -> bytes:
    head = (
        f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{city.server.port}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(CALL)}\r\n\r\n"
    )
    return head.encode() + body


def test_the_fast_parser_is_the_one_in_use() -> None:
    assert c_parser_is_active()


def test_a_gate_counts_in_all_and_by_client() -> None:
    gate = Gate(in_all=3, per_client=2)
    assert [gate.enter("a"), gate.enter("a"), gate.enter("a")] == [True, True, False]
    assert [gate.enter("b"), gate.enter("c")] == [True, False]
    assert gate.count == 3
    gate.leave("a")
    assert gate.enter("c")
    for client in ("a", "b", "c"):
        gate.leave(client)
    assert gate.count == 0
    assert not gate._open


def test_without_an_address_a_client_is_local() -> None:
    assert client_of_transport(None) == "local"


async def test_a_connection_too_many_is_closed_and_the_others_live(tmp_path: Path) -> None:
    async with rpc_city(tmp_path, connections_per_address_max=3) as city:
        port = city.server.port
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        await turns_until(lambda: city.server._gate.count == 3)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await exchange(port, request(city))
        reader, writer = held[0]
        writer.write(request(city))
        assert (await read_answer(reader)).status == 200
        for _, one in held:
            one.close()
        await turns_until(lambda: city.server._gate.count == 0)
        assert (await exchange(port, request(city))).status == 200
        refused = city.metrics.registry.get_sample_value
        assert refused("moyai_rpc_refused_total", {"reason": "connections"}) == 1


async def test_a_request_that_trickles_in_is_cut(
    city: RpcCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "REQUEST_SECONDS_MAX", 0.1)
    reader, writer = await asyncio.open_connection("127.0.0.1", city.server.port)
    writer.write(request(city)[:30])
    async with asyncio.timeout(5):
        assert await reader.read() == b""
    writer.close()


async def test_a_connection_serves_one_request_after_the_other(city: RpcCity) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", city.server.port)
    for _ in range(5):
        writer.write(request(city))
        assert (await read_answer(reader)).status == 200
    writer.write(request(city) * 3)
    for _ in range(3):
        assert (await read_answer(reader)).status == 200
    writer.close()


async def test_an_idle_connection_is_closed_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "KEEP_ALIVE_SECONDS_MAX", 0.1)
    async with rpc_city(tmp_path) as city:
        reader, writer = await asyncio.open_connection("127.0.0.1", city.server.port)
        writer.write(request(city))
        assert (await read_answer(reader)).status == 200
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        writer.close()


async def test_a_connection_that_says_nothing_is_closed_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "KEEP_ALIVE_SECONDS_MAX", 0.1)
    async with rpc_city(tmp_path) as city:
        reader, writer = await asyncio.open_connection("127.0.0.1", city.server.port)
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        writer.close()


async def test_half_a_body_and_a_hangup_stop_nothing(city: RpcCity) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", city.server.port)
    writer.write(request(city, CALL[:10]))
    await writer.drain()
    writer.close()
    assert (await exchange(city.server.port, request(city))).status == 200
