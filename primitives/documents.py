"""The digest under which a document is registered: it proves a file and tells nothing about it.

Without the salt nobody can find out by guessing which file was registered. Not here: who may
register what (the ledger), and where the salt is kept (the application).
"""

from moyai.primitives.hashing import Tag, tagged
from moyai.primitives.ids import DIGEST_BYTES, Digest

SALT_BYTES = 32


def salted_digest(salt: bytes, file_sha256: bytes) -> Digest:
    """Return SHA-256(tag ‖ salt ‖ SHA-256 of the file); the salt is 32 random bytes."""
    assert len(salt) == SALT_BYTES, "a salt has 32 bytes"
    assert len(file_sha256) == DIGEST_BYTES, "a SHA-256 has 32 bytes"
    return tagged(Tag.DOCUMENT, salt + file_sha256)
