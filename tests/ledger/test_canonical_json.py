"""Scenarios of canonical JSON: one form for one value, and nothing that two readers see apart."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.ledger_city import canonical
from moyai.ledger.canonical_json import (
    NUMBER_MAX,
    NotCanonicalError,
    is_normal_text,
    parse_canonical,
)
from moyai.primitives.limits import JSON_DEPTH_MAX

texts = st.text(st.characters(exclude_categories=["Cs"])).filter(is_normal_text)
leaves = st.none() | st.booleans() | st.integers(-NUMBER_MAX, NUMBER_MAX) | texts
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


def depth(value: Any) -> int:
    match value:
        case dict():
            return 1 + max((depth(inner) for inner in value.values()), default=0)
        case list():
            return 1 + max((depth(inner) for inner in value), default=0)
        case _:
            return 0


@given(values)
def test_every_plain_value_has_one_form_that_the_standard_library_agrees_on(value: Any) -> None:
    data = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    assert data == canonical(value)
    if depth(value) <= JSON_DEPTH_MAX:
        assert parse_canonical(data) == value


@given(st.binary(max_size=64))
def test_arbitrary_bytes_are_a_value_or_an_error(data: bytes) -> None:
    try:
        value = parse_canonical(data)
    except NotCanonicalError:
        return
    assert canonical(value) == data


@pytest.mark.parametrize(
    "data",
    [
        b'{"b":1,"a":2}',
        b'{"a":1,"a":1}',
        b'{"a": 1}',
        b"1.0",
        b"1e3",
        b"-0",
        b'{"a":[0.5]}',
        b"9007199254740992",
        b"-9007199254740992",
        b"99999999999999999999999",
        b'"\\u0061"',
        b'"\\ud800"',
        b'"\xed\xa0\x80"',
        b"9" * 5_000,
        b"1e400",
        b"NaN",
        b"",
        b"1 ",
        '"か\u3099"'.encode(),
        b"[" * (JSON_DEPTH_MAX + 1) + b"]" * (JSON_DEPTH_MAX + 1),
        b"[" * 100_000,
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        b"[" * (JSON_DEPTH_MAX + 1) + b'"' + b'\\"' * 500_000,
        b"[" * (JSON_DEPTH_MAX + 1) + b'"\\',
    ],
)
def test_every_other_form_is_refused(data: bytes) -> None:
    with pytest.raises(NotCanonicalError):
        parse_canonical(data)


def test_brackets_in_texts_are_not_nesting() -> None:
    data = canonical(['[[[[[[[[[[[[\\"{{{{'])
    assert parse_canonical(data) == ['[[[[[[[[[[[[\\"{{{{']


def test_many_shallow_parts_are_not_nesting() -> None:
    value = [[number] for number in range(100)]
    assert parse_canonical(canonical(value)) == value


def test_normal_form_is_that_of_a_table_that_never_changes() -> None:
    assert is_normal_text("が")
    assert not is_normal_text("か\u3099")
    assert is_normal_text("😀")
