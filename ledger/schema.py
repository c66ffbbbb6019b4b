"""The subset of JSON Schema by which a collection says what its records look like.

`type` is one of object, array, string, integer, boolean. Objects: `properties`, `required`, and
`additionalProperties`, which must be false. Arrays: `items`, `minItems`, `maxItems`. Strings:
`minLength`, `maxLength` in characters, `enum`. Integers: `minimum`, `maximum`, `enum`. `title` and
`description` may stand anywhere and say nothing to the rules. No fractions, no patterns, no
references: the time to check a value is bounded by its length.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Literal, TypeAlias, assert_never

import msgspec
from msgspec import UNSET, UnsetType, field

from moyai.ledger.canonical_json import NotCanonicalError, parse_canonical
from moyai.primitives.errors import MoyaiError

SCHEMAS_REMEMBERED_MAX = 1_024
PROPERTIES_MAX = 64
ENUM_MAX = 256


class SchemaError(MoyaiError):
    """A schema that uses what the subset does not have; its reason is the place."""

    code = "bad_schema"


class _Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    title: str = ""
    description: str = ""


class ObjectSchema(_Text, frozen=True, kw_only=True, tag_field="type", tag="object"):
    """An object with these properties and no others."""

    properties: dict[str, "Schema"] = {}
    required: tuple[str, ...] = ()
    additional: Literal[False] | UnsetType = field(default=UNSET, name="additionalProperties")


class ArraySchema(_Text, frozen=True, kw_only=True, tag_field="type", tag="array", rename="camel"):
    """A list whose entries are all alike."""

    items: "Schema"
    min_items: int = 0
    max_items: int | None = None


class StringSchema(
    _Text, frozen=True, kw_only=True, tag_field="type", tag="string", rename="camel"
):
    """A text, or one of a few."""

    min_length: int = 0
    max_length: int | None = None
    enum: tuple[str, ...] = ()


class IntegerSchema(_Text, frozen=True, kw_only=True, tag_field="type", tag="integer"):
    """A whole number, or one of a few."""

    minimum: int | None = None
    maximum: int | None = None
    enum: tuple[int, ...] = ()


class BooleanSchema(_Text, frozen=True, kw_only=True, tag_field="type", tag="boolean"):
    """True or false."""


Schema: TypeAlias = ObjectSchema | ArraySchema | StringSchema | IntegerSchema | BooleanSchema
INDEXABLE = (StringSchema, IntegerSchema, BooleanSchema)

_TYPES: Mapping[type[Schema], type] = {
    ObjectSchema: dict,
    ArraySchema: list,
    StringSchema: str,
    IntegerSchema: int,
    BooleanSchema: bool,
}


@lru_cache(maxsize=SCHEMAS_REMEMBERED_MAX)
def parse_schema(data: bytes) -> ObjectSchema:
    """Return the schema that canonical JSON writes; the same bytes are parsed once.

    Raises `SchemaError`, naming the property.
    """
    try:
        schema = msgspec.convert(parse_canonical(data), ObjectSchema)
    except (NotCanonicalError, msgspec.ValidationError):
        raise SchemaError("not in the subset") from None
    _check(schema, "")
    return schema


def mismatch(schema: Schema, value: Any, path: str = "") -> str | None:
    """Return the path of the first part of `value` that does not fit, or none when all fits.

    The value is canonical, so its properties are met in one order by every node.
    """
    kind = type(schema)
    if type(value) is not _TYPES[kind]:
        return path or "value"
    return _CHECKS[kind](schema, value, path)


def _object_mismatch(schema: ObjectSchema, value: dict[str, Any], path: str) -> str | None:
    for name, inner in value.items():
        expected = schema.properties.get(name)
        here = f"{path}.{name}" if path else name
        found = here if expected is None else mismatch(expected, inner, here)
        if found is not None:
            return found[:128]
    for name in schema.required:
        if name not in value:
            return f"{path}.{name}" if path else name
    return None


def _array_mismatch(schema: ArraySchema, value: list[Any], path: str) -> str | None:
    if len(value) < schema.min_items or _exceeds(len(value), schema.max_items):
        return path
    for place, inner in enumerate(value):
        found = mismatch(schema.items, inner, f"{path}[{place}]")
        if found is not None:
            return found
    return None


def _string_mismatch(schema: StringSchema, value: str, path: str) -> str | None:
    fits = (
        schema.min_length <= len(value)
        and not _exceeds(len(value), schema.max_length)
        and (not schema.enum or value in schema.enum)
    )
    return None if fits else path


def _integer_mismatch(schema: IntegerSchema, value: int, path: str) -> str | None:
    fits = (
        (schema.minimum is None or schema.minimum <= value)
        and not _exceeds(value, schema.maximum)
        and (not schema.enum or value in schema.enum)
    )
    return None if fits else path


_CHECKS: Mapping[type[Schema], Callable[[Any, Any, str], str | None]] = {
    ObjectSchema: _object_mismatch,
    ArraySchema: _array_mismatch,
    StringSchema: _string_mismatch,
    IntegerSchema: _integer_mismatch,
    BooleanSchema: lambda _schema, _value, _path: None,
}


def _exceeds(value: int, highest: int | None) -> bool:
    return highest is not None and value > highest


def _check(schema: Schema, path: str) -> None:
    match schema:
        case ObjectSchema():
            _check_object(schema, path)
        case ArraySchema():
            _require(_is_range(schema.min_items, schema.max_items), f"{path}.maxItems")
            _check(schema.items, f"{path}[]")
        case StringSchema():
            _require(_is_range(schema.min_length, schema.max_length), f"{path}.maxLength")
            _check_enum(schema.enum, path)
        case IntegerSchema():
            lowest, highest = schema.minimum, schema.maximum
            fits = lowest is None or highest is None or lowest <= highest
            _require(fits, f"{path}.maximum")
            _check_enum(schema.enum, path)
        case BooleanSchema():
            pass
        case _:
            assert_never(schema)


def _check_object(schema: ObjectSchema, path: str) -> None:
    here = f"{path}." if path else ""
    _require(schema.additional is False, f"{here}additionalProperties")
    _require(len(schema.properties) <= PROPERTIES_MAX, f"{here}properties")
    known = all(name in schema.properties for name in schema.required)
    _require(known and _is_distinct(schema.required), f"{here}required")
    for name, inner in schema.properties.items():
        _check(inner, here + name)


def _check_enum(values: tuple[str, ...] | tuple[int, ...], path: str) -> None:
    _require(len(values) <= ENUM_MAX and _is_distinct(values), f"{path}.enum")


def _is_distinct(values: tuple[str, ...] | tuple[int, ...]) -> bool:
    return len(set(values)) == len(values)


def _is_range(lowest: int, highest: int | None) -> bool:
    return lowest >= 0 and (highest is None or lowest <= highest)


def _require(condition: bool, path: str) -> None:
    if not condition:
        raise SchemaError(path)
