"""Operations as people and scripts write them: JSON objects with names, turned into typed structs.

`{"type": "transfer_token", "token": "coin", "to": "moyai1…", "amount": 5}`. Accounts are addresses,
other bytes hexadecimal, enumerations lower-case words, times RFC 3339 under the field's name
without `_ms`, records plain JSON. Works on every operation there is, by its fields' types; the way
back is `rpc.readable`.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import Any, get_args

import msgspec
from msgspec import inspect

from moyai.node.config_domain import nearest
from moyai.node.errors import OperationTextError
from moyai.node.times import parse_time
from moyai.primitives.ids import ACCOUNT_BYTES, parse_account, parse_hex
from moyai.primitives.operations import Operation
from moyai.primitives.operations_governance import Change


def _by_name(kinds: Iterable[type[msgspec.Struct]]) -> dict[str, type[msgspec.Struct]]:
    return {re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower(): kind for kind in kinds}


OPERATION_TYPES = _by_name(get_args(Operation))
"""Name -> struct, like `open_account`."""

TIME_SUFFIX = "_ms"
_RECORD_BYTES_MIN = 2
_RECORD_BYTES_MAX = 16 * 1024


def parse_operations(text: str) -> tuple[Operation, ...]:
    """Return the operations that a JSON object or an array of objects writes.

    Raises `OperationTextError` or `IdentifierError`, naming the operation and the field.
    """
    value = _json(text, "operations", "write one JSON object or an array of them")
    listed = value if isinstance(value, list) else [value]
    return tuple(parse_operation(one, place) for place, one in enumerate(listed))


def parse_change(text: str) -> Change:
    """Return the change of members or parameters that a JSON object writes.

    Raises what `parse_operations` does.
    """
    value = _json(text, "change", "write one JSON object")
    change: Change = _typed(value, _by_name(get_args(Change)), "change")
    return change


def parse_operation(value: Any, place: int = 0) -> Operation:
    """Return one operation. Raises what `parse_operations` does."""
    operation: Operation = _typed(value, OPERATION_TYPES, f"operation {place}")
    return operation


def _json(text: str, what: str, advice: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise OperationTextError(f"is not JSON: {error}", what=what, next=advice) from None


def _typed(value: Any, kinds: Mapping[str, type[msgspec.Struct]], what: str) -> Any:
    """Return the struct of the kind that the object's `type` names."""
    if not isinstance(value, Mapping) or not isinstance(value.get("type"), str):
        raise OperationTextError("has no type", what=what, next=f"give one of: {', '.join(kinds)}")
    name = value["type"]
    if name not in kinds:
        raise OperationTextError(
            f"no such type: {name}", what=what, next=nearest(name, list(kinds))
        )
    fields = {key: inner for key, inner in value.items() if key != "type"}
    return _struct(fields, kinds[name], f"{what} ({name})")


def _struct(value: Any, kind: type[msgspec.Struct], what: str) -> Any:
    if not isinstance(value, Mapping):
        raise OperationTextError("is not an object", what=what, next="write it as {…}")
    info = inspect.type_info(kind)
    assert isinstance(info, inspect.StructType)
    names = [field.name.removesuffix(TIME_SUFFIX) for field in info.fields]
    for key in value:
        if key not in names:
            raise OperationTextError(
                f"no such field: {key}", what=what, next=nearest(str(key), names)
            )
    plain = []
    for name, field in zip(names, info.fields, strict=True):
        if name not in value:
            raise OperationTextError(f"lacks {name}", what=what, next="add it")
        given = value[name]
        if field.name.endswith(TIME_SUFFIX) and given is not None:
            given = _time(given, f"{what}.{name}")
        plain.append(_value(given, field.type, f"{what}.{name}"))
    tagged = plain if info.tag is None else [info.tag, *plain]
    try:
        return msgspec.convert(tagged, kind)
    except msgspec.ValidationError as error:
        raise OperationTextError(str(error), what=what, next="see docs/ledger.md") from None


def _value(value: Any, kind: inspect.Type, what: str) -> Any:
    """Return `value` as the plain positional form that msgspec turns into `kind`."""
    match kind:
        case inspect.Metadata(type=inner):
            return _value(value, inner, what)
        case inspect.UnionType(types=types):
            return _one_of(value, types, what)
        case inspect.BytesType(min_length=shortest, max_length=longest):
            return _bytes(value, shortest, longest, what)
        case inspect.StructType(cls=cls):
            struct = _struct(value, cls, what)
            return msgspec.to_builtins(struct, builtin_types=(bytes,))
        case inspect.VarTupleType(item_type=item) | inspect.ListType(item_type=item):
            listed = value if isinstance(value, list) else [value]
            return [_value(one, item, f"{what}[{place}]") for place, one in enumerate(listed)]
        case inspect.EnumType(cls=cls):
            return _enumeration(value, cls, what)
        case inspect.IntType():
            return _integer(value, what)
        case inspect.StrType():
            return unicodedata.normalize("NFC", value) if isinstance(value, str) else value
        case _:
            return value


def _one_of(value: Any, types: tuple[inspect.Type, ...], what: str) -> Any:
    """Return none where it may stand, what the only other type says, or the struct of a `type`."""
    kinds = [one for one in types if not isinstance(one, inspect.NoneType)]
    if value is None and any(isinstance(one, inspect.NoneType) for one in types):
        return None
    if len(kinds) == 1:
        return _value(value, kinds[0], what)
    structs = [one.cls for one in kinds if isinstance(one, inspect.StructType)]
    assert len(structs) == len(kinds), "only structs are told apart, by their type"
    struct = _typed(value, _by_name(structs), what)
    return msgspec.to_builtins(struct, builtin_types=(bytes,))


def _bytes(value: Any, shortest: int | None, longest: int | None, what: str) -> bytes:
    if (shortest, longest) == (_RECORD_BYTES_MIN, _RECORD_BYTES_MAX):
        return canonical_json(value, what=what)
    if not isinstance(value, str):
        raise OperationTextError("is not a text", what=what, next="write it in quotes")
    if shortest == longest == ACCOUNT_BYTES:
        return parse_account(value)
    exact = shortest if shortest is not None and shortest == longest else len(value) // 2
    return parse_hex(value, bytes_exact=exact, what=what)


def canonical_json(value: Any, *, what: str) -> bytes:
    """Return the canonical text of a JSON value: keys sorted, no blanks, integers, NFC.

    Raises `OperationTextError` for a number with a fraction.
    """
    if _has_float(value):
        raise OperationTextError(
            "holds a number with a fraction",
            what=what,
            next="use integers, like cents or millimetres",
        )
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return unicodedata.normalize("NFC", text).encode()


def _has_float(value: Any) -> bool:
    match value:
        case float():
            return True
        case Mapping():
            return any(_has_float(inner) for inner in value.values())
        case list():
            return any(_has_float(inner) for inner in value)
        case _:
            return False


def _enumeration(value: Any, kind: type, what: str) -> int:
    assert issubclass(kind, IntEnum)
    names = {member.name.lower(): member.value for member in kind}
    if isinstance(value, str):
        if value not in names:
            raise OperationTextError(
                f"no such value: {value}", what=what, next=nearest(value, list(names))
            )
        return names[value]
    return int(_integer(value, what))


def _time(value: Any, what: str) -> int:
    if isinstance(value, str) and not value.isdecimal():
        try:
            return parse_time(value)
        except (ValueError, OverflowError) as error:
            advice = "write it as 2026-01-31T09:00:00.000Z"
            raise OperationTextError(str(error), what=what, next=advice) from None
    return _integer(value, what)


def _integer(value: Any, what: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value.isdecimal() and value.isascii():
        return int(value)
    raise OperationTextError("is not an integer", what=what, next="write a whole number")
