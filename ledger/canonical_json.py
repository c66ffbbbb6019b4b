"""Canonical JSON, the one form of a record's value: sorted keys, no blanks, integers, NFC text.

Numbers are integers below 2^53 in size, so that every reader sees the same one. Text is judged by
the normal form C of Unicode 3.2, whose tables never change: nodes with other versions of the
tables agree. Not here: what a collection demands of a value (`schema`).
"""

import re
import unicodedata
from typing import Any

import msgspec

from moyai.primitives.errors import MoyaiError

NUMBER_MAX = 2**53 - 1
DEPTH_MAX = 8

_decoder = msgspec.json.Decoder()
_encoder = msgspec.json.Encoder(order="sorted")
_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
"""A text, or what begins like one and never ends: each byte is looked at once."""

_OPENING = b"[{"
_CLOSING = b"]}"


class NotCanonicalError(MoyaiError):
    """Bytes that are no JSON, another form of it, or hold what no record may hold."""

    code = "not_canonical"

    def __init__(self) -> None:
        super().__init__("not canonical JSON", next="write it as docs/ledger.md says")


def parse_canonical(data: bytes) -> Any:
    """Return the value that `data` writes in its one form.

    Raises `NotCanonicalError`.
    """
    if not _is_shallow(data):
        raise NotCanonicalError
    try:
        value = _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeError):
        raise NotCanonicalError from None
    if _encoder.encode(value) != data or not is_normal_text(data.decode()):
        raise NotCanonicalError
    if not _is_plain(value):
        raise NotCanonicalError
    return value


def is_normal_text(text: str) -> bool:
    """Return whether a text is in the normal form C of Unicode 3.2."""
    return text.isascii() or unicodedata.ucd_3_2_0.is_normalized("NFC", text)


def _is_shallow(data: bytes) -> bool:
    """Return whether nesting stays within `DEPTH_MAX`; decided before any recursion."""
    if data.count(b"[") + data.count(b"{") <= DEPTH_MAX:
        return True
    depth = 0
    for byte in _TEXT.sub(b"", data):
        if byte in _OPENING:
            depth += 1
            if depth > DEPTH_MAX:
                return False
        elif byte in _CLOSING:
            depth -= 1
    return True


def _is_plain(value: Any) -> bool:
    """Return whether all numbers in a value are integers that every reader sees alike."""
    if isinstance(value, int):
        return -NUMBER_MAX <= value <= NUMBER_MAX
    if isinstance(value, dict):
        return all(map(_is_plain, value.values()))
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return not isinstance(value, float)
