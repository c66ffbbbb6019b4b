"""One JSON-RPC 2.0 call: what a request says, and what an answer looks like.

Not here: what a method does with its parameters.
"""

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from moyai.primitives.errors import MoyaiError
from moyai.rpc.errors import InvalidParamsError, InvalidRequestError, RpcError, error_object
from moyai.rpc.limits import ANSWER_BYTES_MAX, ID_CHARACTERS_MAX, METHOD_CHARACTERS_MAX
from moyai.rpc.schema_types import Params

CallId = str | int | None
_MEMBERS = frozenset({"jsonrpc", "id", "method", "params"})
_NEXT = 'send {"jsonrpc": "2.0", "id": 1, "method": "chain_head", "params": {}}'
_encoder = msgspec.json.Encoder()


class Call(msgspec.Struct, frozen=True):
    """A request; an id of UNSET makes it a notification, which has no answer."""

    id: CallId | UnsetType
    method: str
    params: dict[str, Any]


def parse_call(value: Any) -> Call:
    """Return the call that a JSON value is. Raises `InvalidRequestError`."""
    if type(value) is not dict:
        raise _invalid("is not an object")
    if not _MEMBERS.issuperset(value):
        raise _invalid("has a member that JSON-RPC does not have")
    if value.get("jsonrpc") != "2.0":
        raise _invalid('lacks "jsonrpc": "2.0"')
    method = value.get("method")
    if type(method) is not str or len(method) > METHOD_CHARACTERS_MAX:
        raise _invalid("has no method, or one with a name too long")
    params = value.get("params", {})
    if type(params) is not dict:
        raise _invalid("has parameters that are not an object: give them by name")
    return Call(_checked_id(value.get("id", UNSET)), method, params)


def call_id(value: Any) -> CallId:
    """Return the id to answer a value that is no call with: its own if it has a good one."""
    if type(value) is not dict:
        return None
    try:
        found = _checked_id(value.get("id"))
    except InvalidRequestError:
        return None
    return None if found is UNSET else found


def convert_params(raw: dict[str, Any], kind: type[Params]) -> Params:
    """Return typed parameters. Raises `InvalidParamsError`, naming the parameter."""
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        reason, _, place = str(error).partition(" - at `$")
        raise InvalidParamsError(
            reason,
            what="params" + place.rstrip("`"),
            next="look the method up with rpc.discover or in docs/rpc.md",
        ) from None


def result_bytes(call: CallId, result: Any) -> bytes:
    """Return the answer with a result. Raises `ValueError` when it is larger than allowed."""
    encoded = _encoder.encode({"jsonrpc": "2.0", "id": call, "result": result})
    if len(encoded) > ANSWER_BYTES_MAX:
        raise ValueError("answer too large")
    return encoded


def error_bytes(call: CallId, error: MoyaiError) -> bytes:
    """Return the answer with an error."""
    return _encoder.encode({"jsonrpc": "2.0", "id": call, "error": error_object(error)})


def notification_bytes(params: msgspec.Struct) -> bytes:
    """Return what a subscription sends."""
    return _encoder.encode({"jsonrpc": "2.0", "method": "subscription", "params": params})


def http_status(error: MoyaiError) -> int:
    """Return the HTTP status of an answer that is one error."""
    return error.http_status if isinstance(error, RpcError) else 200


def _checked_id(value: Any) -> CallId | UnsetType:
    if value is None or value is UNSET or type(value) is int:
        return value
    if type(value) is str and len(value) <= ID_CHARACTERS_MAX:
        return value
    raise _invalid("has an id that is neither a text nor an integer")


def _invalid(reason: str) -> InvalidRequestError:
    return InvalidRequestError(reason, what="request", next=_NEXT)
