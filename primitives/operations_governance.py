"""Operations on membership and parameters: propose, approve, be ready. Data alone, no rule."""

from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

from moyai.primitives.fields import (
    AccountField,
    DigestField,
    NameField,
    NetworkKeyField,
    PublicKeyField,
)
from moyai.primitives.genesis import Role
from moyai.primitives.limits import TEXT_CHARACTERS_MAX

Endpoint = Annotated[
    str, Meta(max_length=TEXT_CHARACTERS_MAX, pattern=r"^[0-9A-Za-z.:\[\]_-]+:[0-9]{1,5}\Z")
]
ProposalNumber = Annotated[int, Meta(ge=1, le=2**31)]
ParameterName = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[a-z_]+\Z")]


class AddMember(msgspec.Struct, array_like=True, frozen=True, tag=1):
    """An organisation with an open account joins with its keys and these roles."""

    name: NameField
    account: AccountField
    validator_key: PublicKeyField
    network_key: NetworkKeyField
    endpoint: Endpoint
    roles: Annotated[tuple[Role, ...], Meta(max_length=8)]


class RemoveMember(msgspec.Struct, array_like=True, frozen=True, tag=2):
    """A member leaves; its account stays, without the roles of a member."""

    account: AccountField


class RotateValidatorKey(msgspec.Struct, array_like=True, frozen=True, tag=3):
    """A member votes with a new key."""

    account: AccountField
    validator_key: PublicKeyField


class RotateNetworkKey(msgspec.Struct, array_like=True, frozen=True, tag=4):
    """A member's node is known to its peers by a new key."""

    account: AccountField
    network_key: NetworkKeyField


class SetEndpoint(msgspec.Struct, array_like=True, frozen=True, tag=5):
    """A member's node is reached at a new address, host:port."""

    account: AccountField
    endpoint: Endpoint


class ParameterSetting(msgspec.Struct, array_like=True, frozen=True):
    """One chain parameter and its new value; the domain is that of `Parameters`."""

    name: ParameterName
    number: Annotated[int, Meta(ge=0, le=2**53 - 1)]


class SetParameters(msgspec.Struct, array_like=True, frozen=True, tag=6):
    """These chain parameters get new values, all others keep theirs."""

    settings: Annotated[tuple[ParameterSetting, ...], Meta(min_length=1, max_length=32)]


class AddFullNode(msgspec.Struct, array_like=True, frozen=True, tag=7):
    """A node that follows and serves without a vote may link to the members."""

    name: NameField
    network_key: NetworkKeyField
    endpoint: Endpoint


class RemoveFullNode(msgspec.Struct, array_like=True, frozen=True, tag=8):
    """A node without a vote may no longer link."""

    name: NameField


class RecoverOfficers(msgspec.Struct, array_like=True, frozen=True, tag=9):
    """A member whose officers cannot act any more gets these, and no other keys."""

    account: AccountField
    officer_keys: Annotated[tuple[PublicKeyField, ...], Meta(min_length=1, max_length=16)]


Change: TypeAlias = (
    AddMember
    | RemoveMember
    | RotateValidatorKey
    | RotateNetworkKey
    | SetEndpoint
    | SetParameters
    | AddFullNode
    | RemoveFullNode
    | RecoverOfficers
)
"""Everything that members can decide together."""


class ProposeChange(msgspec.Struct, array_like=True, frozen=True, tag=60):
    """A member proposes a change, and approves it with that."""

    change: Change


class ApproveChange(msgspec.Struct, array_like=True, frozen=True, tag=61):
    """A member approves a proposal."""

    proposal: ProposalNumber


class MembersReady(msgspec.Struct, array_like=True, frozen=True, tag=62):
    """Validators of the next set, who sign with their validator keys, follow the chain's tip.

    `next_set` is the digest of that set.
    """

    next_set: DigestField
