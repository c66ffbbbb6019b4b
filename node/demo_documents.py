"""The files that the demonstration registers: those of a folder, or Moyai's own documents."""

from pathlib import Path

from moyai.node.errors import FolderError

FILES_MAX = 40
FILE_BYTES_MAX = 16 * 1024**2
DOCUMENT_SUFFIXES = (".md", ".toml", ".txt", ".pdf")


def documents_of(folder: Path | None) -> list[Path]:
    """Return the files to register, sorted, at most `FILES_MAX`.

    Without a folder: the documents of the checkout, or what the installed package ships as data.
    Raises `FolderError` when there is nothing to register.
    """
    if folder is not None:
        found = _files(folder, suffixes=None)
    else:
        checkout = Path(__file__).resolve().parent.parent
        found = [path for path in sorted(checkout.glob("*.md")) if path.is_file()]
        for name in ("docs", "config"):
            found += _files(checkout / name, suffixes=DOCUMENT_SUFFIXES)
    if not found:
        raise FolderError(
            "holds no file to register",
            what=f"folder {folder or 'of the documents'}",
            next="name a folder with some documents",
        )
    return found[:FILES_MAX]


def _files(folder: Path, suffixes: tuple[str, ...] | None) -> list[Path]:
    if not folder.is_dir():
        return []
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and not path.is_symlink()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and (suffixes is None or path.suffix in suffixes)
        and path.stat().st_size <= FILE_BYTES_MAX
    ]
