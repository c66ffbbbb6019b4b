"""The JSON-Schema subset of collections, and canonical JSON.

Keywords: type, properties, required, additionalProperties (false alone), items, maxItems, enum,
minimum, maximum, minLength, maxLength. A schema is compiled once; checking raises `SchemaFault`
with the path of the field. There are no floats.
"""

import unicodedata
from functools import lru_cache
from typing import Any, Final

import msgspec

from moyai.primitives.errors import MoyaiError

SCHEMA_DEPTH_MAX = 4
INTEGER_MAX = 2**53 - 1
TYPES: Final = ("object", "array", "string", "integer", "boolean", "null")
_KEYWORDS: Final = {
    "object": ("properties", "required", "additionalProperties"),
    "array": ("items", "maxItems"),
    "string": ("enum", "minLength", "maxLength"),
    "integer": ("enum", "minimum", "maximum"),
    "boolean": (),
    "null": (),
}
_encoder = msgspec.json.Encoder(order="deterministic")

Json = Any  # what a JSON decoder returns


class SchemaFault(MoyaiError):
    """A schema outside the subset, or a value that does not fit; `what` is the field's path."""

    code = "schema"


def parse_canonical(text: bytes) -> Json:
    """Return the value of canonical JSON: keys sorted, no space, integers within 2^53, NFC.

    Raises `SchemaFault`.
    """
    try:
        value = msgspec.json.decode(text)
        canonical = _encoder.encode(value)
    except (msgspec.DecodeError, msgspec.ValidationError, RecursionError, UnicodeError):
        raise SchemaFault("not JSON", what="$") from None
    if canonical != text:
        raise SchemaFault("not canonical JSON: sort keys, leave out spaces", what="$")
    if not text.isascii() and not unicodedata.is_normalized("NFC", text.decode()):
        raise SchemaFault("not in Unicode normal form C", what="$")
    return value


class Schema(msgspec.Struct, frozen=True):
    """One compiled node of a schema."""

    type: str
    properties: dict[str, "Schema"]
    required: tuple[str, ...]
    items: "Schema | None"
    enum: tuple[str | int, ...]
    low: int
    high: int


@lru_cache(maxsize=1_024)
def compile_schema(text: bytes) -> Schema:
    """Return the compiled schema; its root is an object.

    Raises `SchemaFault`.
    """
    schema = _compile(parse_canonical(text), "$", 0)
    if schema.type != "object":
        raise SchemaFault("the root is an object", what="$")
    return schema


def check_value(schema: Schema, value: Json, path: str = "$") -> None:
    """Check that `value` fits. Raises `SchemaFault` naming the field."""
    match schema.type:
        case "object":
            _check_object(schema, value, path)
        case "array":
            _require(isinstance(value, list), path, "is no array")
            _require(len(value) <= schema.high, path, f"has over {schema.high} items")
            assert schema.items is not None
            for place, item in enumerate(value):
                check_value(schema.items, item, f"{path}[{place}]")
        case "string":
            _require(isinstance(value, str), path, "is no string")
            fits = schema.low <= len(value) <= schema.high
            _require(fits, path, f"has not {schema.low} to {schema.high} characters")
            _check_enum(schema, value, path)
        case "integer":
            _require(type(value) is int, path, "is no integer")
            fits = schema.low <= value <= schema.high
            _require(fits, path, f"is not from {schema.low} to {schema.high}")
            _check_enum(schema, value, path)
        case "boolean":
            _require(isinstance(value, bool), path, "is not true or false")
        case _:
            _require(value is None, path, "is not null")


def _check_object(schema: Schema, value: Json, path: str) -> None:
    _require(isinstance(value, dict), path, "is no object")
    for name in schema.required:
        _require(name in value, f"{path}.{name}", "is missing")
    for name, entry in value.items():
        _require(name in schema.properties, f"{path}.{name}", "is not in the schema")
        check_value(schema.properties[name], entry, f"{path}.{name}")


def _check_enum(schema: Schema, value: str | int, path: str) -> None:
    if schema.enum:
        _require(value in schema.enum, path, "is none of the values listed")


def _compile(node: Json, path: str, depth: int) -> Schema:
    _require(isinstance(node, dict), path, "is no schema")
    _require(depth <= SCHEMA_DEPTH_MAX, path, f"is nested deeper than {SCHEMA_DEPTH_MAX}")
    kind = node.get("type")
    _require(kind in TYPES, path, "has no known type")
    allowed = _KEYWORDS[kind]
    for keyword in node:
        _require(keyword == "type" or keyword in allowed, f"{path}.{keyword}", "is not supported")
    properties = node.get("properties", {})
    _require(isinstance(properties, dict), f"{path}.properties", "is no object")
    required = node.get("required", [])
    _require(isinstance(required, list), f"{path}.required", "is no list")
    _require(all(name in properties for name in required), f"{path}.required", "names no property")
    _require(node.get("additionalProperties", False) is False, path, "allows more properties")
    items = None
    if kind == "array":
        items = _compile(node.get("items"), f"{path}.items", depth + 1)
    low, high = _bounds(node, kind, path)
    return Schema(
        type=kind,
        properties={
            name: _compile(entry, f"{path}.{name}", depth + 1) for name, entry in properties.items()
        },
        required=tuple(required),
        items=items,
        enum=_enum(node, kind, path),
        low=low,
        high=high,
    )


def _bounds(node: Json, kind: str, path: str) -> tuple[int, int]:
    names = {
        "string": ("minLength", "maxLength", 0, 16_384),
        "integer": ("minimum", "maximum", -INTEGER_MAX, INTEGER_MAX),
        "array": ("", "maxItems", 0, 1_024),
    }
    low_name, high_name, lowest, highest = names.get(kind, ("", "", 0, 0))
    low, high = node.get(low_name, lowest), node.get(high_name, highest)
    _require(type(low) is int and type(high) is int, path, "has a bound that is no integer")
    _require(lowest <= low <= high <= highest, path, "has bounds that fit nothing")
    return low, high


def _enum(node: Json, kind: str, path: str) -> tuple[str | int, ...]:
    values = node.get("enum", [])
    wanted = str if kind == "string" else int
    fits = isinstance(values, list) and all(type(value) is wanted for value in values)
    _require(fits, f"{path}.enum", "lists values of another type")
    return tuple(values)


def _require(condition: bool, path: str, reason: str) -> None:
    if not condition:
        raise SchemaFault(reason, what=path)
