"""What a change makes of the consortium: the members and parameters after it, or why it cannot be.

Pure: it decides nothing about who may ask (`rules_governance`) and writes nothing (`epoch_end`).
"""

from collections.abc import Callable
from typing import assert_never

import msgspec

from moyai.ledger.accounts import read_account
from moyai.ledger.codes import Code, Refusal
from moyai.ledger.state import ValueReader
from moyai.primitives.errors import PublicKeyError
from moyai.primitives.genesis import Member, Role
from moyai.primitives.ids import (
    KEY_BYTES,
    AccountId,
    Epoch,
    NetworkKey,
    PublicKey,
    format_account,
)
from moyai.primitives.keys import check_public_key
from moyai.primitives.limits import VALIDATORS_MAX
from moyai.primitives.operations_accounts import AccountKind, ControllerRole
from moyai.primitives.operations_governance import (
    AddMember,
    Change,
    RemoveMember,
    RotateNetworkKey,
    RotateValidatorKey,
    SetEndpoint,
    SetParameters,
)
from moyai.primitives.parameters import Parameters
from moyai.primitives.state_values import Account
from moyai.primitives.transaction import Scheme
from moyai.primitives.validators import ValidatorSet

ONLY_GROWING = frozenset({"tx_window_ms"})
"""A shorter window would forget transactions that could still be repeated."""

ORDERED = (("block_interval_min_ms", "block_interval_max_ms"), ("delta_ms", "delta_max_ms"))
"""Of each pair the first is at most the second."""

_NULL_NETWORK_KEY = bytes(KEY_BYTES)


class Consortium(msgspec.Struct, frozen=True):
    """Who runs the chain, in the order of joining, and by which parameters."""

    members: tuple[Member, ...]
    parameters: Parameters

    def validators(self, epoch: Epoch) -> ValidatorSet:
        """Return the validator set that the members make in `epoch`."""
        return ValidatorSet(epoch, tuple(sorted(one.validator_key for one in self.members)))


def changed(before: Consortium, change: Change, reader: ValueReader) -> Consortium:
    """Return the consortium after `change`. Raises `Refusal` when it cannot be."""
    match change:
        case AddMember():
            after = _with_member(before, change, reader)
        case RemoveMember():
            after = _without_member(before, change.account)
        case RotateValidatorKey(account=account, validator_key=validator_key):
            after = _with_changed_member(
                before,
                account,
                lambda member: msgspec.structs.replace(member, validator_key=validator_key),
            )
        case RotateNetworkKey(account=account, network_key=network_key):
            after = _with_changed_member(
                before,
                account,
                lambda member: msgspec.structs.replace(member, network_key=network_key),
            )
        case SetEndpoint(account=account, endpoint=endpoint):
            after = _with_changed_member(
                before, account, lambda member: msgspec.structs.replace(member, endpoint=endpoint)
            )
        case SetParameters():
            after = Consortium(before.members, _with_settings(before.parameters, change))
        case _:
            assert_never(change)
    if after == before:
        raise Refusal(Code.CHANGE_EMPTY)
    _require_distinct(after.members)
    return after


def member_of(account_id: AccountId, account: Account, entry: Member) -> Member:
    """Return a member with the officers and roles that its account has now."""
    officers = tuple(
        PublicKey(one.public_key)
        for one in account.controllers
        if one.role is ControllerRole.OWNER and one.scheme == Scheme.ED25519
    )
    return msgspec.structs.replace(
        entry, account=account_id, officer_keys=officers, roles=account.roles
    )


def _with_member(before: Consortium, change: AddMember, reader: ValueReader) -> Consortium:
    account = read_account(reader, change.account)
    if account is None:
        raise Refusal(Code.ACCOUNT_UNKNOWN, format_account(change.account))
    if account.kind is not AccountKind.ORGANISATION:
        raise Refusal(Code.NOT_AN_ORGANISATION, format_account(change.account))
    if any(one.account == change.account for one in before.members):
        raise Refusal(Code.MEMBER_EXISTS, format_account(change.account))
    if len(before.members) >= VALIDATORS_MAX:
        raise Refusal(Code.MEMBERS_TOO_MANY, str(VALIDATORS_MAX))
    _require_validator_key(change.validator_key)
    _require_network_key(change.network_key)
    entry = Member(
        name=change.name,
        validator_key=change.validator_key,
        network_key=change.network_key,
        endpoint=change.endpoint,
        account=change.account,
        officer_keys=(),
        roles=(),
    )
    joining = msgspec.structs.replace(account, roles=tuple(dict.fromkeys(change.roles)))
    return msgspec.structs.replace(
        before, members=(*before.members, member_of(change.account, joining, entry))
    )


def _without_member(before: Consortium, account: AccountId) -> Consortium:
    _known(before, account)
    left = tuple(one for one in before.members if one.account != account)
    roles = [role for one in left for role in one.roles]
    for needed in (Role.SPONSOR, Role.REGISTRAR):
        if needed not in roles:
            raise Refusal(Code.LAST_OF_ITS_ROLE, needed.name.lower())
    return msgspec.structs.replace(before, members=left)


def _with_changed_member(
    before: Consortium, account: AccountId, change: Callable[[Member], Member]
) -> Consortium:
    old = _known(before, account)
    new = change(old)
    if new.validator_key != old.validator_key:
        _require_validator_key(new.validator_key)
    if new.network_key != old.network_key:
        _require_network_key(new.network_key)
    members = tuple(new if one is old else one for one in before.members)
    return msgspec.structs.replace(before, members=members)


def _with_settings(before: Parameters, change: SetParameters) -> Parameters:
    values = msgspec.structs.asdict(before)
    for setting in change.settings:
        if setting.name not in values:
            raise Refusal(Code.PARAMETER_INVALID, setting.name)
        if setting.name in ONLY_GROWING and setting.number < values[setting.name]:
            raise Refusal(Code.PARAMETER_INVALID, setting.name)
        values[setting.name] = setting.number
    try:
        after = msgspec.convert(list(values.values()), Parameters)
    except msgspec.ValidationError:
        raise Refusal(Code.PARAMETER_INVALID, _out_of_domain(change)) from None
    for low, high in ORDERED:
        if values[low] > values[high]:
            raise Refusal(Code.PARAMETER_INVALID, f"{low} above {high}")
    return after


def _out_of_domain(change: SetParameters) -> str:
    """Return the name of the first setting that no parameters could have."""
    sound = msgspec.structs.asdict(Parameters())
    for setting in change.settings:
        try:
            msgspec.convert(list({**sound, setting.name: setting.number}.values()), Parameters)
        except msgspec.ValidationError:
            return setting.name
    return ""


def _known(before: Consortium, account: AccountId) -> Member:
    for member in before.members:
        if member.account == account:
            return member
    raise Refusal(Code.MEMBER_UNKNOWN, format_account(account))


def _require_validator_key(key: PublicKey) -> None:
    try:
        check_public_key(key, what="validator key")
    except PublicKeyError:
        raise Refusal(Code.KEY_INVALID, key.hex()) from None


def _require_network_key(key: NetworkKey) -> None:
    if key == _NULL_NETWORK_KEY:
        raise Refusal(Code.KEY_INVALID, key.hex())


def _require_distinct(members: tuple[Member, ...]) -> None:
    for kind, values in (
        ("name", [member.name for member in members]),
        ("validator key", [member.validator_key for member in members]),
        ("network key", [member.network_key for member in members]),
    ):
        if len(set(values)) != len(values):
            raise Refusal(Code.MEMBER_NOT_DISTINCT, kind)
