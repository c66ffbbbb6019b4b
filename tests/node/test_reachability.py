"""Scenarios of an address: something listens there, nothing does, or it is none."""

import socket

import pytest

from moyai.node.errors import ConfigError
from moyai.node.reachability import why_unreachable


def test_an_address_where_something_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert why_unreachable(f"127.0.0.1:{server.getsockname()[1]}") == ""


def test_an_address_where_nothing_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert "refused" in why_unreachable(f"127.0.0.1:{port}")


def test_what_is_no_address() -> None:
    with pytest.raises(ConfigError):
        why_unreachable("nowhere")
