"""The one door for errors: an exit code and one line, never a traceback."""

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from moyai.node import cli
from moyai.node.cli import exit_code_of, main
from moyai.node.cli_output import ExitCode
from moyai.node.errors import ConfigError, NodeProcessError
from moyai.primitives.errors import ProofError

Captured = pytest.CaptureFixture[str]


def test_the_version_is_the_packages(capsys: Captured) -> None:
    assert main(["--version"]) == ExitCode.OK
    assert capsys.readouterr().out == f"moyai {version('moyai')}\n"


def test_without_a_command_it_helps(capsys: Captured) -> None:
    assert main([]) == ExitCode.OK
    assert "testnet" in capsys.readouterr().out
    assert main(["members"]) == ExitCode.OK
    assert "propose" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [["keys", "nwe"], ["no-such-command"], ["keys", "show"], ["--no-such-option"]]
)
def test_wrong_usage_is_one_line_with_advice(arguments: list[str], capsys: Captured) -> None:
    assert main(arguments) == ExitCode.USAGE
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "--help" in told


def test_an_expected_error_is_one_line(tmp_path: Path, capsys: Captured) -> None:
    assert main(["keys", "show", str(tmp_path / "absent.key")]) == ExitCode.REFUSED
    told = capsys.readouterr().err
    assert told.startswith(f"error: key file {tmp_path / 'absent.key'}: cannot be read")
    assert told.count("\n") == 1


def test_with_json_an_error_is_json(tmp_path: Path, capsys: Captured) -> None:
    assert main(["keys", "show", str(tmp_path / "absent.key"), "--json"]) == ExitCode.REFUSED
    error = json.loads(capsys.readouterr().err)["error"]
    assert error["code"] == "bad_key_file"
    assert error["next"]


def test_a_bug_is_told_in_one_line_and_kept_in_a_file(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def broken(_path: Path) -> None:
        raise RuntimeError("what nobody thought of")

    monkeypatch.setattr("moyai.node.cli_keys.read_key_file", broken)
    assert main(["keys", "show", "k"]) == ExitCode.BUG
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "RuntimeError: what nobody thought of" in told
    (report,) = tmp_path.glob("moyai-bug-*.txt")
    assert str(report) in told
    assert "Traceback" in report.read_text()


def test_an_interruption_is_no_error(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_path: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("moyai.node.cli_keys.read_key_file", interrupted)
    assert main(["keys", "show", "k"]) == ExitCode.INTERRUPTED
    assert "Traceback" not in capsys.readouterr().err


def test_kinds_of_errors_have_their_exit_codes() -> None:
    assert exit_code_of(ConfigError("x")) is ExitCode.REFUSED
    assert exit_code_of(NodeProcessError("x")) is ExitCode.UNREACHABLE
    assert exit_code_of(ProofError("x")) is ExitCode.NOT_PROVEN


def test_python_without_assertions_is_refused() -> None:
    root = str(Path(cli.__file__).resolve().parent.parent / ".dev")
    done = subprocess.run(
        [sys.executable, "-O", "-m", "moyai.node", "--version"],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": root},
    )
    assert done.returncode == ExitCode.USAGE
    assert "start it without -O" in done.stderr
