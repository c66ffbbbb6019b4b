"""Scenarios of the handshake: published vectors, a second implementation, every wrong message."""

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from noise.connection import Keypair, NoiseConnection  # type: ignore[import-untyped]

from harness.peer_nodes import CHAIN_ID, GENESIS, network_key, secret
from moyai.p2p.errors import (
    HandshakeError,
    ReplayError,
    UnknownPeerError,
    WeakKeyError,
)
from moyai.p2p.handshake import (
    FIRST_BYTES_MIN,
    SECOND_BYTES_MIN,
    Channel,
    Initiator,
    Responder,
    prologue,
)
from moyai.p2p.limits import HANDSHAKE_BYTES_MAX, REPLAYS_REMEMBERED_MAX
from moyai.p2p.noise import PROTOCOL_NAME
from moyai.primitives.ids import Digest, NetworkKey

VECTORS = json.loads(
    (Path(__file__).parents[1] / "vectors" / "noise_ik_25519_chachapoly_sha256.json").read_text()
)["vectors"]
PROLOGUE = prologue(CHAIN_ID, GENESIS)


def anybody(_key: NetworkKey) -> None:
    """Admit every key."""


def nobody(key: NetworkKey) -> None:
    raise UnknownPeerError("not in the registry", what=key.hex())


def key_of(text: str) -> X25519PrivateKey:
    return X25519PrivateKey.from_private_bytes(bytes.fromhex(text))


def an_initiator(
    *, number: int = 1, remote: int = 2, ephemeral: int = 11, said: bytes = PROLOGUE
) -> Initiator:
    return Initiator(
        static=secret(number),
        ephemeral=secret(ephemeral),
        remote=network_key(remote),
        prologue=said,
    )


def a_responder(*, number: int = 2, said: bytes = PROLOGUE) -> Responder:
    return Responder(static=secret(number), prologue=said, admit=anybody)


def shake() -> tuple[Channel, Channel]:
    initiator = an_initiator()
    reply, theirs = a_responder().answer(
        initiator.first(b"hello"), hello=b"welcome", ephemeral=secret(12)
    )
    return initiator.finish(reply), theirs


@pytest.mark.parametrize("vector", VECTORS)
def test_every_byte_is_that_of_the_published_vectors(vector: dict[str, Any]) -> None:
    payloads = [bytes.fromhex(message["payload"]) for message in vector["messages"]]
    ciphertexts = [bytes.fromhex(message["ciphertext"]) for message in vector["messages"]]
    initiator = Initiator(
        static=key_of(vector["init_static"]),
        ephemeral=key_of(vector["init_ephemeral"]),
        remote=NetworkKey(bytes.fromhex(vector["init_remote_static"])),
        prologue=bytes.fromhex(vector["init_prologue"]),
    )
    responder = Responder(
        static=key_of(vector["resp_static"]),
        prologue=bytes.fromhex(vector["resp_prologue"]),
        admit=anybody,
    )
    first = initiator.first(payloads[0])
    assert first == ciphertexts[0]
    reply, theirs = responder.answer(
        first, hello=payloads[1], ephemeral=key_of(vector["resp_ephemeral"])
    )
    assert reply == ciphertexts[1]
    ours = initiator.finish(reply)
    assert (theirs.hello, ours.hello) == (payloads[0], payloads[1])
    assert ours.transcript == theirs.transcript
    assert ours.transcript.hex() == vector.get("handshake_hash", ours.transcript.hex())
    for number, payload in enumerate(payloads[2:]):
        # The vectors let the two sides speak in turn, the initiator first.
        sender, receiver = (ours, theirs) if number % 2 == 0 else (theirs, ours)
        sealed = sender.sender.encrypt(b"", payload)
        assert sealed == ciphertexts[number + 2]
        assert receiver.receiver.decrypt(b"", sealed) == payload


def other_implementation(number: int) -> NoiseConnection:
    other = NoiseConnection.from_name(PROTOCOL_NAME)
    other.set_prologue(PROLOGUE)
    other.set_keypair_from_private_bytes(Keypair.STATIC, bytes([number]) * 32)
    return other


@given(st.binary(max_size=200), st.binary(max_size=200), st.lists(st.binary(max_size=100)))
def test_another_implementation_answers_us(hello: bytes, welcome: bytes, sent: list[bytes]) -> None:
    other = other_implementation(2)
    other.set_as_responder()
    other.start_handshake()
    initiator = an_initiator()
    assert other.read_message(initiator.first(hello)) == hello
    channel = initiator.finish(bytes(other.write_message(welcome)))
    assert channel.hello == welcome
    assert channel.transcript == other.get_handshake_hash()
    for payload in sent:
        assert other.decrypt(channel.sender.encrypt(b"", payload)) == payload
        assert channel.receiver.decrypt(b"", other.encrypt(payload)) == payload


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_we_answer_another_implementation(hello: bytes, welcome: bytes) -> None:
    other = other_implementation(1)
    other.set_keypair_from_public_bytes(Keypair.REMOTE_STATIC, network_key(2))
    other.set_as_initiator()
    other.start_handshake()
    reply, channel = a_responder().answer(
        bytes(other.write_message(hello)), hello=welcome, ephemeral=secret(12)
    )
    assert other.read_message(reply) == welcome
    assert (channel.remote, channel.hello) == (network_key(1), hello)
    assert other.decrypt(channel.sender.encrypt(b"", b"text")) == b"text"


def test_both_sides_know_each_other_and_what_was_said() -> None:
    ours, theirs = shake()
    assert (ours.remote, theirs.remote) == (network_key(2), network_key(1))
    assert (ours.hello, theirs.hello) == (b"welcome", b"hello")
    assert ours.transcript == theirs.transcript


def test_the_registry_is_asked_before_anything_else_is_done() -> None:
    responder = Responder(static=secret(2), prologue=PROLOGUE, admit=nobody)
    # The message is cut inside the hello: an admitted initiator would fail there, not before.
    message = an_initiator().first(b"hello")
    with pytest.raises(UnknownPeerError):
        responder.answer(message[:-1] + bytes([message[-1] ^ 1]), hello=b"", ephemeral=secret(12))


@pytest.mark.parametrize(
    "said", [prologue("other-city", GENESIS), prologue(CHAIN_ID, Digest(bytes(32))), b"moyai/2"]
)
def test_another_chain_another_genesis_or_another_version_ends_it(said: bytes) -> None:
    message = an_initiator(said=said).first(b"")
    with pytest.raises(HandshakeError, match="another chain"):
        a_responder().answer(message, hello=b"", ephemeral=secret(12))


def test_a_message_for_another_node_ends_it() -> None:
    with pytest.raises(HandshakeError, match="does not authenticate"):
        a_responder().answer(an_initiator(remote=3).first(b""), hello=b"", ephemeral=secret(12))


def test_a_replayed_first_message_is_answered_once() -> None:
    responder = a_responder()
    message = an_initiator().first(b"")
    responder.answer(message, hello=b"", ephemeral=secret(12))
    with pytest.raises(ReplayError):
        responder.answer(message, hello=b"", ephemeral=secret(13))


def test_a_replay_that_is_no_longer_remembered_leads_to_no_channel() -> None:
    responder = a_responder()
    message = an_initiator().first(b"")
    responder.answer(message, hello=b"", ephemeral=secret(12))
    for number in range(REPLAYS_REMEMBERED_MAX):
        responder._remember(number.to_bytes(32, "big"))
    _, first = responder.answer(message, hello=b"", ephemeral=secret(13))
    _, second = a_responder().answer(message, hello=b"", ephemeral=secret(14))
    # Whoever replays it lacks the ephemeral key, and every answer opens another channel.
    assert first.transcript != second.transcript
    assert len(responder._answered) == REPLAYS_REMEMBERED_MAX


def test_a_first_message_reflected_to_its_sender_ends_it() -> None:
    message = an_initiator().first(b"")
    with pytest.raises(HandshakeError):
        a_responder(number=1).answer(message, hello=b"", ephemeral=secret(12))
    initiator = an_initiator()
    with pytest.raises(ReplayError, match="reflected"):
        initiator.finish(initiator.first(b""))


def test_a_node_that_dials_itself_is_told_so() -> None:
    message = an_initiator(number=2, remote=2).first(b"")
    with pytest.raises(ReplayError, match="itself"):
        a_responder().answer(message, hello=b"", ephemeral=secret(12))


@pytest.mark.parametrize("length", [0, 1, FIRST_BYTES_MIN - 1, HANDSHAKE_BYTES_MAX + 1, 70_000])
def test_a_first_message_of_a_wrong_length_ends_it(length: int) -> None:
    with pytest.raises(HandshakeError, match="bytes"):
        a_responder().answer(bytes(length), hello=b"", ephemeral=secret(12))


@pytest.mark.parametrize("length", [0, SECOND_BYTES_MIN - 1, HANDSHAKE_BYTES_MAX + 1])
def test_a_second_message_of_a_wrong_length_ends_it(length: int) -> None:
    initiator = an_initiator()
    initiator.first(b"")
    with pytest.raises(HandshakeError, match="bytes"):
        initiator.finish(bytes(length))


def test_x15_a_null_key_ends_it_on_either_side() -> None:
    with pytest.raises(WeakKeyError):
        a_responder().answer(bytes(FIRST_BYTES_MIN), hello=b"", ephemeral=secret(12))
    initiator = an_initiator()
    initiator.first(b"")
    with pytest.raises(WeakKeyError):
        initiator.finish(bytes(SECOND_BYTES_MIN))


@given(st.integers(0, 8 * (FIRST_BYTES_MIN + 5) - 1))
def test_no_changed_bit_of_the_first_message_passes(place: int) -> None:
    message = bytearray(an_initiator().first(b"hello"))
    message[place // 8] ^= 1 << place % 8
    with pytest.raises(HandshakeError):
        a_responder().answer(bytes(message), hello=b"", ephemeral=secret(12))


@given(st.integers(0, 8 * (SECOND_BYTES_MIN + 7) - 1))
def test_no_changed_bit_of_the_second_message_passes(place: int) -> None:
    initiator = an_initiator()
    reply, _ = a_responder().answer(
        initiator.first(b"hello"), hello=b"welcome", ephemeral=secret(12)
    )
    message = bytearray(reply)
    message[place // 8] ^= 1 << place % 8
    with pytest.raises(HandshakeError):
        initiator.finish(bytes(message))


@given(st.binary(max_size=300))
def test_no_noise_passes_and_none_is_more_than_refused(noise: bytes) -> None:
    with pytest.raises(HandshakeError):
        a_responder().answer(noise, hello=b"", ephemeral=secret(12))
    initiator = an_initiator()
    initiator.first(b"")
    with pytest.raises(HandshakeError):
        initiator.finish(noise)


def test_two_initiators_do_not_come_to_terms() -> None:
    one, other = an_initiator(), an_initiator(number=2, remote=1, ephemeral=12)
    first_of_one, first_of_other = one.first(b""), other.first(b"")
    with pytest.raises(HandshakeError):
        one.finish(first_of_other)
    with pytest.raises(HandshakeError):
        other.finish(first_of_one)
