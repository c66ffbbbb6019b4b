"""Shapes of what is asked about accounts, their identity and their tokens."""

from typing import Any

from moyai.rpc.limits import PAGE_ITEMS_DEFAULT
from moyai.rpc.schema_types import (
    AccountText,
    AmountText,
    CursorText,
    HeightNumber,
    HexBytes,
    HexDigest,
    NameText,
    PageLimit,
    Params,
    Result,
    TimeText,
)


class AccountParams(Params, frozen=True, kw_only=True):
    """The account asked about."""

    account: AccountText


class ControllerShown(Result, frozen=True, kw_only=True):
    """A key that may act for an account."""

    scheme: int
    public_key: HexBytes
    role: str
    weight: int
    expires: TimeText | None


class AccountShown(Result, frozen=True, kw_only=True):
    """An account; `level` is what its binding is worth at the time of the newest block."""

    height: HeightNumber
    account: AccountText
    kind: str
    controllers: list[ControllerShown]
    thresholds: dict[str, int]
    frozen: bool
    roles: list[str]
    member: bool
    sponsor: AccountText
    opened: TimeText
    level: str


class AccountHistoryParams(Params, frozen=True, kw_only=True):
    """What touched an account, newest first; `cursor` goes on after an earlier page."""

    account: AccountText
    cursor: CursorText | None = None
    limit: PageLimit = PAGE_ITEMS_DEFAULT


class HistoryItem(Result, frozen=True, kw_only=True):
    """A transaction that touched the account; code 0 is done."""

    id: HexDigest
    height: HeightNumber
    index: int
    time: TimeText
    code: int
    operations: list[str]


class AccountHistoryShown(Result, frozen=True, kw_only=True):
    """A page; `cursor` is there when there is more."""

    height: HeightNumber
    transactions: list[HistoryItem]
    cursor: CursorText | None = None


class IdentityShown(Result, frozen=True, kw_only=True):
    """What is bound to an account: no personal data is on the ledger.

    `level` is what counts at the time of the newest block, `bound_level` what was bound.
    """

    height: HeightNumber
    account: AccountText
    level: str
    bound_level: str | None = None
    standing: str | None = None
    expires: TimeText | None = None
    registrar: AccountText | None = None
    place_cell: str | None = None
    programmes: list[str] | None = None


class TokenParams(Params, frozen=True, kw_only=True):
    """The token class asked about."""

    token: NameText


class TokenShown(Result, frozen=True, kw_only=True):
    """A token class, its policy, and how many units there are."""

    height: HeightNumber
    token: NameText
    supply: AmountText
    details: dict[str, Any]


class BalanceParams(Params, frozen=True, kw_only=True):
    """How many units of a class an account holds."""

    token: NameText
    account: AccountText


class BalanceShown(Result, frozen=True, kw_only=True):
    """The balance after the block at `height`."""

    height: HeightNumber
    token: NameText
    account: AccountText
    balance: AmountText
