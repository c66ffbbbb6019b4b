"""Tokens: classes with level policies; supply is conserved but by mint and burn."""

import msgspec

from moyai.ledger.codes import Code, Refusal
from moyai.ledger.context import Context
from moyai.ledger.keys import balance_key, token_key
from moyai.ledger.tokens import TokenClass, encode_balance, read_balance, read_token
from moyai.primitives.codec import encode
from moyai.primitives.genesis import Role
from moyai.primitives.ids import AccountId
from moyai.primitives.operations_tokens import (
    BurnToken,
    CreateTokenClass,
    MintToken,
    TransferToken,
)


def create_token_class(context: Context, operation: CreateTokenClass) -> None:
    """An issuer creates a class with its policy."""
    context.require_weight(context.account.thresholds.value)
    context.require_role(Role.ISSUER)
    context.require_normal_text(operation.title_ja, operation.title_en)
    if read_token(context.overlay, operation.name) is not None:
        raise Refusal(Code.TOKEN_EXISTS, operation.name)
    for minter in operation.minters:
        context.known_account(minter)
    token = TokenClass(
        creator=context.account_id,
        title_ja=operation.title_ja,
        title_en=operation.title_en,
        policy=operation.policy,
        minters=operation.minters,
        supply=0,
    )
    context.overlay.put(token_key(operation.name), encode(token))
    context.say("token.created", (context.account_id,), ("token", operation.name))


def mint_token(context: Context, operation: MintToken) -> None:
    """A minter gives new units to an account that may hold them, within the cap."""
    context.require_weight(context.account.thresholds.value)
    token = _known_token(context, operation.token)
    if context.account_id != token.creator and context.account_id not in token.minters:
        raise Refusal(Code.NOT_A_MINTER, operation.token)
    context.require_level(context.account_id, context.account, token.policy.mint_level)
    receiver = context.known_account(operation.to)
    context.require_level(operation.to, receiver, token.policy.hold_level)
    supply = token.supply + operation.amount
    if supply > token.policy.cap:
        raise Refusal(Code.CAP_EXCEEDED, operation.token)
    _write_token(context, operation.token, msgspec.structs.replace(token, supply=supply))
    _add(context, operation.token, operation.to, operation.amount)
    context.say(
        "token.minted",
        (operation.to, context.account_id),
        ("token", operation.token),
        ("amount", operation.amount),
    )


def transfer_token(context: Context, operation: TransferToken) -> None:
    """The acting account gives units to another; both need the levels of the policy."""
    context.require_weight(context.account.thresholds.value)
    token = _known_token(context, operation.token)
    policy = token.policy
    if not policy.transferable:
        raise Refusal(Code.NOT_TRANSFERABLE, operation.token)
    if operation.to == context.account_id:
        raise Refusal(Code.SELF_TRANSFER, operation.token)
    context.require_level(context.account_id, context.account, policy.send_level)
    receiver = context.known_account(operation.to)
    context.require_level(operation.to, receiver, policy.hold_level)
    _take(context, operation.token, operation.amount)
    _add(context, operation.token, operation.to, operation.amount)
    context.say(
        "token.transferred",
        (context.account_id, operation.to),
        ("token", operation.token),
        ("amount", operation.amount),
    )


def burn_token(context: Context, operation: BurnToken) -> None:
    """The acting account destroys units of its own."""
    context.require_weight(context.account.thresholds.value)
    token = _known_token(context, operation.token)
    _take(context, operation.token, operation.amount)
    left = msgspec.structs.replace(token, supply=token.supply - operation.amount)
    _write_token(context, operation.token, left)
    context.say(
        "token.burned",
        (context.account_id,),
        ("token", operation.token),
        ("amount", operation.amount),
    )


def _known_token(context: Context, name: str) -> TokenClass:
    token = read_token(context.overlay, name)
    if token is None:
        raise Refusal(Code.TOKEN_UNKNOWN, name)
    return token


def _write_token(context: Context, name: str, token: TokenClass) -> None:
    context.overlay.put(token_key(name), encode(token))


def _take(context: Context, name: str, amount: int) -> None:
    balance = read_balance(context.overlay, name, context.account_id)
    if balance < amount:
        raise Refusal(Code.BALANCE_TOO_LOW, name)
    context.overlay.put(balance_key(name, context.account_id), encode_balance(balance - amount))


def _add(context: Context, name: str, account: AccountId, amount: int) -> None:
    balance = read_balance(context.overlay, name, account)
    context.overlay.put(balance_key(name, account), encode_balance(balance + amount))
