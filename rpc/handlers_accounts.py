"""Answers about accounts: controllers, identity level, tokens, and what touched them."""

from moyai.ledger.accounts import read_account
from moyai.ledger.identity import level_of, read_identity
from moyai.ledger.tokens import read_balance, read_supply, read_token
from moyai.primitives.errors import IdentifierError
from moyai.primitives.ids import AccountId, parse_account
from moyai.primitives.state_values import Account
from moyai.primitives.transaction import parse_transaction
from moyai.rpc.cursors import AccountCursor, CursorReader, bad_cursor, cursor_text, question_mark
from moyai.rpc.errors import InvalidParamsError, NotFoundError
from moyai.rpc.ports import Place
from moyai.rpc.readable import readable_operation, readable_struct
from moyai.rpc.reads import Reads
from moyai.rpc.schema_accounts import (
    AccountHistoryParams,
    AccountHistoryShown,
    AccountParams,
    AccountShown,
    BalanceParams,
    BalanceShown,
    ControllerShown,
    HistoryItem,
    IdentityShown,
    TokenParams,
    TokenShown,
)
from moyai.rpc.texts import account_text, time_text

_cursors = CursorReader(AccountCursor)


def account_get(reads: Reads, params: AccountParams) -> AccountShown:
    """An account: who controls it, its roles, and the level that counts now."""
    account_id = account_of(params.account)
    account = _known_account(reads, account_id, params.account)
    thresholds = account.thresholds
    return AccountShown(
        height=reads.height,
        account=params.account,
        kind=account.kind.name.lower(),
        controllers=[
            ControllerShown(
                scheme=one.scheme,
                public_key=one.public_key.hex(),
                role=one.role.name.lower(),
                weight=one.weight,
                expires=None if one.expires_ms is None else time_text(one.expires_ms),
            )
            for one in account.controllers
        ],
        thresholds={
            "ordinary": thresholds.ordinary,
            "value": thresholds.value,
            "control": thresholds.control,
        },
        frozen=account.frozen,
        roles=[role.name.lower() for role in account.roles],
        member=account.member,
        sponsor=account_text(account.sponsor),
        opened=time_text(account.opened_ms),
        level=level_of(reads, account_id, account, reads.head.time_ms).name.lower(),
    )


def identity_get(reads: Reads, params: AccountParams) -> IdentityShown:
    """What a registrar has bound to an account; nothing personal is on the ledger."""
    account_id = account_of(params.account)
    account = _known_account(reads, account_id, params.account)
    level = level_of(reads, account_id, account, reads.head.time_ms).name.lower()
    identity = read_identity(reads, account_id)
    if identity is None:
        return IdentityShown(height=reads.height, account=params.account, level=level)
    return IdentityShown(
        height=reads.height,
        account=params.account,
        level=level,
        bound_level=identity.level.name.lower(),
        standing=identity.standing.name.lower(),
        expires=time_text(identity.expires_ms),
        registrar=account_text(identity.registrar),
        place_cell=identity.place_cell,
        programmes=[programme for programme, _ in identity.nullifiers],
    )


def account_history(reads: Reads, params: AccountHistoryParams) -> AccountHistoryShown:
    """The transactions that touched an account, newest first."""
    account_id = account_of(params.account)
    _known_account(reads, account_id, params.account)
    question = question_mark("account_history", params.account)
    before: Place | None = None
    if params.cursor is not None:
        cursor = _cursors.read(params.cursor)
        if cursor.question != question:
            raise bad_cursor()
        before = cursor.place
    places = reads.snapshot.account_transactions(account_id, before, params.limit)
    cursor_out = None
    if len(places) == params.limit:
        cursor_out = cursor_text(AccountCursor(question, *places[-1]))
    return AccountHistoryShown(
        height=reads.height,
        transactions=[_history_item(reads, place) for place in places],
        cursor=cursor_out,
    )


def token_get(reads: Reads, params: TokenParams) -> TokenShown:
    """A token class, its policy, and how many units of it there are."""
    token = read_token(reads, params.token)
    if token is None:
        raise _unknown_token(reads, params.token)
    return TokenShown(
        height=reads.height,
        token=params.token,
        supply=str(read_supply(reads, params.token)),
        details=readable_struct(token),
    )


def token_balance(reads: Reads, params: BalanceParams) -> BalanceShown:
    """How many units of a class an account holds; an account that never held any holds 0."""
    if read_token(reads, params.token) is None:
        raise _unknown_token(reads, params.token)
    balance = read_balance(reads, params.token, account_of(params.account))
    return BalanceShown(
        height=reads.height, token=params.token, account=params.account, balance=str(balance)
    )


def account_of(text: str) -> AccountId:
    """Return the account that an address names. Raises `InvalidParamsError`."""
    try:
        return parse_account(text)
    except IdentifierError as error:
        raise InvalidParamsError(error.reason, what=f"account {text}", next=error.next) from None


def _known_account(reads: Reads, account_id: AccountId, text: str) -> Account:
    account = read_account(reads, account_id)
    if account is None:
        raise NotFoundError(
            f"was never opened, as of height {reads.height}",
            what=f"account {text}",
            next="check the address, or ask a sponsor to open it",
        )
    return account


def _history_item(reads: Reads, place: Place) -> HistoryItem:
    snapshot = reads.snapshot
    transaction_id = reads.transaction_ids(place.height)[place.position]
    found = snapshot.transaction(transaction_id)
    receipt = snapshot.receipt(transaction_id)
    assert found is not None and receipt is not None, "a block lists what it holds"  # noqa: PT018 - one fact
    operations = parse_transaction(found.raw).body.operations
    return HistoryItem(
        id=transaction_id.hex(),
        height=place.height,
        index=place.position,
        time=time_text(reads.header(place.height).time_ms),
        code=receipt.code,
        operations=[readable_operation(one)["type"] for one in operations],
    )


def _unknown_token(reads: Reads, name: str) -> NotFoundError:
    return NotFoundError(
        f"does not exist, as of height {reads.height}",
        what=f"token class {name}",
        next="check its name",
    )
