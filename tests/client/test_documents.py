"""Scenarios for openings: what proves that a file is the registered one."""

from pathlib import Path

from moyai.client import opening_of_bytes, opening_of_file
from moyai.primitives.documents import salted_digest


def test_a_file_is_opened_and_an_altered_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "minutes.txt"
    path.write_bytes(b"minutes")
    opening = opening_of_file(path)
    assert opening.opens(path)
    assert opening.size_bytes == 7
    assert opening.digest == salted_digest(opening.salt, opening.file_sha256)
    path.write_bytes(b"minutes!")
    assert not opening.opens(path)


def test_two_openings_of_one_file_look_unrelated() -> None:
    assert opening_of_bytes(b"x").digest != opening_of_bytes(b"x").digest
    salt = bytes(32)
    assert opening_of_bytes(b"x", salt=salt) == opening_of_bytes(b"x", salt=salt)
