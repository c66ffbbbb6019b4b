"""The door as a whole: starts, stops, and answers under its limits."""

import asyncio
import json
import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from harness.raw_http import exchange
from harness.rpc_city import RpcCity, rpc_city, status, turns_until
from harness.unix_http import unix_call
from moyai.primitives.ids import Digest
from moyai.primitives.operations_documents import RegisterDocument
from moyai.rpc import server
from moyai.rpc.listening import ListenError
from moyai.rpc.server import RpcServer
from moyai.rpc.settings import RpcConfig


def write_certificate(certificate: Path, key: Path) -> None:
    """Write a certificate of 127.0.0.1 that vouches for itself."""
    secret = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(secret.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(secret, hashes.SHA256())
    )
    certificate.write_bytes(made.public_bytes(Encoding.PEM))
    key.write_bytes(secret.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


async def test_health_pages_answer_with_words(city: RpcCity) -> None:
    assert city.http is not None
    async with city.http.get(f"{city.url}/health/live") as answer:
        assert (answer.status, await answer.json()) == (200, {"live": True})
    async with city.http.get(f"{city.url}/health/ready") as answer:
        assert answer.status == 200
    city.status = status(is_ready=False)
    async with city.http.get(f"{city.url}/health/ready") as answer:
        assert answer.status == 503
        assert (await answer.json())["summary"] == "quorum 3/4, missing hospital"


async def test_a_body_that_does_not_arrive_is_refused(
    city: RpcCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "REQUEST_SECONDS_MAX", 0.1)
    head = (
        f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{city.server.port}\r\n"
        "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    )
    answer = await exchange(city.server.port, head.encode())
    assert answer.status == 408
    assert json.loads(answer.body)["error"]["data"]["code"] == "deadline"


async def test_a_stopped_door_leaves_nobody_waiting(tmp_path: Path) -> None:
    async with rpc_city(tmp_path) as city:
        task = asyncio.get_running_loop().create_task(
            city.raw_call("tx_wait", id="00" * 32, timeout_ms=9_000)
        )
        await turns_until(lambda: len(city.server._waiting.waiters) == 1)
        assert city.http is not None
        async with city.http.ws_connect(f"{city.url}/ws") as socket:
            await socket.send_json({"jsonrpc": "2.0", "id": 1, "method": "chain_head"})
            await socket.receive()
            started = asyncio.get_running_loop().time()
            await city.server.stop()
            assert asyncio.get_running_loop().time() - started < 1.5
            message = await socket.receive()
            assert message.type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED}
        assert (await task)["result"]["status"] == "unknown"


async def test_a_port_in_use_is_named(city: RpcCity) -> None:
    config = RpcConfig(listen=f"127.0.0.1:{city.server.port}")
    with pytest.raises(ListenError) as refused:
        await RpcServer(city.queries, config, city.metrics).start()
    assert str(city.server.port) in refused.value.what
    assert refused.value.next


async def test_the_operator_s_socket_is_for_the_node_s_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "admin.sock"
    async with rpc_city(tmp_path, admin_socket=str(path)):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert (await unix_call(str(path), "node_health"))["result"]["ready"] is True
    assert not path.exists()


async def test_with_a_certificate_the_door_speaks_tls(tmp_path: Path) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    write_certificate(certificate, key)
    context = ssl.create_default_context(cafile=certificate)
    context.check_hostname = False
    files = {"tls_certificate": str(certificate), "tls_key": str(key)}
    async with rpc_city(tmp_path, **files) as city:
        assert city.http is not None
        call = {"jsonrpc": "2.0", "id": 1, "method": "chain_head"}
        url = f"https://127.0.0.1:{city.server.port}"
        async with city.http.post(url, json=call, ssl=context) as answer:
            assert (await answer.json())["result"]["height"] == 0
        assert (
            await exchange(city.server.port, b"GET / HTTP/1.1\r\n\r\n", allow_nothing=True)
        ).status == 0


async def test_committed_blocks_wake_only_those_above_the_last_told(city: RpcCity) -> None:
    raw = city.sign(RegisterDocument("a", Digest(bytes(32)), 1))
    city.city.commit(raw)
    city.city.commit()
    city.server.committed(city.city.tip.height)
    assert city.server._told == 2
