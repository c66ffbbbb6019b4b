"""Shapes of the `tx_…` methods."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from moyai.rpc.limits import WAIT_MS_MAX
from moyai.rpc.schema_types import (
    AccountText,
    Base64,
    HeightNumber,
    HexBytes,
    HexDigest,
    Params,
    Result,
    TimeText,
    TransactionBase64,
)

Standing = Literal["unknown", "pending", "final", "refused", "expired"]
"""unknown: this node does not know it. pending: waits for a block. final: done, for good. refused:
in a final block, changed nothing, see `code`. expired: its time ran out before a block took it."""


class SubmitParams(Params, frozen=True, kw_only=True):
    """`transaction` may be sent again and again: it has one effect."""

    transaction: TransactionBase64


class TransactionParams(Params, frozen=True, kw_only=True):
    """The transaction asked about."""

    id: HexDigest


class WaitParams(Params, frozen=True, kw_only=True):
    """How long to wait for the transaction to end; the answer then says how it stands."""

    id: HexDigest
    timeout_ms: Annotated[int, Meta(ge=0, le=WAIT_MS_MAX)] = 5_000


class TransactionStatus(Result, frozen=True, kw_only=True):
    """How a transaction stands; `height` and below are there once a final block holds it.

    `code` is the number in the receipt, 0 for done; `code_name`, `reason`, `next` say it in words.
    """

    id: HexDigest
    status: Standing
    height: HeightNumber | None = None
    index: int | None = None
    time: TimeText | None = None
    code: int | None = None
    code_name: str | None = None
    reason: str | None = None
    next: str | None = None
    subject: str | None = None


class SignerShown(Result, frozen=True, kw_only=True):
    """A key that signed: 1 Ed25519, 2 passkey."""

    scheme: int
    public_key: HexBytes


class EventShown(Result, frozen=True, kw_only=True):
    """What happened: kind `topic.verb`, the accounts it touches, named values."""

    kind: str
    accounts: list[AccountText]
    fields: dict[str, Any]


class ReceiptShown(Result, frozen=True, kw_only=True):
    """The outcome: code 0 is done, any other names the rule that refused the whole transaction."""

    code: int
    code_name: str
    reason: str
    next: str
    events: list[EventShown]
    operation: int | None = None
    subject: str | None = None


class TransactionShown(Result, frozen=True, kw_only=True):
    """A final transaction with its receipt; `transaction` are the bytes as they were signed."""

    id: HexDigest
    height: HeightNumber
    index: int
    time: TimeText
    account: AccountText
    signers: list[SignerShown]
    operations: list[dict[str, Any]]
    valid_until: TimeText
    transaction: Base64
    receipt: ReceiptShown
    memo: HexDigest | None = None


class SubmitAnswer(msgspec.Struct, frozen=True):
    """The id, and how the transaction stands now; nothing is final before it says so."""

    id: HexDigest
    status: Standing
