"""The catalogue of what the door answers when it does not answer what was asked.

Each error is a JSON-RPC code and a stable name; `data` says reason, object and what to do.
Codes are never reused. Not here: codes of refused transactions (`ledger.codes`).
"""

from typing import ClassVar

import msgspec
from msgspec import UNSET, UnsetType

from moyai.primitives.errors import MoyaiError, PrunedError


class RpcError(MoyaiError):
    """An answer that is an error; the subclass fixes its number, name and HTTP status."""

    code: ClassVar[str] = "rpc_error"
    number: ClassVar[int] = -32000
    http_status: ClassVar[int] = 200
    retry_after_ms: ClassVar[int | None] = None


class ParseFailedError(RpcError):
    """The body is not JSON as this door reads it: strict, without duplicate keys, NaN, floats."""

    code = "parse_error"
    number = -32700
    http_status = 400


class InvalidRequestError(RpcError):
    """JSON, but no JSON-RPC 2.0 request, or a batch that is empty or too long."""

    code = "invalid_request"
    number = -32600
    http_status = 400


class MethodNotFoundError(RpcError):
    """No method of this name is served here."""

    code = "method_not_found"
    number = -32601


class InvalidParamsError(RpcError):
    """Parameters that are missing, unknown, of a wrong type or out of range."""

    code = "invalid_params"
    number = -32602


class InternalFaultError(RpcError):
    """A fault of this node; its log has the details, under the same reference."""

    code = "internal_error"
    number = -32603


class NotFoundError(RpcError):
    """What was asked for is not in the chain at the height of the answer."""

    code = "not_found"
    number = -32001


class NotYetProvableError(RpcError):
    """It is final, but no certified header attests its outcome yet."""

    code = "not_yet_provable"
    number = -32002
    retry_after_ms = 50


class RefusedError(RpcError):
    """The transaction was refused; `data.code` is the name of the rule."""

    code = "refused"
    number = -32003


class BusyError(RpcError):
    """The node is full at this moment: the same bytes may be sent again."""

    code = "busy"
    number = -32004
    retry_after_ms = 1_000


class TooManyRequestsError(RpcError):
    """This client has used up its share."""

    code = "too_many_requests"
    number = -32005
    http_status = 429
    retry_after_ms = 1_000


class DeadlineError(RpcError):
    """The request took longer than a request may."""

    code = "deadline"
    number = -32006
    retry_after_ms = 1_000


class AnswerTooLargeError(RpcError):
    """The answer would be larger than an answer may be."""

    code = "answer_too_large"
    number = -32007


class UnauthorizedError(RpcError):
    """Submitting needs an API key here, and the request has none that is known."""

    code = "unauthorized"
    number = -32008


class NotHeldError(RpcError):
    """The node no longer holds what it would take to answer about that height."""

    code = "not_held"
    number = -32009


class BadCursorError(RpcError):
    """A cursor that this method did not give out."""

    code = "bad_cursor"
    number = -32010


class WrongDoorError(RpcError):
    """A request refused before its body is read: host, origin, path, method, type or size."""

    code = "wrong_door"
    number = -32011
    http_status = 403


class BelowBaseError(RpcError, PrunedError):
    """It lies below the first block that this node has; `reason` says which that is."""

    code = "pruned"
    number = -32012


CATALOGUE: tuple[type[RpcError], ...] = (
    ParseFailedError,
    InvalidRequestError,
    MethodNotFoundError,
    InvalidParamsError,
    InternalFaultError,
    NotFoundError,
    NotYetProvableError,
    RefusedError,
    BusyError,
    TooManyRequestsError,
    DeadlineError,
    AnswerTooLargeError,
    UnauthorizedError,
    NotHeldError,
    BadCursorError,
    WrongDoorError,
    BelowBaseError,
)

RETRY_AFTER_MS = {
    "busy": 1_000,
    "mempool_full": 1_000,
    "account_busy": 1_000,
    "disk_full": 10_000,
    "not_ready": 1_000,
}
"""Refusals of the node that pass by themselves, and after how long to try the same bytes again."""


class ErrorData(msgspec.Struct, frozen=True, omit_defaults=True):
    """What went wrong, about which object, what to do; and when to try the same again."""

    code: str
    reason: str
    what: str
    next: str
    retry_after_ms: int | UnsetType = UNSET
    cursor: str | UnsetType = UNSET


class ErrorObject(msgspec.Struct, frozen=True):
    """The `error` member of a JSON-RPC answer."""

    code: int
    message: str
    data: ErrorData


def error_object(error: MoyaiError) -> ErrorObject:
    """Return how `error` is told: an error of the door as itself, any other as a refusal."""
    if isinstance(error, RpcError):
        number, retry = error.number, error.retry_after_ms
    elif isinstance(error, PrunedError):
        number, retry = BelowBaseError.number, None
    else:
        retry = RETRY_AFTER_MS.get(error.code)
        number = RefusedError.number if retry is None else BusyError.number
    data = ErrorData(
        code=error.code,
        reason=error.reason,
        what=error.what,
        next=error.next,
        retry_after_ms=UNSET if retry is None else retry,
    )
    return ErrorObject(number, error.reason, data)
