"""Passphrases: from the environment, from a terminal, or a refusal that says which."""

import io
from pathlib import Path

import pytest

from moyai.node import passphrase
from moyai.node.errors import KeyFileError
from moyai.node.key_file import KeyKind, make_key_file, write_key_file
from moyai.node.passphrase import VARIABLE, new_passphrase, passphrase_for


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    path = tmp_path / "sealed.key"
    write_key_file(path, make_key_file(KeyKind.ACCOUNT, bytes(32), "correct horse"))
    return path


@pytest.fixture(autouse=True)
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr("sys.stdin", Terminal())


def answers(monkeypatch: pytest.MonkeyPatch, *texts: str) -> None:
    given = iter(texts)
    monkeypatch.setattr(passphrase, "getpass", lambda *_, **__: next(given))


def test_a_plain_key_needs_none(tmp_path: Path) -> None:
    path = tmp_path / "plain.key"
    write_key_file(path, make_key_file(KeyKind.ACCOUNT, bytes(32)))
    assert passphrase_for(path) is None


def test_the_environment_answers_first(sealed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "from outside")
    assert passphrase_for(sealed) == "from outside"


def test_a_person_is_asked(sealed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, "typed in")
    assert passphrase_for(sealed, KeyKind.ACCOUNT) == "typed in"


def test_a_new_one_is_typed_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, "correct horse", "correct horse")
    assert new_passphrase(tmp_path / "k") == "correct horse"
    answers(monkeypatch, "correct horse", "correct house")
    with pytest.raises(KeyFileError, match="differ"):
        new_passphrase(tmp_path / "k")


def test_a_short_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, "short", "short")
    with pytest.raises(KeyFileError, match="too short"):
        new_passphrase(tmp_path / "k")


def test_nobody_to_ask_is_a_refusal(sealed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(KeyFileError, match=VARIABLE):
        passphrase_for(sealed)
