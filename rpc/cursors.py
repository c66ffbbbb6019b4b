"""Cursors: opaque text that says where to go on, bound to the question it belongs to.

A cursor of another question, or one that was changed, is refused instead of giving other pages.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from hashlib import sha256
from typing import Annotated, Generic, TypeVar

import msgspec
from msgspec import Meta

from moyai.primitives.codec import Codec, encode
from moyai.primitives.errors import CodecError
from moyai.primitives.ids import Height
from moyai.primitives.limits import HEIGHT_MAX
from moyai.rpc.errors import BadCursorError
from moyai.rpc.ports import Place

T = TypeVar("T")
_QUESTION_BYTES = 8
_Whole = Annotated[int, Meta(ge=0, le=HEIGHT_MAX)]


class EventCursor(msgspec.Struct, frozen=True, array_like=True, tag="e"):
    """The first event not seen yet: block, transaction in it, event in that."""

    height: _Whole
    position: _Whole
    number: _Whole


class BlockCursor(msgspec.Struct, frozen=True, array_like=True, tag="b"):
    """The first block not seen yet."""

    height: _Whole


class AccountCursor(msgspec.Struct, frozen=True, array_like=True, tag="a"):
    """The oldest transaction of an account seen so far."""

    question: bytes
    height: _Whole
    position: _Whole

    @property
    def place(self) -> Place:
        """Return where that transaction is."""
        return Place(Height(self.height), self.position)


class RecordsCursor(msgspec.Struct, frozen=True, array_like=True, tag="r"):
    """The last row of an index that was looked at, and the height the whole answer is of."""

    question: bytes
    as_of: _Whole
    row: bytes


def question_mark(*parts: object) -> bytes:
    """Return what binds a cursor to its question."""
    return sha256(msgspec.json.encode(parts)).digest()[:_QUESTION_BYTES]


def cursor_text(cursor: msgspec.Struct) -> str:
    """Return a cursor as it is handed out."""
    return urlsafe_b64encode(encode(cursor)).rstrip(b"=").decode("ascii")


class CursorReader(Generic[T]):
    """Reads cursors of one kind."""

    def __init__(self, kind: type[T]) -> None:
        self._codec = Codec(kind, name="cursor")

    def read(self, text: str) -> T:
        """Return the cursor. Raises `BadCursorError`."""
        try:
            return self._codec.decode(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        except (CodecError, Base64Error, ValueError):
            raise bad_cursor() from None


def bad_cursor() -> BadCursorError:
    """Return the error about a cursor of another question."""
    return BadCursorError(
        "was not given out for this question", what="cursor", next="ask again without a cursor"
    )
