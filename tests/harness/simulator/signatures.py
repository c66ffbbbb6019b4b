"""A stand-in for Ed25519 that costs a microsecond, put in at the one seam: `moyai.primitives.keys`.

It tells keys and messages apart, so that what is forged or changed fails; but whoever knows a
public key could sign with it, which no traitor of the simulator does. Not here: real keys (L4).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256

from nacl.exceptions import BadSignatureError

from moyai.primitives import keys

SIGNATURE_BYTES = 64


def _keypair(seed: bytes) -> tuple[bytes, bytes]:
    public = sha256(b"public" + seed).digest()
    return public, seed + public


def _signature(public: bytes, message: bytes) -> bytes:
    return sha256(b"signature" + public + message).digest() * 2


def _sign(message: bytes, secret: bytes) -> bytes:
    return _signature(secret[32:], message) + message


def _open(signed: bytes, public: bytes) -> bytes:
    message = signed[SIGNATURE_BYTES:]
    if signed[:SIGNATURE_BYTES] != _signature(public, message):
        raise BadSignatureError
    return message


def _is_valid_point(key: bytes) -> bool:
    return len(key) == 32


STAND_INS = {
    "crypto_sign_seed_keypair": _keypair,
    "crypto_sign": _sign,
    "crypto_sign_open": _open,
    "crypto_core_ed25519_is_valid_point": _is_valid_point,
}


@contextmanager
def fast_signatures() -> Iterator[None]:
    """Let everything that signs and verifies do it with the stand-in."""
    real = {name: getattr(keys, name) for name in STAND_INS}
    for name, stand_in in STAND_INS.items():
        setattr(keys, name, stand_in)
    try:
        yield
    finally:
        for name, function in real.items():
            setattr(keys, name, function)
