"""Scenarios of one connection: opening, what each side says, and every way it ends."""

import asyncio
import socket
from collections import Counter
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from harness.peer_nodes import CHAIN_ID, GENESIS, City, Play, network_key, secret
from harness.wire_examples import EXAMPLES
from moyai.p2p import limits
from moyai.p2p.connection import (
    Clocks,
    Hello,
    Identity,
    Link,
    Opened,
    _decode_hello,
    open_incoming,
    open_outgoing,
)
from moyai.p2p.errors import FrameError, HandshakeError, MessageError, RemoteFault
from moyai.p2p.framing import FrameWriter
from moyai.p2p.handshake import Initiator, Responder
from moyai.p2p.messages import (
    KEEPALIVE,
    PAYLOAD_BYTES_MAX,
    MessageClass,
    WireMessage,
    encode_message,
)
from moyai.p2p.noise import CipherState
from moyai.p2p.peers import LinkOrigin
from moyai.p2p.pipe import Pipe
from moyai.p2p.queues import Outgoing, Queued
from moyai.primitives.codec import encode
from moyai.primitives.ids import NetworkKey, TimeMs

CLOCKS = Clocks(lambda: 0, lambda: TimeMs(5_000))
HELLO = Hello(1, TimeMs(5_000), "test")
BLOCK_REQUEST = EXAMPLES["block_request"]


async def two_pipes() -> tuple[Pipe, Pipe]:
    sockets = socket.socketpair()
    pipes = (Pipe(), Pipe())
    loop = asyncio.get_running_loop()
    for one, pipe in zip(sockets, pipes, strict=True):
        await loop.create_connection(lambda pipe=pipe: pipe, sock=one)  # type: ignore[misc]
    return pipes


def identity(number: int) -> Identity:
    return Identity(secret(number), chain_id=CHAIN_ID, genesis=GENESIS)


def a_responder(number: int = 2) -> Responder:
    def admit(_: NetworkKey) -> None:
        return

    return Responder(static=secret(number), prologue=identity(number).prologue, admit=admit)


async def opened(dialler: Pipe, acceptor: Pipe) -> tuple[Opened, Opened]:
    async with asyncio.TaskGroup() as tasks:
        accepting = tasks.create_task(open_incoming(acceptor, a_responder(), HELLO))
        ours = await open_outgoing(dialler, identity(1), network_key(2), HELLO)
    return ours, accepting.result()


def a_link(pipe: Pipe, end: Opened, drops: Counter[str] | None = None) -> Link:
    origin = LinkOrigin(network_key(1), 0)
    return Link(
        pipe, end, origin=origin, clocks=CLOCKS, drops=Counter() if drops is None else drops
    )


def test_both_sides_open_and_hear_each_other(play: Play) -> None:
    async def scenario(_: City) -> None:
        dialler, acceptor = await two_pipes()
        with dialler, acceptor:
            ours, theirs = await opened(dialler, acceptor)
            assert ours.hello == theirs.hello == HELLO
            assert theirs.channel.remote == network_key(1)

    play(scenario)


def test_an_identity_never_shows_its_secret() -> None:
    shown = repr(identity(1)) + str(identity(1))
    assert secret(1).private_bytes_raw().hex() not in shown


def handshake(hello: bytes) -> tuple[bytes, Initiator]:
    initiator = Initiator(
        static=secret(1),
        ephemeral=X25519PrivateKey.generate(),
        remote=network_key(2),
        prologue=identity(1).prologue,
    )
    first = initiator.first(hello)
    return len(first).to_bytes(2, "big") + first, initiator


@pytest.mark.parametrize(
    "hello",
    [
        b"",
        b"\x93\x00\x00\xa0",
        b"\x93\x01\x00\xa0\x00",
        b"\x92\x01\x00",
        b"\x93\x01\xcc\x00\xa0",
        b"\x93\x01\x00\xd9\x41" + b"x" * 65,
    ],
    ids=["nothing", "version 0", "a byte more", "a field less", "long number", "long name"],
)
def test_a_hello_of_another_form_ends_the_handshake(play: Play, hello: bytes) -> None:
    async def scenario(_: City) -> None:
        dialler, acceptor = await two_pipes()
        with dialler, acceptor:
            message, _initiator = handshake(hello)
            await dialler.write(message)
            with pytest.raises(HandshakeError, match="hello"):
                await open_incoming(acceptor, a_responder(), HELLO)

    play(scenario)


@given(st.binary(max_size=90) | st.binary(max_size=90).map(lambda rest: b"\x93\x01" + rest))
def test_a_hello_is_refused_or_is_the_one_form_of_what_it_says(data: bytes) -> None:
    try:
        hello = _decode_hello(data)
    except HandshakeError:
        return
    assert encode(hello) == data


def test_the_first_frame_must_be_an_empty_one_that_authenticates(play: Play) -> None:
    async def scenario(_: City) -> None:
        for kind, key_is_known, error in ((1, True, HandshakeError), (0, False, FrameError)):
            dialler, acceptor = await two_pipes()
            with dialler, acceptor:
                message, initiator = handshake(b"\x93\x01\x00\xa0")
                await dialler.write(message)
                async with asyncio.TaskGroup() as tasks:
                    accepting = tasks.create_task(refusal(acceptor))
                    length = int.from_bytes(await dialler.read_exactly(2), "big")
                    channel = initiator.finish(await dialler.read_exactly(length))
                    cipher = channel.sender if key_is_known else CipherState(bytes(32))
                    await dialler.write(FrameWriter(cipher, PAYLOAD_BYTES_MAX).seal(kind, b""))
                assert isinstance(accepting.result(), error)

    play(scenario)


async def refusal(pipe: Pipe) -> RemoteFault | None:
    try:
        await open_incoming(pipe, a_responder(), HELLO)
    except RemoteFault as fault:
        return fault
    return None


async def run_until_ended(
    link: Link, received: list[WireMessage], act: Callable[[], None]
) -> object:
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(link.run(lambda _, message: received.append(message)))
        act()
    return running.result()


def test_a_keepalive_is_no_message(play: Play) -> None:
    async def scenario(_: City) -> None:
        dialler, acceptor = await two_pipes()
        with dialler, acceptor:
            ours, theirs = await opened(dialler, acceptor)
            received: list[WireMessage] = []
            seal = FrameWriter(ours.channel.sender, PAYLOAD_BYTES_MAX).seal
            await dialler.write(seal(KEEPALIVE, b"") + seal(6, encode_message(BLOCK_REQUEST)))
            ended = await run_until_ended(a_link(acceptor, theirs), received, dialler_gone(dialler))
            assert received == [BLOCK_REQUEST]
            assert ended == "closed by the other side"

    play(scenario)


def dialler_gone(pipe: Pipe) -> Callable[[], None]:
    """End the other side in order, so that what it wrote still arrives."""

    def close() -> None:
        assert pipe._transport is not None
        pipe._transport.close()

    return close


@pytest.mark.parametrize(
    ("kind", "payload", "fault"),
    [(6, b"\x92\x06\xc0", MessageError), (30, b"\x92\x06\xc4\x00", MessageError)],
)
def test_a_fault_is_what_the_run_returns(
    play: Play, kind: int, payload: bytes, fault: type[Exception]
) -> None:
    async def scenario(_: City) -> None:
        dialler, acceptor = await two_pipes()
        with dialler, acceptor:
            ours, theirs = await opened(dialler, acceptor)
            await dialler.write(
                FrameWriter(ours.channel.sender, PAYLOAD_BYTES_MAX).seal(kind, payload)
            )
            ended = await run_until_ended(a_link(acceptor, theirs), [], lambda: None)
            assert isinstance(ended, fault)

    play(scenario)


def test_the_first_reason_to_close_is_the_one_told(play: Play) -> None:
    async def scenario(_: City) -> None:
        dialler, acceptor = await two_pipes()
        with dialler, acceptor:
            _, theirs = await opened(dialler, acceptor)
            link = a_link(acceptor, theirs)
            link.close("silent for too long")
            link.close("something else")
            assert await run_until_ended(link, [], lambda: None) == "silent for too long"

    play(scenario)


def test_a_peer_over_its_rate_is_read_more_slowly_not_cut(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "RECEIVE_BYTES_BURST", 1_000)
    monkeypatch.setattr(limits, "RECEIVE_BYTES_PER_S", 100_000)

    async def scenario(_: City) -> None:
        loop = asyncio.get_running_loop()
        clocks = Clocks(lambda: int(loop.time() * 1_000), lambda: TimeMs(0))
        dialler, acceptor = await two_pipes()
        with dialler, acceptor:
            ours, theirs = await opened(dialler, acceptor)
            link = a_link(acceptor, theirs, clocks)
            seal = FrameWriter(ours.channel.sender, PAYLOAD_BYTES_MAX).seal
            await dialler.write(b"".join(seal(KEEPALIVE, b"") for _ in range(300)))
            started_ms = clocks.mono_ms()
            received: list[WireMessage] = []
            await run_until_ended(link, received, dialler_gone(dialler))
            # 6,300 bytes, of which 1,000 are free and the rest come at 100 a millisecond.
            assert clocks.mono_ms() - started_ms >= 50

    play(scenario)


def test_a_peer_that_takes_nothing_off_the_wire_is_cut(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "STALLED_WRITE_MS_MAX", 30)

    async def scenario(_: City) -> None:
        dialler, acceptor = await two_pipes()
        with dialler, acceptor:
            _, theirs = await opened(dialler, acceptor)
            assert dialler._transport is not None
            dialler._transport.pause_reading()
            link = a_link(acceptor, theirs)
            batch = Outgoing(20, MessageClass.TRANSACTIONS, bytes(1 << 20))
            for _ in range(4):
                assert link.push(batch) is Queued.QUEUED
            assert "took nothing" in str(await run_until_ended(link, [], lambda: None))

    play(scenario)
