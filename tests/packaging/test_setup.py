"""`scripts/setup` on machines that lack something, and from places other than the root."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def setup(
    folder: Path, *arguments: str, path: str, cwd: Path, python: str = ""
) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": path, "HOME": str(cwd)}
    if python:
        environment["MOYAI_PYTHON"] = python
    return subprocess.run(
        ["/bin/sh", str(folder / "scripts" / "setup"), *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A machine with a shell and its small programs, and no Python."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("dirname", "cat"):
        found = shutil.which(name)
        assert found
        (folder / name).symlink_to(found)
    return folder


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with scripts and locks, and no environment yet."""
    folder = tmp_path / "a checkout"
    (folder / "scripts").mkdir(parents=True)
    for name in ("setup", "environment.py"):
        shutil.copy(ROOT / "scripts" / name, folder / "scripts" / name)
    shutil.copytree(ROOT / "requirements", folder / "requirements")
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def program(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="ascii")
    path.chmod(0o755)


def test_without_python_it_says_what_to_install(tools: Path, tmp_path: Path) -> None:
    answer = setup(ROOT, path=str(tools), cwd=tmp_path)
    assert answer.returncode == 1
    assert "no Python of at least 3.11" in answer.stderr
    assert "apt install python3 python3-venv" in answer.stderr


def test_an_old_python_is_named_and_refused(tools: Path, tmp_path: Path) -> None:
    program(
        tools, "python3", '[ "$1" = --version ] && echo Python 3.9.2; case $2 in *3*) exit 1; esac'
    )
    answer = setup(ROOT, path=str(tools), cwd=tmp_path)
    assert answer.returncode == 1
    assert "python3 is Python 3.9.2" in answer.stderr


def test_a_python_without_venv_is_named_as_such(tools: Path, tmp_path: Path) -> None:
    program(tools, "python3", '[ "$1" = --version ] && echo Python 3.12.1 && exit 0; exit 1')
    answer = setup(ROOT, path=str(tools), cwd=tmp_path)
    assert answer.returncode == 1
    assert "python3 is Python 3.12.1, without venv" in answer.stderr


def test_the_next_python_is_taken_when_the_first_is_too_old(tools: Path, tmp_path: Path) -> None:
    program(tools, "python3", "exit 1")
    program(tools, "python3.12", 'case $1 in -c) exit 0; esac; echo "ran $1"')
    answer = setup(ROOT, path=str(tools), cwd=tmp_path)
    assert answer.returncode == 0
    assert answer.stdout.strip() == f"ran {ROOT}/scripts/environment.py"


def test_a_python_that_was_named_is_the_only_one_tried(tools: Path, tmp_path: Path) -> None:
    program(tools, "python3", "exit 0")
    answer = setup(ROOT, path=str(tools), cwd=tmp_path, python="/nowhere/python")
    assert answer.returncode == 1
    assert "looked for: /nowhere/python" in answer.stderr


def test_a_failed_download_leaves_no_stamp_and_says_what_pip_said(checkout: Path) -> None:
    lock = checkout / "requirements" / "runtime.txt"
    lock.write_text(f"nowhere==1.0 \\\n    --hash=sha256:{'0' * 64}\n", encoding="ascii")
    (checkout / "pip.conf").write_text("[global]\nno-index = true\n", encoding="ascii")
    answer = subprocess.run(
        [str(checkout / "scripts" / "setup")],
        cwd="/",
        env={
            "PATH": os.environ["PATH"],
            "PIP_CONFIG_FILE": str(checkout / "pip.conf"),
            "MOYAI_PYTHON": sys.executable,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert answer.returncode == 1, answer.stdout
    assert "nowhere" in answer.stderr
    assert "run this again" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert not (checkout / ".venv" / "moyai-stamp").exists()
