"""Canonical MessagePack: one value has one encoding, and any other is refused.

msgspec accepts longer integer forms and extra trailing fields, so whatever is signed or hashed is
re-encoded and compared.
"""

from typing import Generic, TypeVar

import msgspec

from moyai.primitives.errors import CodecError

T = TypeVar("T")

_encoder = msgspec.msgpack.Encoder()

UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that are not what they are taken for; text may be no UTF-8."""


def encode(value: object) -> bytes:
    """Return the canonical MessagePack bytes of a struct."""
    return _encoder.encode(value)


class Codec(Generic[T]):
    """Decodes one type, or one closed union, from its canonical bytes."""

    def __init__(self, kind: type[T], *, name: str) -> None:
        self._decoder = msgspec.msgpack.Decoder(kind)
        self._name = name

    def decode(self, data: bytes) -> T:
        """Return the value that `data` encodes.

        Raises `CodecError` when the bytes are of another type, too long, short or not canonical.
        """
        try:
            value = self._decoder.decode(data)
        except UNDECODABLE as error:
            raise CodecError(_short(error), what=self._name, next=_ADVICE) from None
        if _encoder.encode(value) != data:
            raise CodecError("not the canonical encoding", what=self._name, next=_ADVICE)
        return value


_ADVICE = "encode it as docs/wire.md says"


def _short(error: BaseException) -> str:
    return str(error)[:200] or type(error).__name__
