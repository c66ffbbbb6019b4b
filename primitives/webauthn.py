"""Passkey signatures: WebAuthn assertions over P-256 (W3C Web Authentication Level 2, section 7.2).

The signature field of a transaction holds the MessagePack array [authenticator data, client data
JSON, DER signature]. The public key field holds the compressed point and SHA-256 of the relying
party's id, so that a key can only be used where it was made.
"""

import base64
import binascii
from hashlib import sha256
from typing import Annotated

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from msgspec import Meta

from moyai.primitives.codec import Codec
from moyai.primitives.errors import CodecError, PublicKeyError
from moyai.primitives.json_nesting import is_shallow

POINT_BYTES = 33
PUBLIC_KEY_BYTES = POINT_BYTES + 32
_AUTHENTICATOR_BYTES_MIN = 37
_COMPRESSED = (2, 3)
_USER_PRESENT = 0x01
_USER_VERIFIED = 0x04


class Assertion(msgspec.Struct, array_like=True, frozen=True):
    """What an authenticator returns for one challenge."""

    authenticator_data: Annotated[bytes, Meta(min_length=_AUTHENTICATOR_BYTES_MIN, max_length=512)]
    client_data_json: Annotated[bytes, Meta(max_length=1024)]
    signature: Annotated[bytes, Meta(max_length=80)]


class _ClientData(msgspec.Struct, frozen=True):
    type: str
    challenge: str
    origin: str


_codec = Codec(Assertion, name="passkey assertion")
_client_data = msgspec.json.Decoder(_ClientData)


def challenge_of(message: bytes) -> bytes:
    """Return the 32-byte challenge that stands for a signing message."""
    return sha256(message).digest()


def check_passkey(public_key: bytes, *, what: str) -> bytes:
    """Return `public_key` as one that may be registered: a compressed point and an rp id hash.

    Raises `PublicKeyError`, naming the object as `what`.
    """
    try:
        if len(public_key) != PUBLIC_KEY_BYTES or public_key[0] not in _COMPRESSED:
            raise ValueError
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public_key[:POINT_BYTES])
    except ValueError:
        raise PublicKeyError(
            "not a passkey: a compressed P-256 point and SHA-256 of the relying party id",
            what=what,
            next="take the key from the authenticator's registration",
        ) from None
    return public_key


def assertion_is_valid(public_key: bytes, message: bytes, encoded: bytes) -> bool:
    """Return whether `encoded` is an assertion by `public_key` for the challenge of `message`.

    The user must have been verified, not only present.
    """
    if len(public_key) != PUBLIC_KEY_BYTES:
        return False
    try:
        assertion = _codec.decode(encoded)
        if not is_shallow(assertion.client_data_json):
            return False
        client_data = _client_data.decode(assertion.client_data_json)
        challenge = base64.urlsafe_b64decode(client_data.challenge + "==")
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public_key[:POINT_BYTES])
    except (CodecError, msgspec.DecodeError, binascii.Error, ValueError):
        return False
    data = assertion.authenticator_data
    flags = data[32]
    if (
        client_data.type != "webauthn.get"
        or challenge != challenge_of(message)
        or data[:32] != public_key[POINT_BYTES:]
        or not flags & _USER_PRESENT
        or not flags & _USER_VERIFIED
    ):
        return False
    signed = data + sha256(assertion.client_data_json).digest()
    try:
        key.verify(assertion.signature, signed, ec.ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True
