"""Canonical JSON, the one form of a record's value: sorted keys, no blanks, integers, NFC text.

Numbers are integers below 2^53 in size, so that every reader sees the same one. Text is judged by
the normal form C of Unicode 3.2, whose tables never change: nodes with other versions of the
tables agree. Not here: what a collection demands of a value (`schema`).
"""

import unicodedata
from typing import Any

import msgspec

from moyai.primitives.errors import MoyaiError
from moyai.primitives.json_nesting import is_shallow

NUMBER_MAX = 2**53 - 1

_decoder = msgspec.json.Decoder()
_encoder = msgspec.json.Encoder(order="sorted")


class NotCanonicalError(MoyaiError):
    """Bytes that are no JSON, another form of it, or hold what no record may hold."""

    code = "not_canonical"

    def __init__(self) -> None:
        super().__init__("not canonical JSON", next="write it as docs/ledger.md says")


def parse_canonical(data: bytes) -> Any:
    """Return the value that `data` writes in its one form.

    Raises `NotCanonicalError`.
    """
    if not is_shallow(data):
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


def _is_plain(value: Any) -> bool:
    """Return whether all numbers in a value are integers that every reader sees alike."""
    if isinstance(value, int):
        return -NUMBER_MAX <= value <= NUMBER_MAX
    if isinstance(value, dict):
        return all(map(_is_plain, value.values()))
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return not isinstance(value, float)
