"""Proves the package as users install it: sdist, wheel from that sdist, clean environment, program.

The wheel must hold every file of the packages, and nothing else; the console script must answer
from an environment that has never seen the checkout.
"""

import argparse
import os
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RUNTIME_LOCK = ROOT / "requirements" / "runtime.txt"
PIP = ("-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input")


class PackageError(Exception):
    """The package is not what a user should get."""


def main() -> int:
    parser = argparse.ArgumentParser(description="Build, install and run the package")
    parser.add_argument("--keep", type=Path, help="leave the sdist and the wheel in this folder")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="moyai-package-") as scratch:
        built = arguments.keep or Path(scratch) / "dist"
        try:
            wheel = build(built)
            check_wheel(wheel)
            answer = run_installed(wheel, Path(scratch) / "environment")
        except PackageError as error:
            print(f"package: {error}", file=sys.stderr)
            return 1
    print(f"package: {wheel.name} installs and answers: {answer}")
    return 0


def build(folder: Path) -> Path:
    """Build the sdist, then the wheel from the unpacked sdist, never from the checkout."""
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT))
    sdists, wheels = list(folder.glob("*.tar.gz")), list(folder.glob("*.whl"))
    if len(sdists) != 1 or len(wheels) != 1:
        raise PackageError(f"expected one sdist and one wheel in {folder}; empty it first")
    with tarfile.open(sdists[0]) as archive:
        print(f"package: {sdists[0].name} holds {len(archive.getnames())} files")
    return wheels[0]


def check_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        shipped = {name for name in archive.namelist() if ".dist-info/" not in name}
    expected = {f"moyai/{path}" for path in tracked_files()}
    missing, surplus = sorted(expected - shipped), sorted(shipped - expected)
    if missing or surplus:
        raise PackageError(f"the wheel lacks {missing} and has too much: {surplus}")
    print(f"package: {wheel.name} holds the {len(shipped)} files of the packages")


def tracked_files() -> set[str]:
    """Every file of the shipped folders that is not ignored, as paths from the root."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    folders = project["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]
    listed = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *folders)
    return {name for name in listed.split("\0") if name and (ROOT / name).exists()}


def run_installed(wheel: Path, environment: Path) -> str:
    venv.EnvBuilder(with_pip=True, symlinks=True).create(environment)
    python = str(environment / "bin" / "python")
    locked = ("--require-hashes", "--only-binary=:all:", "--requirement", str(RUNTIME_LOCK))
    run(python, *PIP, "install", *locked)
    run(python, *PIP, "install", "--no-deps", "--no-index", str(wheel))
    run(python, "-m", "pip", "check")
    return run(str(environment / "bin" / "moyai"), "--version", cwd=environment).strip()


def run(*command: str, cwd: Path = ROOT) -> str:
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=cwd, env=clean, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise PackageError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
