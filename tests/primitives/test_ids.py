"""Scenarios of the text forms of accounts, digests and keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moyai.primitives.errors import IdentifierError
from moyai.primitives.ids import AccountId, format_account, parse_account, parse_hex


@given(st.binary(min_size=20, max_size=20))
def test_an_account_address_reads_back(account: bytes) -> None:
    text = format_account(AccountId(account))
    assert text.startswith("moyai1")
    assert parse_account(text) == account


@given(st.binary(min_size=20, max_size=20), st.integers(6, 43), st.integers(1, 31))
def test_one_mistyped_character_is_noticed(account: bytes, place: int, shift: int) -> None:
    alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
    text = format_account(AccountId(account))
    wrong = alphabet[(alphabet.index(text[place]) + shift) % 32]
    with pytest.raises(IdentifierError, match="typing error"):
        parse_account(text[:place] + wrong + text[place + 1 :])


@pytest.mark.parametrize(
    "text",
    ["", "moyai1", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "MOYAI1", "moyai1" + "é" * 38],
)
def test_other_text_is_no_address(text: str) -> None:
    with pytest.raises(IdentifierError):
        parse_account(text)


@given(st.binary(min_size=32, max_size=32))
def test_hexadecimal_reads_back_in_one_form_only(value: bytes) -> None:
    text = value.hex()
    assert parse_hex(text, bytes_exact=32, what="digest") == value
    for wrong in (text[2:], text + "00", f" {text}", text.upper() + "G"):
        with pytest.raises(IdentifierError, match="digest"):
            parse_hex(wrong, bytes_exact=32, what="digest")
