"""Scenarios over sockets are played on both event loops that a node may run on."""

import asyncio

import pytest
import uvloop

from harness.peer_nodes import Play, player


@pytest.fixture(params=["asyncio", "uvloop"])
def play(request: pytest.FixtureRequest) -> Play:
    return player(uvloop.new_event_loop if request.param == "uvloop" else asyncio.SelectorEventLoop)
