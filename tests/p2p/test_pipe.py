"""Scenarios of the byte pipe: what it holds, how it waits, how it ends."""

import asyncio
import socket

import pytest

from harness.peer_nodes import City, Play
from moyai.p2p import limits
from moyai.p2p.pipe import Pipe

SOME_TURNS = 50
"""Turns of the loop in which whatever is on the wire has arrived."""


async def a_pipe() -> tuple[Pipe, socket.socket]:
    """A pipe and the other end of its connection."""
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    pipe = Pipe()
    await asyncio.get_running_loop().create_connection(lambda: pipe, sock=ours)
    return pipe, theirs


def test_bytes_arrive_in_order_however_they_are_cut(play: Play) -> None:
    async def scenario(_: City) -> None:
        pipe, theirs = await a_pipe()
        loop = asyncio.get_running_loop()
        with pipe, theirs:
            await loop.sock_sendall(theirs, b"abc")
            assert await pipe.read_exactly(2) == b"ab"
            await loop.sock_sendall(theirs, b"def")
            assert await pipe.read_exactly(4) == b"cdef"

    play(scenario)


def test_a_stranger_makes_it_hold_one_kibibyte_and_no_more(play: Play) -> None:
    async def scenario(_: City) -> None:
        pipe, theirs = await a_pipe()
        loop = asyncio.get_running_loop()
        with pipe, theirs:
            sending = loop.sock_sendall(theirs, bytes(100_000))
            async with asyncio.TaskGroup() as tasks:
                sent = tasks.create_task(sending)
                assert len(await pipe.read_exactly(1)) == 1
                for _ in range(SOME_TURNS):
                    await asyncio.sleep(0)
                    assert len(pipe._held) <= 2 * limits.HANDSHAKE_BYTES_MAX
                pipe.widen()
                left = 100_000 - 1
                while left:
                    left -= len(await pipe.read())
                await sent

    play(scenario)


def test_what_came_before_the_end_is_still_read(play: Play) -> None:
    async def scenario(_: City) -> None:
        pipe, theirs = await a_pipe()
        with pipe:
            await asyncio.get_running_loop().sock_sendall(theirs, b"last words")
            theirs.close()
            for _ in range(SOME_TURNS):
                await asyncio.sleep(0)
            assert await pipe.read() == b"last words"
            assert await pipe.read() == b""
            with pytest.raises(ConnectionResetError):
                await pipe.read_exactly(1)
            with pytest.raises(ConnectionResetError):
                await pipe.write(b"too late")

    play(scenario)


def test_a_write_waits_while_the_other_side_takes_nothing(play: Play) -> None:
    async def scenario(_: City) -> None:
        pipe, theirs = await a_pipe()
        loop = asyncio.get_running_loop()
        with pipe, theirs:
            written = 0
            stuck = False
            while not stuck:
                try:
                    async with asyncio.timeout(0.05):
                        await pipe.write(bytes(limits.WRITE_BYTES))
                except TimeoutError:
                    stuck = True
                written += limits.WRITE_BYTES
            assert written < 16 * limits.MEBIBYTE
            while written:
                written -= len(await loop.sock_recv(theirs, 1 << 20))
            await pipe.write(b"again")
            assert await loop.sock_recv(theirs, 10) == b"again"

    play(scenario)


def test_an_aborted_pipe_forgets_what_it_held(play: Play) -> None:
    async def scenario(_: City) -> None:
        pipe, theirs = await a_pipe()
        with theirs:
            await asyncio.get_running_loop().sock_sendall(theirs, b"unread")
            assert await pipe.read_exactly(1) == b"u"
            pipe.abort()
            assert await pipe.read() == b""

    play(scenario)
