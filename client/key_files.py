"""Reads the key files that `moyai keys new` writes, so that a program can sign as an account.

Not here: making and sealing them (the node's command line).
"""

import os
import stat
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta
from nacl.exceptions import CryptoError
from nacl.pwhash import argon2id
from nacl.secret import SecretBox

from moyai.client.errors import KeyFileError
from moyai.client.signers import KeySigner
from moyai.primitives.codec import UNDECODABLE
from moyai.primitives.errors import IdentifierError
from moyai.primitives.ids import KEY_BYTES, parse_hex
from moyai.primitives.keys import SigningKey

FORMAT = "moyai key 1"
KIND = "account"
KEY_FILE_BYTES_MAX = 16 * 1024
MEMORY_BYTES_MAX = 1024**3


class _Sealed(msgspec.Struct, frozen=True):
    salt: str
    operations: Annotated[int, Meta(ge=1, le=16)]
    memory_bytes: Annotated[int, Meta(ge=8192, le=MEMORY_BYTES_MAX)]
    box: str


class _KeyFile(msgspec.Struct, frozen=True):
    format: str
    kind: str
    public_key: str
    secret: str | None = None
    sealed: _Sealed | None = None


def load_key_file(path: Path | str, *, passphrase: str | None = None) -> KeySigner:
    """Return the signer of an account key; a sealed file needs its passphrase (about 0.1 s).

    Raises `KeyFileError` when the file can be read by others, or cannot be used.
    """
    path = Path(path)
    what = f"key file {path.name}"
    content = _decode(_read_private(path, what), what)
    try:
        secret = _secret(content, passphrase, what)
    except IdentifierError:
        raise _bad("is damaged", what, "restore it from your copy") from None
    key = SigningKey(secret)
    if key.public.hex() != content.public_key:
        reason = "its secret does not belong to its public key"
        raise _bad(reason, what, "restore it from your copy")
    return KeySigner(key)


def _read_private(path: Path, what: str) -> bytes:
    try:
        with path.open("rb") as source:
            mode = stat.S_IMODE(os.fstat(source.fileno()).st_mode)
            data = source.read(KEY_FILE_BYTES_MAX)
    except OSError as error:
        reason = f"cannot be read: {error.strerror}"
        raise _bad(reason, what, "make one with `moyai keys new`") from None
    if mode & 0o077:
        raise _bad(f"can be read by others (mode {mode:04o})", what, f"run: chmod 600 {path.name}")
    return data


def _decode(data: bytes, what: str) -> _KeyFile:
    try:
        content = msgspec.json.decode(data, type=_KeyFile)
    except UNDECODABLE:
        content = None
    if content is None or content.format != FORMAT:
        reason = "is not a key file of this version"
        raise _bad(reason, what, "name the file that `moyai keys new` wrote")
    if content.kind != KIND:
        reason = f"holds a {content.kind} key, an {KIND} key signs transactions"
        raise _bad(reason, what, "make one with `moyai keys new`")
    return content


def _secret(content: _KeyFile, passphrase: str | None, what: str) -> bytes:
    sealed = content.sealed
    if sealed is None:
        return parse_hex(content.secret or "", bytes_exact=KEY_BYTES, what=what)
    if passphrase is None:
        raise _bad("is sealed by a passphrase", what, "give the passphrase")
    salt = parse_hex(sealed.salt, bytes_exact=argon2id.SALTBYTES, what=what)
    box_bytes = SecretBox.NONCE_SIZE + SecretBox.MACBYTES + KEY_BYTES
    box = parse_hex(sealed.box, bytes_exact=box_bytes, what=what)
    limits = (sealed.operations, sealed.memory_bytes)
    try:
        return SecretBox(argon2id.kdf(KEY_BYTES, passphrase.encode(), salt, *limits)).decrypt(box)
    except CryptoError:
        raise _bad("does not open with this passphrase", what, "try the passphrase again") from None


def _bad(reason: str, what: str, advice: str) -> KeyFileError:
    return KeyFileError(reason, what=what, next=advice)
