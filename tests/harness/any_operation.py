"""Any operation that decodes, drawn from the types and bounds of its fields and nothing else.

Not here: operations that mean something; those are in `ledger_city` and `test_reference`.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, get_args

import msgspec
from hypothesis import strategies as st
from msgspec import inspect

from moyai.primitives.operations import Operation

LENGTH_MAX = 70
INTEGER_MAX = 2**53


def any_operation(known: Sequence[Any]) -> st.SearchStrategy[Operation]:
    """Return operations whose texts and bytes are often among the `known` ones."""
    return st.one_of([_struct(kind, tuple(known)) for kind in get_args(Operation)])


@cache
def _struct(kind: type[msgspec.Struct], known: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    info = inspect.type_info(kind)
    assert isinstance(info, inspect.StructType)
    fields = st.tuples(*(_value(field.type, known) for field in info.fields))
    head = [] if info.tag is None else [info.tag]
    plain = fields.map(lambda values: msgspec.to_builtins([*head, *values], builtin_types=(bytes,)))
    return plain.map(lambda values: _converted(values, kind)).filter(lambda one: one is not None)


def _converted(values: list[Any], kind: type[msgspec.Struct]) -> Any:
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError:
        return None


def _value(kind: inspect.Type, known: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    match kind:
        case inspect.Metadata(type=inner):
            return _value(inner, known)
        case inspect.UnionType(types=types):
            return st.one_of([_value(one, known) for one in types])
        case inspect.NoneType() | inspect.BoolType():
            return st.none() if isinstance(kind, inspect.NoneType) else st.booleans()
        case inspect.IntType(ge=low, le=high):
            return st.integers(low or 0, INTEGER_MAX if high is None else high)
        case inspect.EnumType(cls=cls):
            return st.sampled_from(list(cls))
        case inspect.StructType(cls=cls):
            return _struct(cls, known)
        case inspect.VarTupleType(item_type=item, min_length=least, max_length=most):
            longest = min(most or 3, 3)
            return st.lists(_value(item, known), min_size=least or 0, max_size=longest).map(tuple)
        case inspect.StrType():
            return _text(kind, known)
        case inspect.BytesType():
            return _bytes(kind, known)
        case _:
            raise TypeError(f"no strategy for {kind}")


def _text(kind: inspect.StrType, known: tuple[Any, ...]) -> st.SearchStrategy[str]:
    named = st.sampled_from([one for one in known if isinstance(one, str)])
    if kind.pattern is not None:
        return named | st.from_regex(kind.pattern, fullmatch=True)
    return named | st.text(min_size=kind.min_length or 0, max_size=LENGTH_MAX)


def _bytes(kind: inspect.BytesType, known: tuple[Any, ...]) -> st.SearchStrategy[bytes]:
    least, most = kind.min_length or 0, kind.max_length or LENGTH_MAX
    fitting = [one for one in known if isinstance(one, bytes) and least <= len(one) <= most]
    free = st.binary(min_size=least, max_size=min(most, LENGTH_MAX))
    return st.sampled_from(fitting) | free if fitting else free
