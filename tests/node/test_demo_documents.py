"""Which files the demonstration registers."""

from pathlib import Path

import pytest

from moyai.node.demo_documents import FILES_MAX, documents_of
from moyai.node.errors import FolderError


def test_the_checkout_has_documents() -> None:
    names = [path.name for path in documents_of(None)]
    assert "README.md" in names


def test_every_real_file_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / ".hidden").mkdir()
    for name in ("b.txt", "a.bin", "inner/c.pdf", ".hidden/d.txt", ".e"):
        (tmp_path / name).write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "b.txt")
    names = [str(path.relative_to(tmp_path)) for path in documents_of(tmp_path)]
    assert names == ["a.bin", "b.txt", "inner/c.pdf"]


def test_a_large_folder_is_cut(tmp_path: Path) -> None:
    for number in range(FILES_MAX + 5):
        (tmp_path / f"{number:03d}").write_text("x")
    assert len(documents_of(tmp_path)) == FILES_MAX


def test_nothing_to_register_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match="holds no file"):
        documents_of(tmp_path)
    with pytest.raises(FolderError, match="holds no file"):
        documents_of(tmp_path / "absent")
