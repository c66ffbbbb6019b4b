"""What a change makes of the consortium: members, full nodes, parameters, or why it cannot be.

Pure: it decides nothing about who may ask (`rules_governance`) and writes nothing (`epoch_end`).
"""

from typing import TypeAlias, assert_never

import msgspec

from moyai.ledger.accounts import read_account
from moyai.ledger.codes import Code, Refusal
from moyai.ledger.state import ValueReader
from moyai.primitives.errors import PublicKeyError
from moyai.primitives.genesis import FullNode, Member, Role
from moyai.primitives.ids import (
    KEY_BYTES,
    AccountId,
    Epoch,
    NetworkKey,
    PublicKey,
    format_account,
)
from moyai.primitives.keys import check_public_key
from moyai.primitives.limits import FULL_NODES_MAX, VALIDATORS_MAX
from moyai.primitives.operations_accounts import AccountKind, ControllerRole
from moyai.primitives.operations_governance import (
    AddFullNode,
    AddMember,
    Change,
    RecoverOfficers,
    RemoveFullNode,
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

_OfOneMember: TypeAlias = RotateValidatorKey | RotateNetworkKey | SetEndpoint | RecoverOfficers

_NULL_NETWORK_KEY = bytes(KEY_BYTES)


class Consortium(msgspec.Struct, frozen=True):
    """Who runs and who follows the chain, in the order of joining, and by which parameters."""

    members: tuple[Member, ...]
    full_nodes: tuple[FullNode, ...]
    parameters: Parameters

    def validators(self, epoch: Epoch) -> ValidatorSet:
        """Return the validator set that the members make in `epoch`."""
        return ValidatorSet(epoch, tuple(sorted(one.validator_key for one in self.members)))

    def network_keys(self) -> list[tuple[NetworkKey, str]]:
        """Return the network keys of all nodes, with the nodes' names."""
        members = [(one.network_key, one.name) for one in self.members]
        return [*members, *((one.network_key, one.name) for one in self.full_nodes)]


def changed(before: Consortium, change: Change, reader: ValueReader) -> Consortium:
    """Return the consortium after `change`. Raises `Refusal` when it cannot be."""
    match change:
        case AddMember():
            after = _with_member(before, change, reader)
        case RemoveMember():
            after = _without_member(before, change.account)
        case RotateValidatorKey() | RotateNetworkKey() | SetEndpoint() | RecoverOfficers():
            after = _with_changed_member(before, change)
        case SetParameters():
            parameters = _with_settings(before.parameters, change)
            after = msgspec.structs.replace(before, parameters=parameters)
        case AddFullNode():
            after = _with_full_node(before, change)
        case RemoveFullNode():
            after = _without_full_node(before, change.name)
        case _:
            assert_never(change)
    # An account's own keys change at any time, so a recovery may turn out to be of what is there.
    if after == before and not isinstance(change, RecoverOfficers):
        raise Refusal(Code.CHANGE_EMPTY)
    _require_distinct(after)
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
    _require_signing_key(change.validator_key)
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


def _with_changed_member(before: Consortium, change: _OfOneMember) -> Consortium:
    old = _known(before, change.account)
    new = _changed_member(old, change)
    members = tuple(new if one is old else one for one in before.members)
    return msgspec.structs.replace(before, members=members)


def _changed_member(old: Member, change: _OfOneMember) -> Member:
    match change:
        case RotateValidatorKey(validator_key=key):
            if key != old.validator_key:
                _require_signing_key(key)
            return msgspec.structs.replace(old, validator_key=key)
        case RotateNetworkKey(network_key=key):
            _require_network_key(key)
            return msgspec.structs.replace(old, network_key=key)
        case SetEndpoint(endpoint=endpoint):
            return msgspec.structs.replace(old, endpoint=endpoint)
        case RecoverOfficers(officer_keys=keys):
            for key in keys:
                _require_signing_key(key)
            if len(set(keys)) != len(keys):
                raise Refusal(Code.CONTROLLER_EXISTS, "a key stands twice")
            return msgspec.structs.replace(old, officer_keys=keys)
        case _:
            assert_never(change)


def _with_full_node(before: Consortium, change: AddFullNode) -> Consortium:
    if len(before.full_nodes) >= FULL_NODES_MAX:
        raise Refusal(Code.FULL_NODES_TOO_MANY, str(FULL_NODES_MAX))
    _require_network_key(change.network_key)
    node = FullNode(change.name, change.network_key, change.endpoint)
    return msgspec.structs.replace(before, full_nodes=(*before.full_nodes, node))


def _without_full_node(before: Consortium, name: str) -> Consortium:
    left = tuple(one for one in before.full_nodes if one.name != name)
    if len(left) == len(before.full_nodes):
        raise Refusal(Code.FULL_NODE_UNKNOWN, name)
    return msgspec.structs.replace(before, full_nodes=left)


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


def _require_signing_key(key: PublicKey) -> None:
    try:
        check_public_key(key, what="key of a member")
    except PublicKeyError:
        raise Refusal(Code.KEY_INVALID, key.hex()) from None


def _require_network_key(key: NetworkKey) -> None:
    if key == _NULL_NETWORK_KEY:
        raise Refusal(Code.KEY_INVALID, key.hex())


def _require_distinct(after: Consortium) -> None:
    for kind, values in (
        ("name", [name for _, name in after.network_keys()]),
        ("validator key", [member.validator_key for member in after.members]),
        ("network key", [key for key, _ in after.network_keys()]),
    ):
        if len(set(values)) != len(values):
            raise Refusal(Code.MEMBER_NOT_DISTINCT, kind)
