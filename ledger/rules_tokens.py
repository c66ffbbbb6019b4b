"""Tokens: classes with policies by level; minting, transfer and burning. Supply is conserved."""

from moyai.ledger.codes import Code, Refusal
from moyai.ledger.context import Context
from moyai.ledger.tokens import read_balance, read_supply, read_token
from moyai.primitives.codec import encode
from moyai.primitives.genesis import Role
from moyai.primitives.ids import AccountId, format_account
from moyai.primitives.operations_tokens import (
    BurnToken,
    CreateTokenClass,
    MintToken,
    TransferToken,
)
from moyai.primitives.state_keys import balance_key, supply_key, token_key
from moyai.primitives.state_values import TokenClass, encode_amount


def create_token_class(context: Context, operation: CreateTokenClass) -> None:
    """An issuer creates a class under a new name."""
    context.require_weight(context.account.thresholds.ordinary)
    context.require_role(Role.ISSUER)
    context.require_text(operation.title_ja, operation.title_en)
    if read_token(context.overlay, operation.name) is not None:
        raise Refusal(Code.TOKEN_EXISTS, operation.name)
    for minter in operation.minters:
        context.known_account(minter)
    token = TokenClass(
        title_ja=operation.title_ja,
        title_en=operation.title_en,
        creator=context.account_id,
        minters=operation.minters,
        policy=operation.policy,
    )
    context.overlay.put(token_key(operation.name), encode(token))
    context.say("token.created", (context.account_id,), ("token", operation.name))


def mint_token(context: Context, operation: MintToken) -> None:
    """The issuer or a minter gives new units, within the cap, to who may hold them."""
    context.require_weight(context.account.thresholds.value)
    token = _known_class(context, operation.token)
    if context.account_id != token.creator and context.account_id not in token.minters:
        raise Refusal(Code.NOT_A_MINTER, operation.token)
    context.require_level(context.account_id, context.account, token.policy.mint_level)
    receiver = context.known_account(operation.to)
    context.require_level(operation.to, receiver, token.policy.hold_level)
    supply = read_supply(context.overlay, operation.token) + operation.amount
    if supply > token.policy.cap:
        raise Refusal(Code.CAP_EXCEEDED, operation.token)
    balance = read_balance(context.overlay, operation.token, operation.to)
    _set_balance(context, operation.token, operation.to, balance + operation.amount)
    context.overlay.put(supply_key(operation.token), encode_amount(supply))
    context.say(
        "token.minted",
        (operation.to, context.account_id),
        ("token", operation.token),
        ("amount", operation.amount),
    )


def transfer_token(context: Context, operation: TransferToken) -> None:
    """Who may send gives to who may hold."""
    context.require_weight(context.account.thresholds.value)
    token = _known_class(context, operation.token)
    policy = token.policy
    if not policy.transferable:
        raise Refusal(Code.NOT_TRANSFERABLE, operation.token)
    if operation.to == context.account_id:
        raise Refusal(Code.SELF_TRANSFER, format_account(operation.to))
    receiver = context.known_account(operation.to)
    context.require_level(context.account_id, context.account, policy.send_level)
    context.require_level(operation.to, receiver, policy.hold_level)
    left = _balance_after(context, operation.token, operation.amount)
    received = read_balance(context.overlay, operation.token, operation.to) + operation.amount
    _set_balance(context, operation.token, context.account_id, left)
    _set_balance(context, operation.token, operation.to, received)
    context.say(
        "token.transferred",
        (context.account_id, operation.to),
        ("token", operation.token),
        ("amount", operation.amount),
    )


def burn_token(context: Context, operation: BurnToken) -> None:
    """A holder destroys units of its own."""
    context.require_weight(context.account.thresholds.value)
    _known_class(context, operation.token)
    left = _balance_after(context, operation.token, operation.amount)
    supply = read_supply(context.overlay, operation.token) - operation.amount
    assert supply >= 0, "an account held more than exists"
    _set_balance(context, operation.token, context.account_id, left)
    context.overlay.put(supply_key(operation.token), encode_amount(supply))
    context.say(
        "token.burned",
        (context.account_id,),
        ("token", operation.token),
        ("amount", operation.amount),
    )


def _known_class(context: Context, name: str) -> TokenClass:
    token = read_token(context.overlay, name)
    if token is None:
        raise Refusal(Code.TOKEN_UNKNOWN, name)
    return token


def _balance_after(context: Context, name: str, amount: int) -> int:
    left = read_balance(context.overlay, name, context.account_id) - amount
    if left < 0:
        raise Refusal(Code.BALANCE_TOO_LOW, name)
    return left


def _set_balance(context: Context, name: str, account: AccountId, amount: int) -> None:
    context.overlay.put(balance_key(name, account), encode_amount(amount))
