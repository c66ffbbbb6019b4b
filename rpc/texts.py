"""The one text form of each kind of value, in and out.

Ids and digests are lower-case hexadecimal, signed or hashed bytes base64, accounts bech32m, times
RFC 3339 in UTC with milliseconds, amounts decimal.
"""

from base64 import b64encode
from binascii import Error as Base64Error
from binascii import a2b_base64
from datetime import UTC, datetime
from functools import lru_cache

from moyai.primitives.codec import encode
from moyai.primitives.errors import IdentifierError
from moyai.primitives.ids import AccountId, TimeMs, TransactionId, format_account, parse_hex
from moyai.rpc.errors import InvalidParamsError

ACCOUNTS_REMEMBERED_MAX = 16_384
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=ACCOUNTS_REMEMBERED_MAX)
def account_text(account: AccountId) -> str:
    """Return the address of an account; its checksum costs 10 µs, and pages repeat accounts."""
    return format_account(account)


def base64_text(data: bytes) -> str:
    """Return standard base64 with padding."""
    return b64encode(data).decode("ascii")


def canonical_text(value: object) -> str:
    """Return the base64 of the canonical bytes of a struct."""
    return base64_text(encode(value))


def base64_bytes(text: str, *, what: str) -> bytes:
    """Return the bytes of standard base64, with padding and nothing else in it.

    Raises `InvalidParamsError`, naming the object as `what`.
    """
    try:
        if len(text) % 4 == 0:
            return a2b_base64(text, strict_mode=True)
    except (Base64Error, ValueError):
        pass
    raise InvalidParamsError(
        "is not base64", what=what, next="encode the bytes as standard base64 with padding"
    )


def digest_bytes(text: str, *, what: str) -> bytes:
    """Return the 32 bytes of a digest. Raises `InvalidParamsError`."""
    return hex_bytes(text, bytes_exact=32, what=what)


def transaction_id(text: str) -> TransactionId:
    """Return a transaction id. Raises `InvalidParamsError`."""
    return TransactionId(digest_bytes(text, what="transaction id"))


def hex_bytes(text: str, *, bytes_exact: int, what: str) -> bytes:
    """Return the bytes of lower-case hexadecimal. Raises `InvalidParamsError`."""
    try:
        return parse_hex(text, bytes_exact=bytes_exact, what=what)
    except IdentifierError as error:
        raise InvalidParamsError(error.reason, what=what, next=error.next) from None


def path_texts(path: list[bytes]) -> list[str]:
    """Return a Merkle path as hexadecimal, nearest sibling first."""
    return [node.hex() for node in path]


def time_text(time_ms: int) -> str:
    """Return a time as RFC 3339 in UTC with milliseconds."""
    seconds, milliseconds = divmod(time_ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{milliseconds:03d}Z"


def time_of(text: str, *, what: str) -> TimeMs:
    """Return the milliseconds since 1970 of RFC 3339 with a zone. Raises `InvalidParamsError`."""
    try:
        moment = datetime.fromisoformat(text)
        since = moment - _EPOCH
    except (ValueError, TypeError, OverflowError):
        raise InvalidParamsError(
            "is no time with a zone", what=what, next="write it as 2026-01-31T09:00:00.000Z"
        ) from None
    return TimeMs((since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000)
