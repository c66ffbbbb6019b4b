"""The trusted head on disk: one small file that makes a restarted client refuse what is older.

It holds the newest certified header the client has seen, with its certificate and the proofs of its
validators. It is replaced as a whole, and never by an older head. Not here: what makes a head
trusted (`trust`).
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from moyai.client.errors import ForkError, HeadFileError
from moyai.client.trust import CertifiedHeader, EpochEnd, TrustedChain
from moyai.primitives.codec import UNDECODABLE, encode
from moyai.primitives.errors import MoyaiError

FORMAT = "moyai head 1"
HEAD_FILE_BYTES_MAX = 4 * 1024 * 1024


class _HeadText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file: JSON, bytes in base64; the digest of genesis repeats which city it is about."""

    format: str
    genesis: str
    height: int
    header: bytes
    certificate: bytes
    epoch_ends: tuple[EpochEnd, ...]


class HeadFile:
    """Where one client, or several that share the file, keep the head of one city."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._what = f"head file {path.name}"

    def restore(self, chain: TrustedChain) -> None:
        """Give `chain` the head that is kept here, if any; everything in the file is checked.

        Raises `HeadFileError`.
        """
        text = self._read(chain)
        if text is None:
            return
        try:
            for end in text.epoch_ends[len(chain.epoch_ends) :]:
                chain.add_epoch(end)
            certified = chain.verify(text.header, text.certificate)
        except MoyaiError as error:
            raise self._bad(f"is damaged: {error.reason}") from None
        if certified.height > chain.head.height:
            chain.restore(certified)

    def save(self, chain: TrustedChain) -> None:
        """Keep the head of `chain`, durably, unless a newer one is kept.

        Raises `ForkError` when another head of the same height is kept, `HeadFileError`.
        """
        head = chain.head
        if head.certificate is None:
            return
        try:
            with self._locked():
                kept = self._read(chain)
                if kept is not None and not _is_older(kept, head, chain):
                    return
                self._write(chain, head)
        except OSError as error:
            raise self._bad(f"cannot be written: {error.strerror}") from None

    def _write(self, chain: TrustedChain, head: CertifiedHeader) -> None:
        text = _HeadText(
            format=FORMAT,
            genesis=chain.genesis_digest.hex(),
            height=head.height,
            header=encode(head.header),
            certificate=encode(head.certificate),
            epoch_ends=chain.epoch_ends,
        )
        temporary = self._path.with_name(self._path.name + ".new")
        with temporary.open("wb") as target:
            target.write(msgspec.json.format(msgspec.json.encode(text), indent=2) + b"\n")
            target.flush()
            os.fsync(target.fileno())
        temporary.replace(self._path)

    def _read(self, chain: TrustedChain) -> _HeadText | None:
        try:
            with self._path.open("rb") as source:
                data = source.read(HEAD_FILE_BYTES_MAX)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._bad(f"cannot be read: {error.strerror}") from None
        try:
            text = msgspec.json.decode(data, type=_HeadText)
        except UNDECODABLE:
            raise self._bad("is damaged: not the head of a chain") from None
        if text.format != FORMAT or text.genesis != chain.genesis_digest.hex():
            raise self._bad("is of another city, or of another version")
        return text

    @contextmanager
    def _locked(self) -> Iterator[None]:
        lock = self._path.with_name(self._path.name + ".lock")
        with lock.open("ab") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            yield

    def _bad(self, reason: str) -> HeadFileError:
        return HeadFileError(
            reason,
            what=self._what,
            next="name another file, or remove it if you know why; "
            "without it an older history would be believed",
        )


def _is_older(kept: _HeadText, head: CertifiedHeader, chain: TrustedChain) -> bool:
    if kept.height == head.height and kept.header != encode(head.header):
        what = f"block {head.height} of {chain.chain_id}"
        raise ForkError(what, (kept.header, kept.certificate), head.sides)
    return kept.height < head.height
