"""Copies of what is installed here: nodes run from one, so that edits never reach them half done.

Not here: building and installing a wheel (`scripts/package.py`).
"""

import shutil
from pathlib import Path

IMPORTS = Path(__file__).resolve().parents[3] / ".dev" / "moyai"


def install(folder: Path) -> str:
    """Copy every package into `folder`, once, and return the import path that finds the copy."""
    if not folder.exists():
        ignored = shutil.ignore_patterns("__pycache__")
        for package in sorted(IMPORTS.iterdir()):
            shutil.copytree(package.resolve(), folder / "moyai" / package.name, ignore=ignored)
    return str(folder)
