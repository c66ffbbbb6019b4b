"""Keys: they sort as their numbers do."""

from hypothesis import given
from hypothesis import strategies as st

from moyai.storage.keys import node_key, number_key, parse_place, place_key, view_key

heights = st.integers(0, 2**53)
indexes = st.integers(0, 2**32 - 1)


@given(heights, indexes, heights, indexes)
def test_keys_sort_as_numbers(a: int, b: int, c: int, d: int) -> None:
    assert ((a, b) < (c, d)) == (place_key(a, b) < place_key(c, d))
    assert (a < c) == (number_key(a) < number_key(c))
    assert ((a, b) < (c, d)) == (view_key(a, b) < view_key(c, d))
    assert parse_place(place_key(a, b)) == (a, b)


def test_nodes_of_a_log_sort_by_level_then_place() -> None:
    assert node_key(0, 2**40) < node_key(1, 0) < node_key(1, 1)
