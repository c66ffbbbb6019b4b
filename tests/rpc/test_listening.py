"""Addresses that can be listened on, and those that cannot."""

import socket
from pathlib import Path

import pytest
from aiohttp.web_server import Server

from moyai.rpc.listening import (
    ListenError,
    listen_tcp,
    listen_unix,
    port_of,
    remove_socket,
    tls_context,
)


async def nothing(_request: object) -> None:
    raise AssertionError("nobody asks")


async def test_port_0_gives_any_free_port() -> None:
    listening = await listen_tcp(Server(nothing), "127.0.0.1:0", None)  # type: ignore[arg-type]
    assert port_of(listening) > 0
    listening.close()


async def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(ListenError, match="cannot be listened on"):
        await listen_tcp(Server(nothing), "192.0.2.1:1", None)  # type: ignore[arg-type]


async def test_a_socket_left_behind_is_replaced_and_a_living_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "admin.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    listening = await listen_unix(Server(nothing), str(path))  # type: ignore[arg-type]
    with pytest.raises(ListenError, match="another process"):
        await listen_unix(Server(nothing), str(path))  # type: ignore[arg-type]
    listening.close()
    remove_socket(str(path))
    remove_socket(str(path))
    assert not path.exists()


async def test_a_path_too_long_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ListenError):
        await listen_unix(Server(nothing), str(tmp_path / ("x" * 150)))  # type: ignore[arg-type]


def test_tls_needs_both_files_and_they_must_be_readable(tmp_path: Path) -> None:
    assert tls_context("", "") is None
    with pytest.raises(ListenError, match="one of the two is missing"):
        tls_context("cert.pem", "")
    bad = tmp_path / "bad.pem"
    bad.write_text("no certificate")
    for name in (str(bad), str(tmp_path / "missing.pem")):
        with pytest.raises(ListenError, match="cannot be read"):
            tls_context(name, name)
