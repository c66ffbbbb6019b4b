"""Ed25519 keys and the one rule by which every node judges a signature.

libsodium's strict verification (no small-order or non-canonical points, S < L) is the only judge
in consensus: another library that accepts one signature more would split the chain.
"""

from nacl.bindings import (
    crypto_core_ed25519_is_valid_point,
    crypto_sign,
    crypto_sign_BYTES,
    crypto_sign_open,
    crypto_sign_seed_keypair,
)
from nacl.exceptions import BadSignatureError
from typing_extensions import override

from moyai.primitives.errors import PublicKeyError
from moyai.primitives.ids import KEY_BYTES, SIGNATURE_BYTES, PublicKey


class SigningKey:
    """An Ed25519 secret key; its text form never shows the secret."""

    __slots__ = ("_secret", "public")

    def __init__(self, seed: bytes) -> None:
        if len(seed) != KEY_BYTES:
            raise PublicKeyError(
                "a signing key seed has 32 bytes", next="make a key with `moyai keys new`"
            )
        public, self._secret = crypto_sign_seed_keypair(seed)
        self.public = PublicKey(public)

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte detached signature of `message`."""
        return crypto_sign(message, self._secret)[:crypto_sign_BYTES]

    @override
    def __repr__(self) -> str:
        return f"SigningKey(public={self.public.hex()})"


def signature_is_valid(public: bytes, message: bytes, signature: bytes) -> bool:
    """Return whether `signature` (64 bytes) is a strict Ed25519 signature of `message`.

    About 60-80 µs; it releases the interpreter lock.
    """
    if len(signature) != SIGNATURE_BYTES or len(public) != KEY_BYTES:
        return False
    try:
        crypto_sign_open(signature + message, public)
    except (BadSignatureError, ValueError):
        return False
    return True


def check_public_key(key: bytes, *, what: str) -> PublicKey:
    """Return `key` as a key that may be registered: canonical, on the curve, in the main subgroup.

    Raises `PublicKeyError`, naming the object as `what`.
    """
    if len(key) != KEY_BYTES or not crypto_core_ed25519_is_valid_point(key):
        raise PublicKeyError(
            "not a valid Ed25519 public key",
            what=what,
            next="register the key that `moyai keys show` prints",
        )
    return PublicKey(key)
