"""What a configuration key may hold, said in words: unknown keys, wrong types, allowed values.

Works on any tree of msgspec structs. Not here: the keys themselves (`config`).
"""

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import inspect

from moyai.node.errors import ConfigError

_PLACE = re.compile(r"^(?P<reason>.*?)(?: - at `\$\.?(?P<path>[^`]*)`)?$", re.DOTALL)
_NAMES = {"str": "a text", "int": "an integer", "bool": "true or false", "float": "a number"}
_NAMES |= {"object": "a section", "array": "a list", "null": "nothing"}


def check_keys(values: Mapping[str, Any], kind: type[msgspec.Struct], *, what: str) -> None:
    """Refuse the first key that no struct of the tree has, naming the nearest one.

    Raises `ConfigError` with `what` as its object.
    """
    _check_section(values, kind, what, prefix="")


def _check_section(
    values: Mapping[str, Any], kind: type[msgspec.Struct], what: str, prefix: str
) -> None:
    fields = {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
    for key, value in values.items():
        if key not in fields:
            known = [prefix + name for name in fields]
            raise ConfigError(
                f"no such key: {prefix}{key}", what=what, next=nearest(prefix + key, known)
            )
        section = fields[key]
        if is_section(section) and isinstance(value, Mapping):
            _check_section(value, section, what, f"{prefix}{key}.")


def is_section(kind: Any) -> bool:
    """Return whether a field holds a table of keys of its own."""
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def nearest(name: str, known: Sequence[str]) -> str:
    """Return the advice for a name that is not among the `known` ones."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]}?"
    return f"use one of: {', '.join(known)}"


def failure(message: str) -> tuple[str, str]:
    """Return the key and the reason in a validation message of msgspec."""
    found = _PLACE.match(message)
    assert found is not None
    path = found["path"] or ""
    return re.sub(r"\[(\.{3}|\d+)\]", "", path) or "the file", _in_words(found["reason"])


def _in_words(reason: str) -> str:
    types = re.fullmatch(r"Expected `(.+?)`, got `(\w+)`", reason)
    if types:
        return f"is {_NAMES.get(types[2], types[2])}, not {_NAMES.get(types[1], types[1])}"
    unknown = re.fullmatch(r"Object contains unknown field `(.+)`", reason)
    if unknown:
        return f"has the unknown key {unknown[1]}"
    missing = re.fullmatch(r"Object missing required field `(.+)`", reason)
    if missing:
        return f"lacks {missing[1]}"
    return "has a value that is not allowed"


def describe(key: str, kind: type[msgspec.Struct]) -> str:
    """Return in words what `key` (as `section.name`) may hold."""
    return _domain(_find(key, kind))


def is_text(key: str, kind: type[msgspec.Struct]) -> bool:
    """Return whether `key` holds a text, chosen from a list or free."""
    node = _find(key, kind)
    while isinstance(node, inspect.Metadata):
        node = node.type
    return isinstance(node, inspect.StrType | inspect.LiteralType)


def _find(key: str, kind: type[msgspec.Struct]) -> inspect.Type:
    node: inspect.Type = inspect.type_info(kind)
    for part in key.split("."):
        node = _child(node, part)
    return node


def _child(node: inspect.Type, name: str) -> inspect.Type:
    match node:
        case inspect.StructType(fields=fields):
            return next(field.type for field in fields if field.encode_name == name)
        case inspect.DictType(value_type=value):
            return value
        case _:
            return node


def _domain(node: inspect.Type) -> str:
    match node:
        case inspect.Metadata(type=inner, extra_json_schema=extra):
            return str((extra or {}).get("description") or _domain(inner))
        case inspect.LiteralType(values=values):
            return "one of " + ", ".join(f'"{value}"' for value in values)
        case inspect.UnionType(types=types):
            return " or ".join(_domain(one) for one in types)
        case inspect.CollectionType(item_type=item):
            return f"a list of {_domain(item)}"
        case inspect.DictType(value_type=value):
            return f"a table of names, each with {_domain(value)}"
        case _:
            return _scalar(node)


def _scalar(node: inspect.Type) -> str:
    match node:
        case inspect.IntType(ge=low, le=high) | inspect.FloatType(ge=low, le=high):
            return "a whole number" + _between(low, high)
        case inspect.StrType(max_length=longest):
            return "a text" if longest is None else f"a text of at most {longest} characters"
        case inspect.BoolType():
            return "true or false"
        case inspect.NoneType():
            return "nothing"
        case _:
            return "a table"


def _between(low: float | None, high: float | None) -> str:
    if low is None and high is None:
        return ""
    if high is None:
        return f" of at least {low}"
    return f" from {low or 0} to {high}"
