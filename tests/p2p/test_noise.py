"""Scenarios of the Noise states: nonces, keys and what a wrong byte leads to."""

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from harness.peer_nodes import secret
from moyai.p2p.errors import HandshakeError, LinkError, WeakKeyError
from moyai.p2p.noise import (
    NONCE_MAX,
    PROTOCOL_NAME,
    REKEY_FRAMES,
    CipherState,
    SymmetricState,
    diffie_hellman,
    public_bytes,
)

KEY = bytes(range(32))

# Points of order 1, 2, 4 and 8 and their non-canonical forms (RFC 7748 section 6.1 and Cure25519).
LOW_ORDER_POINTS = [
    bytes(32),
    b"\x01" + bytes(31),
    bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
    bytes.fromhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    bytes.fromhex("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    bytes.fromhex("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
]


def test_the_protocol_name_fills_a_hash_exactly() -> None:
    assert len(PROTOCOL_NAME) == 32


@given(st.lists(st.binary(max_size=200), max_size=20), st.binary(max_size=20))
def test_what_one_end_seals_the_other_opens_in_order(parts: list[bytes], associated: bytes) -> None:
    sender, receiver = CipherState(KEY), CipherState(KEY)
    sealed = [sender.encrypt(associated, part) for part in parts]
    assert [receiver.decrypt(associated, one) for one in sealed] == parts


def test_a_frame_cannot_be_opened_twice_or_out_of_order() -> None:
    sender, receiver = CipherState(KEY), CipherState(KEY)
    first, second = sender.encrypt(b"", b"first"), sender.encrypt(b"", b"second")
    with pytest.raises(InvalidTag):
        receiver.decrypt(b"", second)
    assert receiver.decrypt(b"", first) == b"first"
    with pytest.raises(InvalidTag):
        receiver.decrypt(b"", first)


def test_both_ends_change_the_key_after_the_same_frame() -> None:
    sender = CipherState(KEY, nonce=REKEY_FRAMES - 1)
    receiver = CipherState(KEY, nonce=REKEY_FRAMES - 1)
    for text in (b"under the old key", b"under the new key"):
        assert receiver.decrypt(b"", sender.encrypt(b"", text)) == text
    kept = CipherState(KEY, nonce=REKEY_FRAMES)
    with pytest.raises(InvalidTag):
        kept.decrypt(b"", CipherState(KEY, nonce=REKEY_FRAMES + 1).encrypt(b"", b""))
    changed = CipherState(KEY, nonce=REKEY_FRAMES - 1)
    changed.encrypt(b"", b"")
    with pytest.raises(InvalidTag):
        kept.decrypt(b"", changed.encrypt(b"", b"text"))


def test_the_last_nonce_is_never_used() -> None:
    cipher = CipherState(KEY, nonce=NONCE_MAX)
    cipher.encrypt(b"", b"the last one")
    with pytest.raises(LinkError, match="connect again"):
        cipher.encrypt(b"", b"one too many")
    with pytest.raises(LinkError, match="connect again"):
        CipherState(KEY, nonce=NONCE_MAX + 1).decrypt(b"", bytes(16))


@pytest.mark.parametrize("point", LOW_ORDER_POINTS, ids=lambda point: point.hex()[:8])
def test_a_point_of_low_order_makes_no_shared_secret(point: bytes) -> None:
    with pytest.raises(WeakKeyError):
        diffie_hellman(secret(1), point)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_key_of_a_wrong_length_is_refused(length: int) -> None:
    with pytest.raises(WeakKeyError):
        diffie_hellman(secret(1), bytes([9]) * length)


def test_diffie_hellman_agrees() -> None:
    one, other = X25519PrivateKey.generate(), X25519PrivateKey.generate()
    assert diffie_hellman(one, public_bytes(other)) == diffie_hellman(other, public_bytes(one))


def test_two_prologues_do_not_understand_each_other() -> None:
    one, other = SymmetricState(b"one"), SymmetricState(b"other")
    one.mix_key(KEY)
    other.mix_key(KEY)
    with pytest.raises(HandshakeError, match="another chain"):
        other.decrypt_and_hash(one.encrypt_and_hash(b"text"))
