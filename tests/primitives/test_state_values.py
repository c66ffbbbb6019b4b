"""Scenarios of stored values: amounts as eight bytes."""

from hypothesis import given
from hypothesis import strategies as st

from moyai.primitives.limits import AMOUNT_MAX
from moyai.primitives.state_values import AMOUNT_BYTES, decode_amount, encode_amount


@given(st.integers(0, AMOUNT_MAX))
def test_an_amount_is_eight_bytes_and_comes_back(amount: int) -> None:
    encoded = encode_amount(amount)
    assert len(encoded) == AMOUNT_BYTES
    assert decode_amount(encoded) == amount


def test_no_value_is_nothing() -> None:
    assert decode_amount(None) == 0
