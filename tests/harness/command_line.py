"""What a test of the command line is given."""

from collections.abc import Callable
from pathlib import Path

Run = Callable[..., tuple[int, str, str]]
"""Runs one command line: exit code, what it answered, what else it said."""

Build = Callable[..., Path]
"""Builds a transaction and returns the file that holds it."""
