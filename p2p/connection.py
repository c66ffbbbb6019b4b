"""One connection: opening it by the handshake, then carrying messages both ways until it ends.

Not here: which connections exist and what their end means (`hub`).
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Annotated, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec import Meta

from moyai.p2p import limits
from moyai.p2p.errors import HandshakeError, RemoteFault
from moyai.p2p.framing import FRAME_OVERHEAD_BYTES, FrameReader, FrameWriter
from moyai.p2p.handshake import Channel, Initiator, Responder, prologue
from moyai.p2p.messages import (
    KEEPALIVE,
    PAYLOAD_BYTES_MAX,
    WireMessage,
    decode_message,
    signature_count,
    wire_type,
)
from moyai.p2p.noise import public_bytes
from moyai.p2p.peers import LinkOrigin
from moyai.p2p.pipe import Pipe
from moyai.p2p.queues import Outgoing, Queued, SendQueues
from moyai.p2p.rates import TokenBucket
from moyai.primitives.codec import Codec, encode
from moyai.primitives.errors import CodecError
from moyai.primitives.fields import TimeField
from moyai.primitives.ids import Digest, NetworkKey, TimeMs
from moyai.primitives.stages import Stage, StageClock

WIRE_VERSION: Final = 1
_LENGTH_BYTES: Final = 2


class Identity:
    """The network key of this node and the chain it speaks for; never shows the secret."""

    def __init__(self, secret: X25519PrivateKey, *, chain_id: str, genesis: Digest) -> None:
        self.secret = secret
        self.public = NetworkKey(public_bytes(secret))
        self.prologue = prologue(chain_id, genesis)


class Hello(msgspec.Struct, array_like=True, frozen=True):
    """What each side says inside the handshake; the clock is compared only to warn."""

    version: Annotated[int, Meta(ge=1, le=65_535)]
    wall_ms: TimeField
    software: Annotated[str, Meta(max_length=64)]


class Clocks(msgspec.Struct, frozen=True):
    """The monotonic clock for every deadline, the wall clock for the hello alone.

    `stages` takes the time that frames and messages cost.
    """

    mono_ms: Callable[[], int]
    wall_ms: Callable[[], TimeMs]
    stages: StageClock = msgspec.field(default_factory=StageClock)


class Opened(msgspec.Struct, frozen=True):
    """A finished handshake and what the other side said in it."""

    channel: Channel
    hello: Hello


_hello_codec = Codec(Hello, name="hello")


async def open_outgoing(pipe: Pipe, identity: Identity, remote: NetworkKey, hello: Hello) -> Opened:
    """Run the initiator's side, and confirm the channel by its first frame.

    Raises `HandshakeError`, or `ConnectionResetError`. The caller sets the deadline.
    """
    initiator = Initiator(
        static=identity.secret,
        ephemeral=X25519PrivateKey.generate(),
        remote=remote,
        prologue=identity.prologue,
    )
    await _write_message(pipe, initiator.first(encode(hello)))
    channel = initiator.finish(await _read_message(pipe))
    opened = Opened(channel, _decode_hello(channel.hello))
    await pipe.write(FrameWriter(channel.sender, PAYLOAD_BYTES_MAX).seal(KEEPALIVE, b""))
    pipe.widen()
    return opened


async def open_incoming(pipe: Pipe, responder: Responder, hello: Hello) -> Opened:
    """Run the responder's side; the initiator is believed once its first frame has come.

    Raises `HandshakeError`, `FrameError` or `ConnectionResetError`. The caller sets the deadline.
    """
    reply, channel = responder.answer(
        await _read_message(pipe), hello=encode(hello), ephemeral=X25519PrivateKey.generate()
    )
    opened = Opened(channel, _decode_hello(channel.hello))
    await _write_message(pipe, reply)
    reader = FrameReader(channel.receiver, PAYLOAD_BYTES_MAX)
    if reader.feed(await pipe.read_exactly(FRAME_OVERHEAD_BYTES)) != [(KEEPALIVE, b"")]:
        raise HandshakeError("the first frame is not the empty one", what="channel")
    pipe.widen()
    return opened


async def _write_message(pipe: Pipe, message: bytes) -> None:
    await pipe.write(len(message).to_bytes(_LENGTH_BYTES, "big") + message)


async def _read_message(pipe: Pipe) -> bytes:
    length = int.from_bytes(await pipe.read_exactly(_LENGTH_BYTES), "big")
    if length > limits.HANDSHAKE_BYTES_MAX - _LENGTH_BYTES:
        raise HandshakeError(
            f"it announces {length} bytes of the {limits.HANDSHAKE_BYTES_MAX - 2} allowed",
            what="handshake message",
        )
    return await pipe.read_exactly(length)


def _decode_hello(data: bytes) -> Hello:
    try:
        return _hello_codec.decode(data)
    except CodecError as error:
        raise HandshakeError(error.reason, what="hello") from None


class Link:
    """An authenticated connection to one peer."""

    def __init__(
        self,
        pipe: Pipe,
        opened: Opened,
        *,
        origin: LinkOrigin,
        clocks: Clocks,
        drops: Counter[str],
    ) -> None:
        now_ms = clocks.mono_ms()
        self.remote = opened.channel.remote
        self.hello = opened.hello
        self.clock_ahead_ms = opened.hello.wall_ms - clocks.wall_ms()
        self.origin = origin
        self.queues = SendQueues(drops)
        self.received_ms = now_ms
        self.sent_ms = now_ms
        self._mono_ms = clocks.mono_ms
        self._stages = clocks.stages
        self._drops = drops
        self._pipe = pipe
        self._reader = FrameReader(opened.channel.receiver, PAYLOAD_BYTES_MAX)
        self._writer = FrameWriter(opened.channel.sender, PAYLOAD_BYTES_MAX)
        self._wake = asyncio.Event()
        self._close_reason = ""
        self._byte_rate = TokenBucket(
            limits.RECEIVE_BYTES_PER_S, limits.RECEIVE_BYTES_BURST, now_ms
        )
        self._signature_rate = TokenBucket(limits.SIGNATURES_PER_S, limits.SIGNATURES_BURST, now_ms)
        self._request_rate = TokenBucket(limits.REQUESTS_PER_S, limits.REQUESTS_BURST, now_ms)

    def push(self, message: Outgoing) -> Queued:
        """Queue a message; a peer too slow for what cannot be dropped is cut."""
        outcome = self.queues.push(message)
        if outcome is Queued.CUT:
            self.close("too slow: its queues are full")
        else:
            self._wake.set()
        return outcome

    def close(self, reason: str) -> None:
        """End the connection; `run` returns soon. The first reason given stays."""
        self._close_reason = self._close_reason or reason
        self._pipe.abort()

    async def run(self, deliver: Callable[["Link", WireMessage], None]) -> RemoteFault | str:
        """Carry messages until the connection ends; return the peer's fault, or another reason."""
        async with asyncio.TaskGroup() as tasks:
            writing = tasks.create_task(self._write())
            try:
                fault = await self._read(deliver)
            finally:
                self._pipe.abort()
                writing.cancel()
        return fault or self._close_reason or "closed by the other side"

    async def _read(self, deliver: Callable[["Link", WireMessage], None]) -> RemoteFault | None:
        while data := await self._pipe.read():
            now_ms = self.received_ms = self._mono_ms()
            try:
                with self._stages.at(Stage.FRAMES):
                    frames = self._reader.feed(data)
                with self._stages.at(Stage.DECODE):
                    signatures = self._deliver(frames, deliver, now_ms)
            except RemoteFault as fault:
                return fault
            if self._close_reason:
                return None
            await self._hold(len(data), signatures, now_ms)
        return None

    def _deliver(
        self,
        frames: Sequence[tuple[int, bytes]],
        deliver: Callable[["Link", WireMessage], None],
        now_ms: int,
    ) -> int:
        """Hand on what frames say; return how many signatures have to be checked for it."""
        signatures = 0
        for kind, payload in frames:
            if kind == KEEPALIVE:
                continue
            message = decode_message(kind, payload)
            signatures += signature_count(message)
            if wire_type(message).is_request and not self._request_rate.take(1, now_ms):
                self._drops["received_request"] += 1
                continue
            deliver(self, message)
            if self._close_reason:
                break
        return signatures

    async def _hold(self, size: int, signatures: int, now_ms: int) -> None:
        """Leave the peer unread for as long as it is over its rates: the network slows it down."""
        over_ms = max(
            self._byte_rate.owe(size, now_ms), self._signature_rate.owe(signatures, now_ms)
        )
        if over_ms:
            await asyncio.sleep(over_ms / 1_000)

    async def _write(self) -> None:
        seal = self._writer.seal
        while not self._pipe.ended:
            await self._wake.wait()
            self._wake.clear()
            while batch := self.queues.take(limits.WRITE_BYTES):
                with self._stages.at(Stage.FRAMES):
                    frames = b"".join([seal(message.kind, message.payload) for message in batch])
                self.sent_ms = self._mono_ms()
                try:
                    if self._pipe.put(frames):
                        continue
                    async with asyncio.timeout(limits.STALLED_WRITE_MS_MAX / 1_000):
                        await self._pipe.drain()
                except TimeoutError:
                    self.close("too slow: it took nothing off the wire")
                    return
                except ConnectionError:
                    return
