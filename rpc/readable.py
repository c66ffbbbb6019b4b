"""Ledger structs as plain data with names, for people and for programs without our types.

Accounts become addresses, other bytes hexadecimal, enumerations lower-case words, amounts decimal
texts, times (`…_ms`) RFC 3339 under the name without `_ms`, records JSON. Operations and
changes carry a `type`; their form is the one that `moyai tx build` reads. Not here: results of
their own shape.
"""

import json
import re
from enum import IntEnum
from functools import cache
from typing import Any

import msgspec

from moyai.primitives.ids import ACCOUNT_BYTES, AccountId
from moyai.primitives.operations import Operation
from moyai.primitives.operations_governance import Change
from moyai.primitives.receipt import Event
from moyai.rpc.texts import account_text, time_text

AMOUNT_NAMES = frozenset({"amount", "cap", "supply", "balance"})
JSON_NAMES = frozenset({"schema", "value"})
TIME_SUFFIX = "_ms"


def readable_operation(operation: Operation | Change) -> dict[str, Any]:
    """Return an operation, or a change it proposes, with its `type`, like `transfer_token`."""
    return _typed(operation)


def readable_struct(value: msgspec.Struct) -> dict[str, Any]:
    """Return the fields of a struct by name."""
    shown = {}
    for name in value.__struct_fields__:
        key = name.removesuffix(TIME_SUFFIX)
        shown[key] = readable_value(name, getattr(value, name))
    return shown


def readable_event(event: Event) -> dict[str, Any]:
    """Return kind, accounts and named fields of an event."""
    return {
        "kind": event.kind,
        "accounts": [account_text(account) for account in event.accounts],
        "fields": {
            name.removesuffix(TIME_SUFFIX): readable_value(name, value)
            for name, value in event.fields
        },
    }


def readable_value(name: str, value: Any) -> Any:
    """Return one value; how it is told depends on its type and the name of its field."""
    match value:
        case IntEnum():
            return value.name.lower()
        case bool() | None | str():
            return value
        case int():
            return _readable_integer(name, value)
        case bytes():
            return _readable_bytes(name, value)
        case tuple() | list():
            return [readable_value(name, inner) for inner in value]
        case msgspec.Struct():
            is_one_of_several = value.__struct_config__.tag is not None
            return _typed(value) if is_one_of_several else readable_struct(value)
        case _:
            raise TypeError(f"no text form for {type(value).__name__}")


def _typed(value: msgspec.Struct) -> dict[str, Any]:
    return {"type": _snake(type(value).__name__), **readable_struct(value)}


def _readable_integer(name: str, value: int) -> int | str:
    if name.endswith(TIME_SUFFIX):
        return time_text(value)
    return str(value) if name in AMOUNT_NAMES else value


def _readable_bytes(name: str, value: bytes) -> Any:
    if name in JSON_NAMES:
        return json.loads(value)
    return account_text(AccountId(value)) if len(value) == ACCOUNT_BYTES else value.hex()


@cache
def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
