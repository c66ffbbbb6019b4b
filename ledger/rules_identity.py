"""Identity: what registrars bind, renew, suspend and revoke. No personal data enters the state."""

import msgspec

from moyai.ledger.accounts import signing_controllers
from moyai.ledger.codes import Code, Refusal
from moyai.ledger.context import Context
from moyai.ledger.identity import OFFICERS_FOR_PREMIUM, read_identity
from moyai.primitives.codec import encode
from moyai.primitives.genesis import Role
from moyai.primitives.ids import AccountId, format_account
from moyai.primitives.operations_accounts import ControllerRole
from moyai.primitives.operations_identity import (
    BindIdentity,
    Level,
    RenewIdentity,
    RevokeIdentity,
    SuspendIdentity,
)
from moyai.primitives.state_keys import identity_key, nullifier_key
from moyai.primitives.state_values import Identity, Standing


def bind_identity(context: Context, operation: BindIdentity) -> None:
    """Bind a level; one person holds one binding a programme."""
    _require_registrar(context, operation.level)
    context.known_account(operation.account)
    context.require_future(operation.expires_ms)
    existing = read_identity(context.overlay, operation.account)
    if existing is not None and existing.standing is not Standing.REVOKED:
        raise Refusal(Code.IDENTITY_EXISTS, format_account(operation.account))
    for entry in operation.nullifiers:
        context.require_name(entry.programme)
        key = nullifier_key(entry.programme, entry.nullifier)
        holder = context.overlay.value(key)
        if holder is not None and holder != operation.account:
            raise Refusal(Code.NULLIFIER_USED, entry.programme)
        context.overlay.put(key, operation.account)
    identity = Identity(
        level=operation.level,
        expires_ms=operation.expires_ms,
        standing=Standing.ACTIVE,
        registrar=context.account_id,
        place_cell=operation.place_cell,
        nullifiers=tuple((entry.programme, entry.nullifier) for entry in operation.nullifiers),
    )
    _write(context, operation.account, identity)
    context.say(
        "identity.bound",
        (operation.account, context.account_id),
        ("level", int(operation.level)),
        ("expires_ms", operation.expires_ms),
    )


def renew_identity(context: Context, operation: RenewIdentity) -> None:
    """Move the expiry; a suspended binding stands again."""
    identity = _own_binding(context, operation.account)
    context.require_future(operation.expires_ms)
    renewed = msgspec.structs.replace(
        identity, expires_ms=operation.expires_ms, standing=Standing.ACTIVE
    )
    _write(context, operation.account, renewed)
    context.say(
        "identity.renewed",
        (operation.account, context.account_id),
        ("expires_ms", operation.expires_ms),
    )


def suspend_identity(context: Context, operation: SuspendIdentity) -> None:
    """The level counts for nothing until it is renewed."""
    identity = _own_binding(context, operation.account)
    if identity.standing is Standing.SUSPENDED:
        raise Refusal(Code.IDENTITY_SUSPENDED, format_account(operation.account))
    _write(
        context,
        operation.account,
        msgspec.structs.replace(identity, standing=Standing.SUSPENDED),
    )
    context.say("identity.suspended", (operation.account, context.account_id))


def revoke_identity(context: Context, operation: RevokeIdentity) -> None:
    """End the binding; the person keeps the nullifiers and may be bound anew to this account."""
    identity = _own_binding(context, operation.account)
    _write(
        context,
        operation.account,
        msgspec.structs.replace(identity, standing=Standing.REVOKED),
    )
    context.say("identity.revoked", (operation.account, context.account_id))


def _own_binding(context: Context, account: AccountId) -> Identity:
    identity = read_identity(context.overlay, account)
    _require_registrar(context, Level.GUEST if identity is None else identity.level)
    if identity is None:
        raise Refusal(Code.IDENTITY_UNKNOWN, format_account(account))
    if identity.standing is Standing.REVOKED:
        raise Refusal(Code.IDENTITY_REVOKED, format_account(account))
    if identity.registrar != context.account_id:
        raise Refusal(Code.NOT_THE_REGISTRAR, format_account(identity.registrar))
    return identity


def _require_registrar(context: Context, level: Level) -> None:
    context.require_weight(context.account.thresholds.ordinary)
    context.require_role(Role.REGISTRAR)
    if level < Level.E_RESIDENT_PREMIUM:
        return
    officers = [
        controller
        for controller in signing_controllers(context.account, context.signers, context.time_ms)
        if controller.role is ControllerRole.OWNER
    ]
    if len(officers) < OFFICERS_FOR_PREMIUM:
        raise Refusal(Code.TWO_OFFICERS_NEEDED, level.name.lower())


def _write(context: Context, account: AccountId, identity: Identity) -> None:
    context.overlay.put(identity_key(account), encode(identity))
