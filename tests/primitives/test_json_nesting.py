"""Scenarios of nesting: told without recursion, and texts are not structure."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from moyai.primitives.json_nesting import is_shallow
from moyai.primitives.limits import JSON_DEPTH_MAX

values = st.recursive(
    st.none() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('[{"', max_size=3), inner),
    max_leaves=30,
)


def depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max((depth(inner) for inner in value.values()), default=0)
    if isinstance(value, list):
        return 1 + max((depth(inner) for inner in value), default=0)
    return 0


@given(values, st.integers(0, JSON_DEPTH_MAX + 2))
def test_it_agrees_with_the_depth_of_the_parsed_value(value: Any, more: int) -> None:
    for _ in range(more):
        value = [value]
    assert is_shallow(json.dumps(value).encode()) is (depth(value) <= JSON_DEPTH_MAX)


def test_what_is_no_json_is_told_as_well() -> None:
    assert is_shallow(b"[" * JSON_DEPTH_MAX)
    assert not is_shallow(b"[" * (JSON_DEPTH_MAX + 1))
    assert not is_shallow(b"{" * 1_000_000)
    assert is_shallow(b'"' + b"[" * 1_000)
