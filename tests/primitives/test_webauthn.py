"""Scenarios of passkeys: an assertion counts for one challenge, one site, one verified user."""

import base64
import json
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from moyai.primitives.codec import encode
from moyai.primitives.errors import PublicKeyError
from moyai.primitives.webauthn import Assertion, assertion_is_valid, challenge_of, check_passkey

SECRET = ec.derive_private_key(12345, ec.SECP256R1())
SITE = sha256(b"kaga.example").digest()
POINT = SECRET.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
KEY = POINT + SITE
MESSAGE = b"what is signed"
PRESENT_AND_VERIFIED = 0x05


def assertion(
    *,
    kind: str = "webauthn.get",
    message: bytes = MESSAGE,
    site: bytes = SITE,
    flags: int = PRESENT_AND_VERIFIED,
    extra: dict[str, object] | None = None,
) -> bytes:
    challenge = base64.urlsafe_b64encode(challenge_of(message)).rstrip(b"=").decode()
    client_data = json.dumps(
        {
            "type": kind,
            "challenge": challenge,
            "origin": "https://kaga.example",
            **(extra or {}),
        }
    ).encode()
    data = site + bytes((flags,)) + bytes(4)
    signature = SECRET.sign(data + sha256(client_data).digest(), ec.ECDSA(SHA256()))
    return encode(Assertion(data, client_data, signature))


def test_an_assertion_of_a_verified_user_counts() -> None:
    check_passkey(KEY, what="controller")
    assert assertion_is_valid(KEY, MESSAGE, assertion())


@pytest.mark.parametrize(
    "wrong",
    [
        assertion(kind="webauthn.create"),
        assertion(message=b"something else"),
        assertion(site=sha256(b"evil.example").digest()),
        assertion(flags=0x04),
        assertion(flags=0x01),
        b"",
        encode(Assertion(bytes(37), b"{}", b"")),
        encode(Assertion(bytes(37), b"\xff", b"")),
    ],
    ids=["registration", "challenge", "site", "absent", "unverified", "empty", "bare", "garbage"],
)
def test_anything_else_does_not(wrong: bytes) -> None:
    assert not assertion_is_valid(KEY, MESSAGE, wrong)


@pytest.mark.parametrize(
    "client_data",
    [b'{"a":' + b"[" * 1000, b'{"a":' + b"[" * 500 + b"]" * 500 + b"}", b'{"a":"\xff"}'],
    ids=["never ends", "ends", "no text"],
)
def test_client_data_of_any_shape_is_only_invalid(client_data: bytes) -> None:
    assert not assertion_is_valid(KEY, MESSAGE, encode(Assertion(bytes(37), client_data, b"")))


def test_deep_client_data_is_invalid_however_well_it_is_signed() -> None:
    good = assertion(extra={"a": [[[[[]]]]]})
    assert assertion_is_valid(KEY, MESSAGE, good)
    deep = assertion(extra={"a": [[[[[[[[[]]]]]]]]]})
    assert not assertion_is_valid(KEY, MESSAGE, deep)


def test_another_key_or_one_of_a_wrong_length_does_not() -> None:
    other = ec.derive_private_key(777, ec.SECP256R1()).public_key()
    point = other.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    assert not assertion_is_valid(point + SITE, MESSAGE, assertion())
    assert not assertion_is_valid(POINT, MESSAGE, assertion())


GOOD = assertion()  # ECDSA is randomised; one signature for all examples


@given(st.data())
def test_an_assertion_with_a_flipped_bit_does_not_count(data: st.DataObject) -> None:
    whole = bytearray(GOOD)
    bit = data.draw(st.integers(0, len(whole) * 8 - 1))
    whole[bit // 8] ^= 1 << bit % 8
    assert not assertion_is_valid(KEY, MESSAGE, bytes(whole))


@pytest.mark.parametrize("key", [POINT, b"\x04" + KEY[1:], b"\x02" + b"\xff" * 64, bytes(65)])
def test_only_a_compressed_point_with_its_site_can_be_registered(key: bytes) -> None:
    with pytest.raises(PublicKeyError, match="controller"):
        check_passkey(key, what="controller")
