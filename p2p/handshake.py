"""The Noise IK handshake between two nodes, without any input or output.

    <- s                        the initiator knows the responder's key from the registry
    -> e, es, s, ss, hello      initiator's message, 96 bytes and the encrypted hello
    <- e, ee, se, hello         responder's message, 48 bytes and the encrypted hello

The first message can be replayed by anybody who saw it, so the responder believes the initiator
only after the first frame through the channel. Not here: how messages are delimited, timed or
limited in number (`connection`), and who is a member (`admit` is the caller's).
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from moyai.p2p.errors import HandshakeError, ReplayError
from moyai.p2p.limits import HANDSHAKE_BYTES_MAX, REPLAYS_REMEMBERED_MAX
from moyai.p2p.noise import (
    KEY_BYTES,
    TAG_BYTES,
    CipherState,
    SymmetricState,
    diffie_hellman,
    public_bytes,
)
from moyai.primitives.ids import Digest, NetworkKey

PROLOGUE_LABEL: Final = b"moyai/1"

_SEALED_KEY_BYTES: Final = KEY_BYTES + TAG_BYTES
FIRST_BYTES_MIN: Final = KEY_BYTES + _SEALED_KEY_BYTES + TAG_BYTES
SECOND_BYTES_MIN: Final = KEY_BYTES + TAG_BYTES


class Channel(msgspec.Struct, frozen=True):
    """What a finished handshake gives: whom we talk to, how, and what it said."""

    remote: NetworkKey
    sender: CipherState
    receiver: CipherState
    transcript: bytes
    hello: bytes


def prologue(chain_id: str, genesis: Digest) -> bytes:
    """Return the prologue: both sides must mean the same chain."""
    return PROLOGUE_LABEL + chain_id.encode() + genesis


class Initiator:
    """The dialling side; one object makes one attempt."""

    def __init__(
        self,
        *,
        static: X25519PrivateKey,
        ephemeral: X25519PrivateKey,
        remote: NetworkKey,
        prologue: bytes,
    ) -> None:
        self._static = static
        self._ephemeral = ephemeral
        self._ephemeral_public = public_bytes(ephemeral)
        self._remote = remote
        self._state = SymmetricState(prologue)
        self._state.mix_hash(remote)

    def first(self, hello: bytes) -> bytes:
        """Return the first message: e, es, s, ss and the encrypted `hello`."""
        state = self._state
        state.mix_hash(self._ephemeral_public)
        state.mix_key(diffie_hellman(self._ephemeral, self._remote))
        sealed_key = state.encrypt_and_hash(public_bytes(self._static))
        state.mix_key(diffie_hellman(self._static, self._remote))
        return self._ephemeral_public + sealed_key + state.encrypt_and_hash(hello)

    def finish(self, message: bytes) -> Channel:
        """Return the channel that the responder's `message` completes.

        Raises `HandshakeError`.
        """
        _check_length(message, SECOND_BYTES_MIN)
        theirs = message[:KEY_BYTES]
        if theirs == self._ephemeral_public:
            raise ReplayError("it is this node's own message, reflected", what="handshake message")
        state = self._state
        state.mix_hash(theirs)
        state.mix_key(diffie_hellman(self._ephemeral, theirs))
        state.mix_key(diffie_hellman(self._static, theirs))
        hello = state.decrypt_and_hash(message[KEY_BYTES:])
        sender, receiver = state.split()
        return Channel(self._remote, sender, receiver, state.transcript, hello)


class Responder:
    """The accepting side of one node; remembers the first messages it has lately answered."""

    def __init__(
        self,
        *,
        static: X25519PrivateKey,
        prologue: bytes,
        admit: Callable[[NetworkKey], None],
    ) -> None:
        self._static = static
        self._static_public = public_bytes(static)
        self._prologue = prologue
        self._admit = admit
        self._answered: OrderedDict[bytes, None] = OrderedDict()

    def answer(
        self, message: bytes, *, hello: bytes, ephemeral: X25519PrivateKey
    ) -> tuple[bytes, Channel]:
        """Return the second message and the channel it opens.

        The initiator's key goes to `admit` before anything else is done with it. Raises
        `HandshakeError`, also when `admit` does.
        """
        _check_length(message, FIRST_BYTES_MIN)
        theirs = message[:KEY_BYTES]
        if theirs in self._answered:
            raise ReplayError("this node has answered it before", what="handshake message")
        state = SymmetricState(self._prologue)
        state.mix_hash(self._static_public)
        state.mix_hash(theirs)
        state.mix_key(diffie_hellman(self._static, theirs))
        sealed_key_end = KEY_BYTES + _SEALED_KEY_BYTES
        remote = NetworkKey(state.decrypt_and_hash(message[KEY_BYTES:sealed_key_end]))
        self._check_initiator(remote)
        state.mix_key(diffie_hellman(self._static, remote))
        said = state.decrypt_and_hash(message[sealed_key_end:])
        self._remember(theirs)
        ours = public_bytes(ephemeral)
        state.mix_hash(ours)
        state.mix_key(diffie_hellman(ephemeral, theirs))
        state.mix_key(diffie_hellman(ephemeral, remote))
        reply = ours + state.encrypt_and_hash(hello)
        receiver, sender = state.split()
        return reply, Channel(remote, sender, receiver, state.transcript, said)

    def _check_initiator(self, remote: NetworkKey) -> None:
        if remote == self._static_public:
            raise ReplayError("it names this node itself", what="handshake message")
        self._admit(remote)

    def _remember(self, ephemeral: bytes) -> None:
        self._answered[ephemeral] = None
        if len(self._answered) > REPLAYS_REMEMBERED_MAX:
            self._answered.popitem(last=False)


def _check_length(message: bytes, bytes_min: int) -> None:
    if not bytes_min <= len(message) <= HANDSHAKE_BYTES_MAX:
        raise HandshakeError(
            f"it has {len(message)} bytes, not {bytes_min} to {HANDSHAKE_BYTES_MAX}",
            what="handshake message",
        )
