"""A stand-in for Ed25519 that costs a fiftieth, put in its place for the length of a history.

Whoever changes key, message or signature is still refused; only that a forger could compute it is
given up, and no simulated forger does. Keys stay real ones. Not here: who signs what.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from hmac import compare_digest
from unittest.mock import patch

from nacl.exceptions import BadSignatureError

from moyai.primitives import keys

_KEY_BYTES = 32
_SIGNATURE_BYTES = 64


def _sign(message: bytes, secret: bytes) -> bytes:
    return blake2b(message, key=secret[_KEY_BYTES:]).digest() + message


def _open(signed: bytes, public: bytes) -> bytes:
    message = signed[_SIGNATURE_BYTES:]
    if not compare_digest(blake2b(message, key=public).digest(), signed[:_SIGNATURE_BYTES]):
        raise BadSignatureError("not a signature of this key")
    return message


@contextmanager
def fast_signatures() -> Iterator[None]:
    """Sign and verify with the stand-in inside this block, in the whole process."""
    with patch.object(keys, "crypto_sign", _sign), patch.object(keys, "crypto_sign_open", _open):
        yield
