"""`moyai keys`: makes, shows, seals; never shows a secret."""

import io
import json
from pathlib import Path

import pytest

from moyai.node.cli import main
from moyai.node.cli_output import ExitCode
from moyai.node.key_file import KeyKind, read_key_file


def test_a_new_key_is_shown_by_its_public_half(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.key"
    assert main(["keys", "new", str(path), "--json"]) == ExitCode.OK
    made = json.loads(capsys.readouterr().out)
    content = read_key_file(path, KeyKind.ACCOUNT)
    assert made["public_key"] == content.public_key
    assert main(["keys", "show", str(path), "--json"]) == ExitCode.OK
    printed = capsys.readouterr().out
    assert json.loads(printed) == made
    assert content.secret is not None
    assert content.secret not in printed


def test_a_plain_key_is_sealed_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mine.key"
    assert main(["keys", "new", str(path), "--kind", "validator"]) == ExitCode.OK
    public = read_key_file(path).public_key
    monkeypatch.setenv("MOYAI_PASSPHRASE", "correct horse")
    assert main(["keys", "encrypt", str(path)]) == ExitCode.OK
    sealed = read_key_file(path, KeyKind.VALIDATOR)
    assert (sealed.public_key, sealed.secret) == (public, None)


def test_a_key_is_sealed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.key"
    monkeypatch.setenv("MOYAI_PASSPHRASE", "correct horse")
    assert main(["keys", "new", str(path), "--encrypt"]) == ExitCode.OK
    assert main(["keys", "encrypt", str(path)]) == ExitCode.REFUSED
    assert "is sealed already" in capsys.readouterr().err


def test_a_short_passphrase_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MOYAI_PASSPHRASE", "short")
    assert main(["keys", "new", str(tmp_path / "k"), "--encrypt"]) == ExitCode.REFUSED
    assert "at least 8 characters" in capsys.readouterr().err
    assert not (tmp_path / "k").exists()


def test_without_a_terminal_nothing_waits_for_a_passphrase(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("MOYAI_PASSPHRASE", raising=False)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert main(["keys", "new", str(tmp_path / "k"), "--encrypt"]) == ExitCode.REFUSED
    assert "set MOYAI_PASSPHRASE" in capsys.readouterr().err
