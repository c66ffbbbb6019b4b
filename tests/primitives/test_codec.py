"""Scenarios of the canonical encoding: one value, one sequence of bytes."""

import msgpack
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moyai.primitives.codec import Codec, encode
from moyai.primitives.errors import CodecError


class Point(msgspec.Struct, array_like=True, frozen=True):
    """Something to encode."""

    x: int
    name: bytes


codec = Codec(Point, name="point")


@given(st.integers(0, 2**64 - 1), st.binary(max_size=40))
def test_a_value_reads_back_and_a_second_implementation_agrees(x: int, name: bytes) -> None:
    data = encode(Point(x, name))
    assert codec.decode(data) == Point(x, name)
    assert msgpack.unpackb(data) == [x, name]
    assert msgpack.packb([x, name]) == data


@given(st.binary(max_size=64))
def test_bytes_either_read_back_the_same_or_are_refused(data: bytes) -> None:
    try:
        value = codec.decode(data)
    except CodecError:
        return
    assert encode(value) == data


@pytest.mark.parametrize(
    "data",
    [
        b"\x92\xcd\x00\x01\xc4\x00",  # 1 in three bytes
        b"\x93\x01\xc4\x00\x05",  # one field more
        b"\x91\x01",  # one field less
        b"\x92\x01\xc4\x00\x00",  # a byte after the end
        b"",
        b"\x92" * 3000,
        b"\x92\x01\xa2\xc4\xc0",  # text that is no UTF-8, where bytes belong
    ],
)
def test_any_other_form_is_refused_with_the_name_of_the_type(data: bytes) -> None:
    with pytest.raises(CodecError, match="point") as caught:
        codec.decode(data)
    assert caught.value.next


class Named(msgspec.Struct, array_like=True, frozen=True):
    name: str


def test_text_that_is_no_utf8_is_refused() -> None:
    with pytest.raises(CodecError):
        Codec(Named, name="named").decode(b"\x91\xa2\xc4\xc0")
