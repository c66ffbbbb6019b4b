"""Scenarios of index values: bytes sort as values do, and different values differ."""

from hypothesis import given
from hypothesis import strategies as st

from moyai.ledger.indexes import index_name, index_value

scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text()


def rank(value: bool | int | str | None) -> tuple[int, int, str]:
    if value is None:
        return (0, 0, "")
    if isinstance(value, bool):
        return (1, int(value), "")
    if isinstance(value, int):
        return (2, value, "")
    return (3, 0, value)


@given(scalars, scalars)
def test_values_sort_as_their_bytes_do(
    one: bool | int | str | None, other: bool | int | str | None
) -> None:
    assert (rank(one) < rank(other)) == (index_value(one) < index_value(other))
    assert (rank(one) == rank(other)) == (index_value(one) == index_value(other))


def test_names_of_fields_and_collections_do_not_run_together() -> None:
    assert index_name("ab", "c") != index_name("a", "bc")
    assert index_name("a", "") != index_name("a", "b")
