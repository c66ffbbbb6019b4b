"""Scenarios for the digests of documents."""

from hashlib import sha256

import pytest

from moyai.primitives.documents import salted_digest


def test_a_digest_is_the_tagged_hash_of_salt_and_file_digest() -> None:
    salt, content = bytes(range(32)), sha256(b"minutes of the council").digest()
    expected = sha256(b"moyai/document/1\x00" + salt + content).digest()
    assert salted_digest(salt, content) == expected


def test_another_salt_gives_another_digest() -> None:
    content = sha256(b"minutes of the council").digest()
    assert salted_digest(bytes(32), content) != salted_digest(b"\x01" * 32, content)


def test_a_short_salt_is_a_fault_of_the_caller() -> None:
    with pytest.raises(AssertionError):
        salted_digest(b"short", bytes(32))
