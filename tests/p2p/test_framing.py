"""Scenarios of frames: any cut of the stream gives the same frames, any change ends it."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from moyai.p2p.errors import FrameError, LinkError
from moyai.p2p.framing import FRAME_OVERHEAD_BYTES, HEAD, UNKNOWN_TYPE, FrameReader, FrameWriter
from moyai.p2p.handshake import Initiator, Responder, prologue
from moyai.p2p.messages import PAYLOAD_BYTES_MAX
from moyai.p2p.noise import TAG_BYTES, CipherState, public_bytes
from moyai.primitives.ids import Digest, NetworkKey

VECTORS = Path(__file__).parents[1] / "vectors"
KEY = bytes(range(32))
CAPS = [64, 1_024, *[UNKNOWN_TYPE] * 254]


def a_pair() -> tuple[FrameWriter, FrameReader]:
    return FrameWriter(CipherState(KEY), CAPS), FrameReader(CipherState(KEY), CAPS)


FRAMES = st.lists(
    st.tuples(st.just(0), st.binary(max_size=64))
    | st.tuples(st.just(1), st.binary(max_size=1_024)),
    max_size=12,
)


@given(FRAMES, st.data())
def test_however_the_stream_is_cut_the_frames_are_the_same(
    frames: list[tuple[int, bytes]], data: st.DataObject
) -> None:
    writer, reader = a_pair()
    stream = b"".join(writer.seal(kind, payload) for kind, payload in frames)
    got: list[tuple[int, bytes]] = []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        got += reader.feed(stream[:size])
        stream = stream[size:]
    assert got == frames


@given(FRAMES.filter(bool), st.data())
def test_any_changed_bit_ends_the_stream_there(
    frames: list[tuple[int, bytes]], data: st.DataObject
) -> None:
    writer, reader = a_pair()
    stream = bytearray(b"".join(writer.seal(kind, payload) for kind, payload in frames))
    place = data.draw(st.integers(0, 8 * len(stream) - 1))
    stream[place // 8] ^= 1 << place % 8
    try:
        # A longer length is noticed only when the stream goes on.
        got = reader.feed(bytes(stream)) + reader.feed(bytes(2_048))
    except FrameError:
        return
    pytest.fail(f"{len(got)} frames were read from a changed stream")


def test_a_frame_of_four_gibibytes_is_refused_by_its_head() -> None:
    _, reader = a_pair()
    with pytest.raises(FrameError, match="4294967295 bytes"):
        reader.feed(HEAD.pack(2**32 - 1, 1))


@pytest.mark.parametrize("length", [0, TAG_BYTES - 1, 1_024 + TAG_BYTES + 1])
def test_a_length_outside_the_cap_of_its_type_is_refused_by_its_head(length: int) -> None:
    _, reader = a_pair()
    with pytest.raises(FrameError, match="bytes"):
        reader.feed(HEAD.pack(length, 1))


def test_the_caps_themselves_pass() -> None:
    writer, reader = a_pair()
    assert reader.feed(writer.seal(0, b"")) == [(0, b"")]
    assert reader.feed(writer.seal(1, bytes(1_024))) == [(1, bytes(1_024))]


def test_an_unknown_type_is_refused_by_its_head() -> None:
    _, reader = a_pair()
    with pytest.raises(FrameError, match="unknown type"):
        reader.feed(HEAD.pack(TAG_BYTES, 2))


def test_a_frame_cannot_pass_for_one_of_another_type() -> None:
    writer, reader = a_pair()
    sealed = bytearray(writer.seal(1, b"short"))
    sealed[4] = 0
    with pytest.raises(FrameError, match="authenticate"):
        reader.feed(bytes(sealed))


def test_our_own_oversized_message_is_our_own_error() -> None:
    writer, _ = a_pair()
    with pytest.raises(LinkError, match="over the cap"):
        writer.seal(0, bytes(65))


def test_a_frame_costs_what_the_documents_say() -> None:
    writer, _ = a_pair()
    assert len(writer.seal(1, bytes(100))) == 100 + FRAME_OVERHEAD_BYTES == 121


def test_a_whole_session_is_pinned() -> None:
    session = json.loads((VECTORS / "wire_session.json").read_text())
    key = {name: bytes.fromhex(text) for name, text in session["keys"].items()}
    said = prologue(session["chain_id"], Digest(bytes.fromhex(session["genesis"])))
    secret = X25519PrivateKey.from_private_bytes
    responder_static = secret(key["responder_static"])
    initiator = Initiator(
        static=secret(key["initiator_static"]),
        ephemeral=secret(key["initiator_ephemeral"]),
        remote=NetworkKey(public_bytes(responder_static)),
        prologue=said,
    )
    hello = bytes.fromhex(session["hello"])
    first = initiator.first(hello)
    reply, theirs = Responder(static=responder_static, prologue=said, admit=lambda _: None).answer(
        first, hello=hello, ephemeral=secret(key["responder_ephemeral"])
    )
    ours = initiator.finish(reply)
    assert [first.hex(), reply.hex()] == session["handshake"]
    for channel, frames in ((ours, session["to_responder"]), (theirs, session["to_initiator"])):
        writer = FrameWriter(channel.sender, PAYLOAD_BYTES_MAX)
        for frame in frames:
            sealed = writer.seal(frame["type"], bytes.fromhex(frame["payload"]))
            assert sealed.hex() == frame["bytes"]
