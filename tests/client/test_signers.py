"""Scenarios for those who sign: a key, a passkey, anything else."""

import base64
import json
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from moyai.client import CustomSigner, KeySigner, PasskeySigner
from moyai.primitives.keys import SigningKey, signature_is_valid
from moyai.primitives.transaction import Scheme, Signer
from moyai.primitives.webauthn import Assertion, assertion_is_valid, challenge_of


async def test_a_key_signs() -> None:
    signer = KeySigner.from_seed(bytes(32))
    signature = await signer.sign(b"message")
    assert signature_is_valid(signer.name.public_key, b"message", signature)
    assert signer.name.scheme is Scheme.ED25519


async def test_a_passkey_signs_the_challenge() -> None:
    private = ec.derive_private_key(7, ec.SECP256R1())
    point = private.public_key().public_numbers()
    compressed = bytes((2 + (point.y & 1),)) + point.x.to_bytes(32, "big")
    shown: list[bytes] = []

    async def ask(challenge: bytes) -> Assertion:
        shown.append(challenge)
        data = bytes(32) + bytes((5,)) + bytes(4)
        text = base64.urlsafe_b64encode(challenge).rstrip(b"=").decode()
        client = {"type": "webauthn.get", "challenge": text, "origin": "https://city"}
        client_data = json.dumps(client).encode()
        signed = private.sign(data + sha256(client_data).digest(), ec.ECDSA(SHA256()))
        return Assertion(data, client_data, signed)

    signer = PasskeySigner(compressed + bytes(32), ask)
    signature = await signer.sign(b"message")
    assert shown == [challenge_of(b"message")]
    assert assertion_is_valid(signer.name.public_key, b"message", signature)


async def test_anything_else_signs() -> None:
    key = SigningKey(bytes(32))

    async def card(message: bytes) -> bytes:
        return key.sign(message)

    signer = CustomSigner(Signer(Scheme.ED25519, key.public), card)
    assert await signer.sign(b"m") == key.sign(b"m")


def test_no_secret_is_shown() -> None:
    signer = KeySigner.from_seed(b"\x07" * 32)
    assert "07" * 32 not in repr(signer) + str(vars(signer))
