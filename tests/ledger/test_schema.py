"""Scenarios of the schema subset: what a collection may demand, and what is then refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.ledger_city import canonical
from moyai.ledger.schema import ENUM_MAX, PROPERTIES_MAX, SchemaError, mismatch, parse_schema


def schema_of(**properties: Any) -> bytes:
    return canonical({"type": "object", "additionalProperties": False, "properties": properties})


def fits(value: Any, **properties: Any) -> bool:
    return mismatch(parse_schema(schema_of(**properties)), value) is None


def test_bounds_are_inclusive() -> None:
    rule = {"type": "integer", "minimum": -1, "maximum": 1}
    assert [fits({"n": n}, n=rule) for n in (-2, -1, 0, 1, 2)] == [False, True, True, True, False]
    word = {"type": "string", "minLength": 1, "maxLength": 2}
    assert [fits({"s": s}, s=word) for s in ("", "雪", "雪国", "雪国へ")] == [
        False,
        True,
        True,
        False,
    ]
    pair = {"type": "array", "items": {"type": "boolean"}, "minItems": 1, "maxItems": 2}
    lists: list[list[bool]] = [[], [True], [True] * 2, [True] * 3]
    assert [fits({"l": one}, l=pair) for one in lists] == [False, True, True, False]


def test_a_type_is_exactly_that_type() -> None:
    types = {"object": {}, "array": [], "string": "", "integer": 1, "boolean": True}
    for name in types:
        rule: dict[str, Any] = {"type": name}
        if name == "object":
            rule["additionalProperties"] = False
        if name == "array":
            rule["items"] = {"type": "string"}
        accepted = [other for other, value in types.items() if fits({"x": value}, x=rule)]
        assert accepted == [name]
        assert not fits({"x": None}, x=rule)


def test_enumerations() -> None:
    assert fits({"x": "b"}, x={"type": "string", "enum": ["a", "b"]})
    assert not fits({"x": "c"}, x={"type": "string", "enum": ["a", "b"]})
    assert not fits({"x": 3}, x={"type": "integer", "enum": [1, 2]})


def test_the_first_wrong_part_is_named() -> None:
    inner = {
        "type": "object",
        "additionalProperties": False,
        "required": ["kind"],
        "properties": {"kind": {"type": "string"}},
    }
    schema = parse_schema(schema_of(parts={"type": "array", "items": inner}))
    assert mismatch(schema, {"parts": [{"kind": "a"}, {"kind": 1}]}) == "parts[1].kind"
    assert mismatch(schema, {"parts": [{}]}) == "parts[0].kind"
    assert mismatch(schema, {"other": 1}) == "other"
    assert mismatch(schema, []) == "value"
    assert mismatch(schema, {"x" * 1_000: 1}) == "x" * 128


@pytest.mark.parametrize(
    ("schema", "named"),
    [
        ({"type": "object"}, "additionalProperties"),
        ({"type": "object", "additionalProperties": True}, "not in the subset"),
        ({"type": "string"}, "not in the subset"),
        ({"type": ["object", "string"]}, "not in the subset"),
        ({"$ref": "#/x", "type": "object"}, "not in the subset"),
        ({"additionalProperties": False, "required": ["x"], "type": "object"}, "required"),
    ],
)
def test_a_root_outside_the_subset(schema: Any, named: str) -> None:
    with pytest.raises(SchemaError, match=named):
        parse_schema(canonical(schema))


@pytest.mark.parametrize(
    ("rule", "named"),
    [
        ({"type": "number"}, "not in the subset"),
        ({"type": "string", "pattern": "a+"}, "not in the subset"),
        ({"type": "string", "format": "date"}, "not in the subset"),
        ({"type": "integer", "minimum": 2, "maximum": 1}, "x.maximum"),
        ({"type": "integer", "multipleOf": 2}, "not in the subset"),
        ({"type": "integer", "enum": [1, 1]}, "x.enum"),
        ({"type": "integer", "enum": ["1"]}, "not in the subset"),
        ({"type": "string", "minLength": 2, "maxLength": 1}, "x.maxLength"),
        ({"type": "string", "minLength": -1}, "x.maxLength"),
        ({"type": "string", "enum": [str(n) for n in range(ENUM_MAX + 1)]}, "x.enum"),
        ({"type": "array"}, "not in the subset"),
        ({"type": "array", "items": {"type": "string"}, "minItems": -1}, "x.maxItems"),
        ({"type": "object"}, "x.additionalProperties"),
    ],
)
def test_a_property_outside_the_subset_is_named(rule: Any, named: str) -> None:
    with pytest.raises(SchemaError, match=named):
        parse_schema(schema_of(x=rule))


def test_the_number_of_properties_is_bounded() -> None:
    many = {f"p{number}": {"type": "boolean"} for number in range(PROPERTIES_MAX + 1)}
    with pytest.raises(SchemaError, match="properties"):
        parse_schema(schema_of(**many))


def test_titles_and_descriptions_say_nothing_to_the_rules() -> None:
    assert fits({"x": 1}, x={"type": "integer", "title": "重さ", "description": "in grams"})


@given(st.binary(max_size=48))
def test_arbitrary_bytes_are_a_schema_or_a_typed_error(data: bytes) -> None:
    with pytest.raises(SchemaError):
        parse_schema(data)
