"""Key files: one secret each, as JSON text that only its owner may read.

A file holds a validator key (Ed25519, signs votes), a network key (X25519, names the node to its
peers) or an account key (Ed25519, signs transactions). The secret is plain hexadecimal, or sealed
under a passphrase with Argon2id and XSalsa20-Poly1305. Not here: the journal that a validator key
lives and dies with (`storage.journal`).
"""

import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta
from nacl.bindings import crypto_scalarmult_base
from nacl.exceptions import CryptoError
from nacl.pwhash import argon2id
from nacl.secret import SecretBox
from typing_extensions import override

from moyai.node.errors import InUseError, KeyFileError
from moyai.primitives.codec import UNDECODABLE
from moyai.primitives.errors import MoyaiError
from moyai.primitives.ids import KEY_BYTES, NetworkKey, parse_hex
from moyai.primitives.keys import SigningKey

FORMAT = "moyai key 1"
KEY_FILE_BYTES_MAX = 16 * 1024
MEMORY_BYTES_MAX = 1024**3
"""A file that asks for more memory to derive its key is refused."""

OPERATIONS = argon2id.OPSLIMIT_INTERACTIVE
MEMORY_BYTES = argon2id.MEMLIMIT_INTERACTIVE
LOCK_NAME = ".moyai-lock"


class KeyKind(StrEnum):
    """What a secret is for; a file of one kind is never taken for another."""

    VALIDATOR = "validator"
    NETWORK = "network"
    ACCOUNT = "account"


class NetworkSecret:
    """An X25519 secret key; its text form never shows the secret."""

    __slots__ = ("public", "secret")

    def __init__(self, secret: bytes) -> None:
        if len(secret) != KEY_BYTES:
            raise KeyFileError("a network key has 32 bytes", next="make one with `moyai keys new`")
        self.secret = secret
        self.public = NetworkKey(crypto_scalarmult_base(secret))

    @override
    def __repr__(self) -> str:
        return f"NetworkSecret(public={self.public.hex()})"


class Sealed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A secret under a passphrase: Argon2id makes the key of a secretbox (nonce ‖ tag ‖ bytes)."""

    salt: Annotated[str, Meta(max_length=64)]
    operations: Annotated[int, Meta(ge=1, le=16)]
    memory_bytes: Annotated[int, Meta(ge=8192, le=MEMORY_BYTES_MAX)]
    box: Annotated[str, Meta(max_length=512)]


class KeyFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The file's content; exactly one of `secret` and `sealed` is there."""

    format: str
    kind: KeyKind
    public_key: str
    secret: str | None = None
    sealed: Sealed | None = None

    @override
    def __repr__(self) -> str:
        return f"KeyFile(kind={self.kind.value}, public_key={self.public_key})"


def new_secret() -> bytes:
    """Return 32 random bytes of the operating system."""
    return secrets.token_bytes(KEY_BYTES)


def public_key(kind: KeyKind, secret: bytes) -> bytes:
    """Return the public key that belongs to `secret`."""
    return NetworkSecret(secret).public if kind is KeyKind.NETWORK else SigningKey(secret).public


def make_key_file(kind: KeyKind, secret: bytes, passphrase: str | None = None) -> KeyFile:
    """Return the content of a key file, sealed when there is a passphrase (about 0.1 s)."""
    public = public_key(kind, secret).hex()
    if passphrase is None:
        return KeyFile(FORMAT, kind, public, secret=secret.hex())
    salt = secrets.token_bytes(argon2id.SALTBYTES)
    box = SecretBox(_derive(passphrase, salt, OPERATIONS, MEMORY_BYTES)).encrypt(secret)
    sealed = Sealed(salt.hex(), OPERATIONS, MEMORY_BYTES, bytes(box).hex())
    return KeyFile(FORMAT, kind, public, sealed=sealed)


def write_key_file(path: Path, content: KeyFile) -> None:
    """Write a new key file with mode 0600, durably. An existing file is never overwritten.

    Raises `KeyFileError`.
    """
    text = msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        descriptor = os.open(path, flags, 0o600)
    except OSError as error:
        advice = "choose another name or a folder you may write to; no key is ever overwritten"
        raise KeyFileError(
            f"cannot be made: {error.strerror}", what=f"key file {path}", next=advice
        ) from None
    with os.fdopen(descriptor, "wb") as target:
        target.write(text)
        target.flush()
        os.fsync(target.fileno())


def replace_key_file(path: Path, content: KeyFile) -> None:
    """Put `content` in the place of an existing key file: the old or the new one, never half."""
    temporary = path.with_name(path.name + ".new")
    write_key_file(temporary, content)
    temporary.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def read_key_file(path: Path, kind: KeyKind | None = None) -> KeyFile:
    """Return the content of a key file that only its owner can read.

    Raises `KeyFileError` for a file of another form or `kind`, or readable by others.
    """
    what = f"key file {path}"
    data = _read_private(path, what)
    try:
        content = msgspec.json.decode(data, type=KeyFile)
    except UNDECODABLE:
        content = None
    if (
        content is None
        or content.format != FORMAT
        or (content.secret is None) == (content.sealed is None)
    ):
        raise KeyFileError(
            "is not a key file of this version",
            what=what,
            next="name the file that `moyai keys new` wrote",
        )
    if kind is not None and content.kind is not kind:
        raise KeyFileError(
            f"holds a {content.kind.value} key, a {kind.value} key belongs here",
            what=what,
            next="name the right file in the configuration",
        )
    return content


def open_secret(content: KeyFile, passphrase: str | None, *, what: str) -> bytes:
    """Return the secret of a key file, checked against its public key.

    Raises `KeyFileError` when the passphrase is missing or wrong, or the file is damaged.
    """
    try:
        secret = _secret_of(content, passphrase, what)
        matches = public_key(content.kind, secret).hex() == content.public_key
    except KeyFileError:
        raise
    except MoyaiError:
        matches, secret = False, b""
    if not matches:
        raise KeyFileError(
            "its secret does not belong to its public key",
            what=what,
            next="restore it from your copy",
        )
    return secret


def load_signing_key(path: Path, kind: KeyKind, passphrase: str | None = None) -> SigningKey:
    """Return the Ed25519 key in `path`. Raises `KeyFileError`."""
    content = read_key_file(path, kind)
    return SigningKey(open_secret(content, passphrase, what=f"key file {path}"))


def load_network_secret(path: Path, passphrase: str | None = None) -> NetworkSecret:
    """Return the X25519 key in `path`. Raises `KeyFileError`."""
    content = read_key_file(path, KeyKind.NETWORK)
    return NetworkSecret(open_secret(content, passphrase, what=f"key file {path}"))


@contextmanager
def key_lock(path: Path) -> Iterator[None]:
    """Hold the folder of key file `path` against a second process that would sign with it.

    The lock ends with the process, however it ends. Raises `InUseError`, naming the holder.
    """
    lock = path.parent / LOCK_NAME
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise KeyFileError(
            f"its folder cannot be locked: {error.strerror}",
            what=f"key file {path}",
            next="let the node's user write to this folder",
        ) from None
    try:
        _take(descriptor, path)
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "unknown"
        raise InUseError(
            f"is in use by another process (pid {holder})",
            what=f"key file {path}",
            next="stop that process first: one key must never sign in two places",
        ) from None


def _read_private(path: Path, what: str) -> bytes:
    try:
        # Without waiting: a pipe in the place of a file has nothing to read.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as source:
            status = os.fstat(source.fileno())
            data = source.read(KEY_FILE_BYTES_MAX + 1)
    except OSError as error:
        raise KeyFileError(
            f"cannot be read: {error.strerror}",
            what=what,
            next="name an existing file, or make one with `moyai keys new`",
        ) from None
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise KeyFileError(
            f"can be read by others (mode {stat.S_IMODE(status.st_mode):04o})",
            what=what,
            next=f"run: chmod 600 {path}",
        )
    return data


def _secret_of(content: KeyFile, passphrase: str | None, what: str) -> bytes:
    if content.sealed is None:
        return parse_hex(content.secret or "", bytes_exact=KEY_BYTES, what=what)
    if passphrase is None:
        raise KeyFileError(
            "is sealed by a passphrase", what=what, next="give it in MOYAI_PASSPHRASE or when asked"
        )
    sealed = content.sealed
    salt = parse_hex(sealed.salt, bytes_exact=argon2id.SALTBYTES, what=what)
    box_bytes = SecretBox.NONCE_SIZE + SecretBox.MACBYTES + KEY_BYTES
    box = parse_hex(sealed.box, bytes_exact=box_bytes, what=what)
    key = _derive(passphrase, salt, sealed.operations, sealed.memory_bytes)
    try:
        return SecretBox(key).decrypt(box)
    except CryptoError:
        raise KeyFileError(
            "does not open with this passphrase", what=what, next="try the passphrase again"
        ) from None


def _derive(passphrase: str, salt: bytes, operations: int, memory_bytes: int) -> bytes:
    return argon2id.kdf(SecretBox.KEY_SIZE, passphrase.encode(), salt, operations, memory_bytes)
