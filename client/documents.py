"""The opening of a document digest: the salt and the file's own SHA-256, kept by the application.

The ledger holds the salted digest alone; who has the opening can prove that a file is the
registered one, who has not cannot even guess. Not here: the digest itself (`primitives.documents`).
"""

import hashlib
import secrets
from pathlib import Path

import msgspec

from moyai.primitives.documents import SALT_BYTES, salted_digest
from moyai.primitives.fields import CountField, DigestField
from moyai.primitives.ids import Digest


class Opening(msgspec.Struct, array_like=True, frozen=True):
    """What opens a registered digest; keep it with the file."""

    salt: DigestField
    file_sha256: DigestField
    size_bytes: CountField

    @property
    def digest(self) -> Digest:
        """Return the salted digest, for `RegisterDocument` and `ReplaceDocument`."""
        return salted_digest(self.salt, self.file_sha256)

    def opens(self, path: Path) -> bool:
        """Return whether the file at `path` is the one that was registered with this opening."""
        return _file_sha256(path) == self.file_sha256


def opening_of_file(path: Path | str, *, salt: bytes | None = None) -> Opening:
    """Return the opening of the file at `path`, with a new random salt unless one is given."""
    path = Path(path)
    return Opening(_salt(salt), _file_sha256(path), path.stat().st_size)


def opening_of_bytes(content: bytes, *, salt: bytes | None = None) -> Opening:
    """Return the opening of `content`, with a new random salt unless one is given."""
    return Opening(_salt(salt), Digest(hashlib.sha256(content).digest()), len(content))


def _file_sha256(path: Path) -> Digest:
    with path.open("rb") as source:
        return Digest(hashlib.file_digest(source, "sha256").digest())


def _salt(salt: bytes | None) -> Digest:
    return Digest(secrets.token_bytes(SALT_BYTES) if salt is None else salt)
