"""Scenarios for account key files, as the command line writes them."""

from pathlib import Path

import pytest

from moyai.client import load_key_file
from moyai.client.errors import KeyFileError
from moyai.node.key_file import KeyKind, make_key_file, write_key_file
from moyai.primitives.keys import SigningKey

SECRET = bytes(range(32))


def written(path: Path, kind: KeyKind = KeyKind.ACCOUNT, passphrase: str | None = None) -> Path:
    write_key_file(path, make_key_file(kind, SECRET, passphrase))
    return path


@pytest.mark.parametrize("passphrase", [None, "correct horse"])
def test_a_key_is_loaded(tmp_path: Path, passphrase: str | None) -> None:
    signer = load_key_file(written(tmp_path / "k", passphrase=passphrase), passphrase=passphrase)
    assert signer.name.public_key == SigningKey(SECRET).public


def test_a_sealed_key_needs_the_right_passphrase(tmp_path: Path) -> None:
    path = written(tmp_path / "k", passphrase="correct horse")
    for wrong in (None, "battery staple"):
        with pytest.raises(KeyFileError, match="passphrase"):
            load_key_file(path, passphrase=wrong)


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "k")
    path.chmod(0o644)
    with pytest.raises(KeyFileError, match="chmod 600"):
        load_key_file(path)


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="validator"):
        load_key_file(written(tmp_path / "k", KeyKind.VALIDATOR))


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b'{"format": "\xc4\xc0"}', b"[" * 9999])
def test_noise_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "k"
    path.touch(mode=0o600)
    path.write_bytes(content)
    with pytest.raises(KeyFileError) as caught:
        load_key_file(path)
    assert caught.value.next


def test_a_damaged_secret_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "k")
    for old, new in (("00010203", "10010203"), ("00010203", "zz010203")):
        damaged = tmp_path / f"damaged-{new}"
        damaged.touch(mode=0o600)
        damaged.write_text(path.read_text().replace(f'"{old}', f'"{new}'))
        with pytest.raises(KeyFileError):
            load_key_file(damaged)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="cannot be read"):
        load_key_file(tmp_path / "none")
