"""Scenarios of Ed25519: one strict rule, with the published edge cases."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moyai.primitives.errors import PublicKeyError
from moyai.primitives.keys import SigningKey, check_public_key, signature_is_valid

VECTORS = Path(__file__).parents[1] / "vectors"
RFC_8032_SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
RFC_8032_SIGNATURE = bytes.fromhex(
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
    "d25bf5f0595bbe24655141438e7a100b"
)


def test_the_first_vector_of_rfc_8032() -> None:
    key = SigningKey(RFC_8032_SEED)
    assert key.public.hex() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert key.sign(b"") == RFC_8032_SIGNATURE


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=100), st.integers(0, 511))
def test_a_signature_verifies_and_no_flipped_bit_does(
    seed: bytes, message: bytes, bit: int
) -> None:
    key = SigningKey(seed)
    signature = key.sign(message)
    assert signature_is_valid(key.public, message, signature)
    flipped = bytearray(signature)
    flipped[bit // 8] ^= 1 << bit % 8
    assert not signature_is_valid(key.public, message, bytes(flipped))
    assert not signature_is_valid(key.public, message + b"x", signature)


def test_wrong_lengths_are_invalid_and_do_not_raise() -> None:
    key = SigningKey(RFC_8032_SEED)
    assert not signature_is_valid(key.public[:31], b"", RFC_8032_SIGNATURE)
    assert not signature_is_valid(key.public, b"", RFC_8032_SIGNATURE[:63])


def test_the_secret_is_in_no_text_form() -> None:
    key = SigningKey(RFC_8032_SEED)
    assert RFC_8032_SEED.hex() not in repr(key)
    assert RFC_8032_SEED.hex() not in str(key)


@pytest.mark.parametrize("key", [bytes(32), b"\x01" + bytes(31), b"\xff" * 32, b"\x00" * 31])
def test_a_key_off_the_main_subgroup_cannot_be_registered(key: bytes) -> None:
    with pytest.raises(PublicKeyError, match="validator key of bank"):
        check_public_key(key, what="validator key of bank")


def test_a_seed_of_a_wrong_length_is_refused() -> None:
    with pytest.raises(PublicKeyError, match="32 bytes"):
        SigningKey(b"short")


@pytest.mark.parametrize(
    "case",
    json.loads((VECTORS / "ed25519_edge_cases.json").read_text())["cases"],
    ids=lambda case: case["signature"][:8],
)
def test_the_published_edge_cases_are_judged_as_strict_libsodium_does(case: dict[str, Any]) -> None:
    key = bytes.fromhex(case["pub_key"])
    valid = signature_is_valid(
        key, bytes.fromhex(case["message"]), bytes.fromhex(case["signature"])
    )
    assert valid is case["libsodium_strict"]
    if not case["key_is_valid_point"]:
        with pytest.raises(PublicKeyError):
            check_public_key(key, what="key")
