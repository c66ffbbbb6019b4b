"""Accounts: opening by a sponsor, controllers, freezing at once and thawing with strength."""

import msgspec

from moyai.ledger.accounts import (
    CONTROLLERS_MAX,
    signing_controllers,
    thresholds_reachable,
)
from moyai.ledger.codes import Code, Refusal
from moyai.ledger.context import Context
from moyai.primitives.codec import encode
from moyai.primitives.errors import PublicKeyError
from moyai.primitives.genesis import Role
from moyai.primitives.ids import AccountId, format_account
from moyai.primitives.keys import check_public_key
from moyai.primitives.operations_accounts import (
    AddController,
    Controller,
    FreezeAccount,
    OpenAccount,
    RemoveController,
    RotateController,
    ThawAccount,
)
from moyai.primitives.state_keys import account_key
from moyai.primitives.state_values import Account
from moyai.primitives.transaction import Scheme, opened_account
from moyai.primitives.webauthn import check_passkey


def open_account(context: Context, operation: OpenAccount) -> None:
    """A sponsor opens an account; its id comes from the transaction and the operation's place."""
    context.require_weight(context.account.thresholds.ordinary, helpers=True)
    context.require_role(Role.SPONSOR)
    for controller in operation.controllers:
        _require_sound(context, controller)
    keys = [controller.public_key for controller in operation.controllers]
    if len(set(keys)) != len(keys):
        raise Refusal(Code.CONTROLLER_EXISTS, "a key stands twice")
    if not thresholds_reachable(operation.controllers, operation.thresholds):
        raise Refusal(Code.THRESHOLD_UNREACHABLE)
    account_id = opened_account(context.transaction_id, context.operation)
    account = Account(
        kind=operation.kind,
        controllers=operation.controllers,
        thresholds=operation.thresholds,
        frozen=False,
        roles=(),
        member=False,
        sponsor=context.account_id,
        opened_ms=context.time_ms,
    )
    _write(context, account_id, account)
    context.say("account.opened", (account_id, context.account_id), ("kind", int(operation.kind)))


def add_controller(context: Context, operation: AddController) -> None:
    """The owners add a key."""
    account = context.account
    context.require_weight(account.thresholds.control)
    _require_sound(context, operation.controller)
    if len(account.controllers) >= CONTROLLERS_MAX:
        raise Refusal(Code.CONTROLLERS_TOO_MANY)
    if any(one.public_key == operation.controller.public_key for one in account.controllers):
        raise Refusal(Code.CONTROLLER_EXISTS, operation.controller.public_key.hex())
    _replace_controllers(context, (*account.controllers, operation.controller))
    context.say("controller.added", (context.account_id,), ("key", operation.controller.public_key))


def remove_controller(context: Context, operation: RemoveController) -> None:
    """The owners remove a key; what is left must still be able to act."""
    account = context.account
    context.require_weight(account.thresholds.control)
    _find(account, operation.public_key)
    left = tuple(one for one in account.controllers if one.public_key != operation.public_key)
    if not thresholds_reachable(left, account.thresholds):
        raise Refusal(Code.LAST_OWNER, operation.public_key.hex())
    _replace_controllers(context, left)
    context.say("controller.removed", (context.account_id,), ("key", operation.public_key))


def rotate_controller(context: Context, operation: RotateController) -> None:
    """The owners replace a key by another; role and weight stay."""
    account = context.account
    context.require_weight(account.thresholds.control)
    old = _find(account, operation.public_key)
    new = Controller(
        operation.new_scheme,
        operation.new_public_key,
        old.role,
        old.weight,
        operation.new_expires_ms,
    )
    _require_sound(context, new)
    if any(one.public_key == new.public_key for one in account.controllers):
        raise Refusal(Code.CONTROLLER_EXISTS, new.public_key.hex())
    rotated = tuple(new if one is old else one for one in account.controllers)
    if not thresholds_reachable(rotated, account.thresholds):
        raise Refusal(Code.LAST_OWNER, operation.public_key.hex())
    _replace_controllers(context, rotated)
    context.say(
        "controller.rotated",
        (context.account_id,),
        ("key", operation.public_key),
        ("new_key", new.public_key),
    )


def freeze_account(context: Context, operation: FreezeAccount) -> None:
    """Any single controller of the account, or the registrar's counter, freezes it at once."""
    target = context.known_account(operation.account)
    own = signing_controllers(target, context.signers, context.time_ms)
    if not own or operation.account != context.account_id:
        context.require_weight(context.account.thresholds.ordinary, helpers=True)
        context.require_role(Role.REGISTRAR)
    if target.frozen:
        raise Refusal(Code.ACCOUNT_FROZEN, format_account(operation.account))
    _write(context, operation.account, msgspec.structs.replace(target, frozen=True))
    context.say("account.frozen", (operation.account, context.account_id))


def thaw_account(context: Context, operation: ThawAccount) -> None:
    """The owners of the account, or of a registrar, thaw it with their control threshold."""
    target = context.known_account(operation.account)
    if operation.account == context.account_id:
        context.require_signatures(operation.account, target, target.thresholds.control)
    else:
        context.require_weight(context.account.thresholds.control)
        context.require_role(Role.REGISTRAR)
    if not target.frozen:
        raise Refusal(Code.ACCOUNT_NOT_FROZEN, format_account(operation.account))
    _write(context, operation.account, msgspec.structs.replace(target, frozen=False))
    context.say("account.thawed", (operation.account, context.account_id))


def _require_sound(context: Context, controller: Controller) -> None:
    try:
        if controller.scheme == Scheme.ED25519:
            check_public_key(controller.public_key, what="controller")
        else:
            check_passkey(controller.public_key, what="controller")
    except PublicKeyError:
        raise Refusal(Code.KEY_INVALID, controller.public_key.hex()) from None
    if controller.expires_ms is not None:
        context.require_future(controller.expires_ms)


def _find(account: Account, public_key: bytes) -> Controller:
    for controller in account.controllers:
        if controller.public_key == public_key:
            return controller
    raise Refusal(Code.CONTROLLER_UNKNOWN, public_key.hex())


def _replace_controllers(context: Context, controllers: tuple[Controller, ...]) -> None:
    changed = msgspec.structs.replace(context.account, controllers=controllers)
    _write(context, context.account_id, changed)


def _write(context: Context, account_id: AccountId, account: Account) -> None:
    context.overlay.put(account_key(account_id), encode(account))
    if account_id == context.account_id:
        context.account = account
