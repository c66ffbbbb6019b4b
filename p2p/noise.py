"""The cipher and symmetric states of the Noise protocol (revision 34, sections 5.1 and 5.2).

Fixed to 25519, ChaChaPoly and SHA-256, since Moyai speaks one suite only. Not here: the order of
the handshake's messages and tokens (`handshake`), and frames (`framing`).
"""

import hashlib
import hmac
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from moyai.p2p.errors import HandshakeError, LinkError, WeakKeyError

PROTOCOL_NAME: Final = b"Noise_IK_25519_ChaChaPoly_SHA256"
KEY_BYTES: Final = 32
TAG_BYTES: Final = 16

NONCE_MAX: Final = 2**64 - 2  # 2^64 - 1 is reserved for rekeying
REKEY_FRAMES: Final = 2**20
"""Both ends rekey a direction each time this many of its nonces are used."""

_NONCE_PREFIX: Final = bytes(4)
_REKEY_NONCE: Final = _NONCE_PREFIX + b"\xff" * 8
_REKEY_MASK: Final = REKEY_FRAMES - 1


class CipherState:
    """One direction of a channel: a key and a counter that no nonce repeats under it."""

    __slots__ = ("_aead", "_key", "_nonce")

    def __init__(self, key: bytes, nonce: int = 0) -> None:
        self._key = key
        self._aead = ChaCha20Poly1305(key)
        self._nonce = nonce

    def encrypt(self, associated: bytes, plaintext: bytes) -> bytes:
        """Return the ciphertext and tag of `plaintext`; moves to the next nonce.

        Raises `LinkError` when the nonces are spent.
        """
        nonce = self._nonce
        if nonce > NONCE_MAX:
            raise _spent()
        sealed = self._aead.encrypt(
            _NONCE_PREFIX + nonce.to_bytes(8, "little"), plaintext, associated
        )
        self._nonce = nonce = nonce + 1
        if not nonce & _REKEY_MASK:
            self.rekey()
        return sealed

    def decrypt(self, associated: bytes | memoryview, ciphertext: bytes | memoryview) -> bytes:
        """Return the plaintext; moves to the next nonce only when the tag is right.

        Raises `cryptography.exceptions.InvalidTag`, and `LinkError` when the nonces are spent.
        """
        nonce = self._nonce
        if nonce > NONCE_MAX:
            raise _spent()
        opened = self._aead.decrypt(
            _NONCE_PREFIX + nonce.to_bytes(8, "little"), ciphertext, associated
        )
        self._nonce = nonce = nonce + 1
        if not nonce & _REKEY_MASK:
            self.rekey()
        return opened

    def rekey(self) -> None:
        """Replace the key by one it determines, so that the old one can be forgotten."""
        self._key = self._aead.encrypt(_REKEY_NONCE, bytes(KEY_BYTES), None)[:KEY_BYTES]
        self._aead = ChaCha20Poly1305(self._key)


class SymmetricState:
    """The handshake's chaining key, transcript hash and current cipher."""

    def __init__(self, prologue: bytes) -> None:
        # The protocol name has exactly the length of a hash, so that it is taken as it is.
        self._chaining_key = PROTOCOL_NAME
        self._cipher: CipherState | None = None
        self.transcript = PROTOCOL_NAME
        self.mix_hash(prologue)

    def mix_hash(self, data: bytes) -> None:
        """Bind `data` to everything that follows."""
        self.transcript = hashlib.sha256(self.transcript + data).digest()

    def mix_key(self, shared: bytes) -> None:
        """Take a shared secret into the chaining key and the cipher."""
        self._chaining_key, key = _hkdf(self._chaining_key, shared)
        self._cipher = CipherState(key)

    def encrypt_and_hash(self, plaintext: bytes) -> bytes:
        """Return `plaintext` encrypted under what was mixed so far; IK encrypts nothing earlier."""
        assert self._cipher is not None
        sealed = self._cipher.encrypt(self.transcript, plaintext)
        self.mix_hash(sealed)
        return sealed

    def decrypt_and_hash(self, ciphertext: bytes) -> bytes:
        """Return what `encrypt_and_hash` was given on the other side.

        Raises `HandshakeError` when the two sides do not agree on everything mixed so far.
        """
        assert self._cipher is not None
        try:
            opened = self._cipher.decrypt(self.transcript, ciphertext)
        except InvalidTag:
            raise HandshakeError(
                "it does not authenticate: another chain, another genesis or another key",
                what="handshake message",
                next="compare chain id, genesis digest and network keys of both nodes",
            ) from None
        self.mix_hash(ciphertext)
        return opened

    def split(self) -> tuple[CipherState, CipherState]:
        """Return the channel's two ciphers: initiator to responder, and back."""
        forward, back = _hkdf(self._chaining_key, b"")
        return CipherState(forward), CipherState(back)


def public_bytes(secret: X25519PrivateKey) -> bytes:
    """Return the 32 bytes of the public key that belongs to `secret`."""
    return secret.public_key().public_bytes_raw()


def diffie_hellman(secret: X25519PrivateKey, public: bytes) -> bytes:
    """Return the X25519 shared secret.

    Raises `WeakKeyError` when `public` has a wrong length or low order.
    """
    try:
        return secret.exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError:
        raise WeakKeyError(
            "a public key of low order or wrong length",
            what=f"X25519 key {public.hex()[:64]}",
            next="the other node must make a new network key",
        ) from None


def _hkdf(chaining_key: bytes, material: bytes) -> tuple[bytes, bytes]:
    temporary = hmac.digest(chaining_key, material, "sha256")
    first = hmac.digest(temporary, b"\x01", "sha256")
    return first, hmac.digest(temporary, first + b"\x02", "sha256")


def _spent() -> LinkError:
    return LinkError("all nonces of this channel are used", next="connect again")
