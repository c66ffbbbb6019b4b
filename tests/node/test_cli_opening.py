"""`moyai opening` gives what registers a file, and keeps what proves it."""

import json
from pathlib import Path

from harness.command_line import Run
from moyai.node.cli_evidence import read_opening


def test_the_digest_is_the_one_that_the_kept_opening_opens(moyai: Run, tmp_path: Path) -> None:
    file, kept = tmp_path / "plan.txt", tmp_path / "plan.opening.json"
    file.write_bytes(b"two lanes")
    code, answer, told = moyai("opening", file, "--output", kept, "--json")
    assert code == 0, told
    opening = read_opening(kept)
    assert json.loads(answer)["digest"] == opening.digest.hex()
    assert json.loads(answer)["size_bytes"] == 9
    assert opening.opens(file)
    assert kept.stat().st_mode & 0o077 == 0


def test_a_kept_opening_is_never_overwritten(moyai: Run, tmp_path: Path) -> None:
    file, kept = tmp_path / "plan.txt", tmp_path / "plan.opening.json"
    file.write_bytes(b"two lanes")
    assert moyai("opening", file, "--output", kept)[0] == 0
    before = kept.read_bytes()
    code, _, told = moyai("opening", file, "--output", kept)
    assert code == 1
    assert "exists already" in told
    assert kept.read_bytes() == before


def test_a_file_that_is_not_there_is_named(moyai: Run, tmp_path: Path) -> None:
    code, _, told = moyai("opening", tmp_path / "nothing", "--output", tmp_path / "kept")
    assert code == 1
    assert str(tmp_path / "nothing") in told
    assert not (tmp_path / "kept").exists()
