"""How patient a client is, and the clock and the chance that it uses; defaults suit a city."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from moyai.primitives.limits import TRANSACTION_NONCE_BYTES

BATCH_CALLS_MAX = 50
"""What a node takes in one request."""

ANSWER_BYTES_MAX = 6 * 1024 * 1024
"""What a node answers at most, with some room."""

PROOF_WAIT_MS = 2_000
"""For how long a node is asked to wait until a transaction can be proven."""


def wall_clock_ms() -> int:
    """Return the milliseconds since 1970 by this machine's clock."""
    return int(datetime.now(UTC).timestamp() * 1000)


def fresh_nonce() -> bytes:
    """Return the random bytes that make two equal transactions distinct."""
    return secrets.token_bytes(TRANSACTION_NONCE_BYTES)


class ClientSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller may choose; times in milliseconds.

    `valid_for_ms` is for how long a transaction may still enter a block; the client repeats its
    bytes until then. `rounds_max`: how often every node is asked before a read fails.
    """

    request_timeout_ms: int = 12_000
    valid_for_ms: int = 60_000
    retry_pause_ms: int = 100
    retry_pause_max_ms: int = 2_000
    rounds_max: int = 3
    head_save_interval_ms: int = 1_000
    api_key: str | None = None
    now_ms: Callable[[], int] = wall_clock_ms
    nonce: Callable[[], bytes] = fresh_nonce
