"""What is refused before a body means anything, over sockets that send what no client would."""

import json
from hashlib import sha256
from pathlib import Path

import pytest

from harness.raw_http import Answer, exchange
from harness.rpc_city import RpcCity, rpc_city
from moyai.rpc.limits import REQUEST_BYTES_MAX

CALL = b'{"jsonrpc":"2.0","id":1,"method":"chain_head"}'
JSON = "Content-Type: application/json"


def request(
    city: RpcCity,
    *headers: str,
    body: bytes = CALL,
    line: str = "POST / HTTP/1.1",
    host: str | None = None,
) -> bytes:
    """Return a request with just these headers beside Host and the length of the body."""
    name = f"127.0.0.1:{city.server.port}" if host is None else host
    lines = [line, f"Host: {name}", *headers, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


async def send(city: RpcCity, *headers: str, **kind: str) -> Answer:
    return await exchange(city.server.port, request(city, *headers, **kind))  # type: ignore[arg-type]


def refused(answer: Answer, status: int) -> str:
    """Check that an answer refuses, says what to do and shows nothing of the inside."""
    assert answer.status == status, answer
    data = json.loads(answer.body)["error"]["data"]
    assert data["reason"]
    assert data["next"]
    for secret in (b"Traceback", b"/work", b".py"):
        assert secret not in answer.body
    return str(data["what"])


async def test_a_plain_call_is_answered(city: RpcCity) -> None:
    answer = await send(city, JSON)
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["server"] == "moyai"
    assert "set-cookie" not in answer.headers
    assert "access-control-allow-origin" not in answer.headers
    assert json.loads(answer.body)["result"]["height"] == 0


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST", "127.0.0.1", "[::1]"])
async def test_loopback_has_several_names(city: RpcCity, name: str) -> None:
    answer = await send(city, JSON, host=f"{name}:{city.server.port}")
    assert answer.status == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1", "localhost:1", "", "127.0.0.1.evil"]
)
async def test_another_host_is_refused_also_on_loopback(city: RpcCity, host: str) -> None:
    refused(await send(city, JSON, host=host), 421)


async def test_two_hosts_are_refused(city: RpcCity) -> None:
    answer = await send(city, JSON, "Host: evil.example")
    assert answer.status in {400, 421}


async def test_a_listed_host_is_served(tmp_path: Path) -> None:
    async with rpc_city(tmp_path, hosts=("rpc.example.jp",)) as city:
        assert (await send(city, JSON, host="RPC.example.jp")).status == 200
        refused(await send(city, JSON, host="rpc.example.jp:8545"), 421)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
async def test_a_foreign_page_is_refused(city: RpcCity, origin: str) -> None:
    refused(await send(city, JSON, f"Origin: {origin}"), 403)


async def test_the_node_s_own_page_and_a_listed_one_are_served(tmp_path: Path) -> None:
    page = "https://app.example.jp"
    async with rpc_city(tmp_path, origins=(page,)) as city:
        own = await send(city, JSON, f"Origin: http://127.0.0.1:{city.server.port}")
        assert own.status == 200
        assert "access-control-allow-origin" not in own.headers
        listed = await send(city, JSON, f"Origin: {page}")
        assert listed.status == 200
        assert listed.headers["access-control-allow-origin"] == page
        refused(await send(city, JSON, "Origin: https://app.example.jp.evil"), 403)


@pytest.mark.parametrize(
    "kind",
    [
        "Content-Type: text/plain",
        "Content-Type: application/x-www-form-urlencoded",
        "Content-Type: application/json; charset=utf-16",
        "Content-Type: application/jsonp",
        "X-Nothing: 1",
    ],
)
async def test_a_body_that_a_page_could_send_without_asking_is_refused(
    city: RpcCity, kind: str
) -> None:
    assert refused(await send(city, kind), 415) == "Content-Type"


async def test_utf_8_may_be_named(city: RpcCity) -> None:
    assert (await send(city, "Content-Type: application/json; charset=UTF-8")).status == 200


@pytest.mark.parametrize("encoding", ["gzip", "br", "identity"])
async def test_no_encoded_body_is_taken(city: RpcCity, encoding: str) -> None:
    answer = await send(city, JSON, f"Content-Encoding: {encoding}")
    assert refused(answer, 415) == "Content-Encoding"


async def test_a_body_too_large_is_refused_before_it_is_sent(city: RpcCity) -> None:
    head = request(city, JSON, body=b"").replace(
        b"Content-Length: 0", b"Content-Length: %d" % (REQUEST_BYTES_MAX + 1)
    )
    refused(await exchange(city.server.port, head), 413)


async def test_a_body_that_grows_too_large_in_chunks_is_refused(city: RpcCity) -> None:
    head = request(city, JSON, "Transfer-Encoding: chunked", body=b"").replace(
        b"Content-Length: 0\r\n", b""
    )
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    refused(await exchange(city.server.port, head + chunk * 17 + b"0\r\n\r\n"), 413)


async def test_a_body_of_the_full_size_is_read(city: RpcCity) -> None:
    body = CALL + b" " * (REQUEST_BYTES_MAX - len(CALL))
    answer = await exchange(city.server.port, request(city, JSON, body=body))
    assert json.loads(answer.body)["result"]["height"] == 0


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("GET / HTTP/1.1", 405),
        ("PUT / HTTP/1.1", 405),
        ("OPTIONS / HTTP/1.1", 405),
        ("POST /ws HTTP/1.1", 405),
        ("GET /ws HTTP/1.1", 426),
        ("POST /other HTTP/1.1", 404),
        ("POST /../etc/passwd HTTP/1.1", 404),
    ],
)
async def test_other_paths_and_methods_are_refused(city: RpcCity, line: str, status: int) -> None:
    refused(await send(city, JSON, line=line), status)


@pytest.mark.parametrize(
    "bad",
    [
        b"nonsense\r\n\r\n",
        b"POST / HTTP/9.9\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0",
        b"POST / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 20_000 + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + b"X: y\r\n" * 500 + b"\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 100,
        b"\x00" * 1_000,
    ],
)
async def test_what_is_no_http_ends_the_connection(city: RpcCity, bad: bytes) -> None:
    answer = await exchange(city.server.port, bad, allow_nothing=True)
    assert answer.status in {0, 400, 421}
    assert b"Traceback" not in answer.body
    assert (await send(city, JSON)).status == 200


async def test_only_who_has_a_key_may_submit_where_keys_were_given_out(tmp_path: Path) -> None:
    digest = sha256(b"open sesame").hexdigest()
    body = json.dumps(
        {"jsonrpc": "2.0", "id": 1, "method": "tx_submit", "params": {"transaction": "AAAA"}}
    ).encode()
    async with rpc_city(tmp_path, writer_key_digests=(digest,)) as city:
        for header in ("X: y", "Authorization: Bearer wrong", "Authorization: Basic open sesame"):
            answer = await exchange(city.server.port, request(city, JSON, header, body=body))
            assert json.loads(answer.body)["error"]["data"]["code"] == "unauthorized"
        good = request(city, JSON, "Authorization: Bearer open sesame", body=body)
        answer = await exchange(city.server.port, good)
        assert json.loads(answer.body)["error"]["data"]["code"] == "bad_encoding"
        assert (await send(city, JSON)).status == 200
