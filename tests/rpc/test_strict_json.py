"""JSON at the door: one reading of every text, or none."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moyai.rpc.errors import ParseFailedError
from moyai.rpc.limits import INTEGER_MAX, NESTING_MAX
from moyai.rpc.strict_json import parse_strict

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-INTEGER_MAX, INTEGER_MAX)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
)
names = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)


@given(values, st.booleans())
def test_what_json_writes_is_read_back(value: object, ascii_only: bool) -> None:
    assert parse_strict(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "Expecting value"),
        (b"{", "Expecting property name"),
        (b'{"a":1}x', "Extra data"),
        (b'{"a":1,"a":2}', "'a' twice"),
        (b'[{"b":{"a":1,"a":1}}]', "'a' twice"),
        (b"[NaN]", "NaN"),
        (b"[Infinity]", "Infinity"),
        (b"[-Infinity]", "-Infinity"),
        (b"[1.5]", "fraction"),
        (b"[1e3]", "fraction"),
        (b"[9007199254740992]", "integer beyond"),
        (b"[-9007199254740992]", "integer beyond"),
        (b"[" + b"9" * 5_000 + b"]", "integer beyond"),
        (b'["\\ud800"]', "surrogate"),
        (b'{"\\udfff":1}', "surrogate"),
        (b'["\xed\xa0\x80"]', "UTF-8"),
        (b'["\xff"]', "UTF-8"),
        ("\ufeff{}".encode(), "not JSON"),
        (b'["\n"]', "control character"),
    ],
)
def test_what_two_parsers_could_read_differently_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(ParseFailedError) as refused:
        parse_strict(body)
    assert reason.lower() in refused.value.reason.lower()
    assert len(refused.value.reason) < 200


def test_a_whole_pair_of_surrogates_is_one_character() -> None:
    assert parse_strict(b'["\\ud83c\\udf52"]') == ["🍒"]


def test_the_greatest_integers_are_exact() -> None:
    assert parse_strict(b"[9007199254740991,-9007199254740991]") == [INTEGER_MAX, -INTEGER_MAX]


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_nesting_ends_where_it_should(opening: bytes, closing: bytes) -> None:
    deepest = opening * NESTING_MAX + b"1" + closing * NESTING_MAX
    parse_strict(deepest)
    with pytest.raises(ParseFailedError, match="nested deeper"):
        parse_strict(opening * 2 + deepest + closing * 2)


@pytest.mark.parametrize("bomb", [b"[" * 900_000, b'{"a":' * 180_000, b"[" * 500 + b"]" * 500])
def test_a_bomb_of_brackets_is_refused(bomb: bytes) -> None:
    with pytest.raises(ParseFailedError):
        parse_strict(bomb)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        value = parse_strict(body)
    except ParseFailedError:
        return
    assert json.loads(body) == value
