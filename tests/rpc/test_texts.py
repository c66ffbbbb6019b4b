"""One text form of each kind of value, in and out."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moyai.rpc.errors import InvalidParamsError
from moyai.rpc.texts import (
    base64_bytes,
    base64_text,
    digest_bytes,
    path_texts,
    time_of,
    time_text,
    transaction_id,
)


@given(st.binary(max_size=100))
def test_base64_comes_back(data: bytes) -> None:
    assert base64_bytes(base64_text(data), what="x") == data


@pytest.mark.parametrize("text", ["a", "a===", "AA=A", "AAAA=", "A A=", "AA==AA==", "ä", "-_=="])
def test_what_is_not_quite_base64_is_refused(text: str) -> None:
    with pytest.raises(InvalidParamsError):
        base64_bytes(text, what="transaction")


@given(st.integers(0, 253402300799999))
def test_times_come_back_to_the_millisecond(time_ms: int) -> None:
    text = time_text(time_ms)
    assert text.endswith("Z")
    assert time_of(text, what="x") == time_ms


def test_a_time_reads_as_people_write_it() -> None:
    noon = datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert time_text(int(noon.timestamp() * 1000)) == "2026-01-31T12:00:00.000Z"
    assert time_of("2026-01-31T21:00:00+09:00", what="x") == int(noon.timestamp() * 1000)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-01-31T12:00:00", "2026-01-31"])
def test_a_time_without_a_zone_is_refused(text: str) -> None:
    with pytest.raises(InvalidParamsError, match="no time"):
        time_of(text, what="at")


@pytest.mark.parametrize("text", ["", "00" * 31, "0g" * 32, "AB" * 32, "00" * 33])
def test_a_digest_has_32_bytes_in_lower_case(text: str) -> None:
    with pytest.raises(InvalidParamsError):
        digest_bytes(text, what="digest")
    with pytest.raises(InvalidParamsError):
        transaction_id(text)


def test_paths_are_hexadecimal() -> None:
    assert path_texts([b"\x01\x02", b"\xff"]) == ["0102", "ff"]
