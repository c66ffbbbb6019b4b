"""The genesis document: who starts the chain, with which keys, rights and parameters.

Every node and every client starts from one copy; its digest is in the first header, in the
handshake and in every data directory. Not here: the state it leads to (`ledger.genesis`).
"""

from enum import IntEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from moyai.primitives.block import Executed, Header, header_digest
from moyai.primitives.codec import encode
from moyai.primitives.errors import GenesisError
from moyai.primitives.fields import (
    AccountField,
    ChainIdField,
    DigestField,
    NameField,
    NetworkKeyField,
    PublicKeyField,
    TextField,
    TimeField,
)
from moyai.primitives.hashing import Tag, tagged
from moyai.primitives.ids import Digest, Epoch, Height, ValidatorIndex, View
from moyai.primitives.keys import check_public_key
from moyai.primitives.limits import FULL_NODES_MAX, VALIDATORS_MAX
from moyai.primitives.merkle import EMPTY_ROOT
from moyai.primitives.parameters import Parameters
from moyai.primitives.validators import ValidatorSet


class Role(IntEnum):
    """What a member's account may do beyond its own affairs."""

    SPONSOR = 1
    REGISTRAR = 2
    ISSUER = 3
    RECORDS = 4


class Member(msgspec.Struct, array_like=True, frozen=True):
    """A member organisation: its validator, its network key and the account that it acts with."""

    name: NameField
    validator_key: PublicKeyField
    network_key: NetworkKeyField
    endpoint: TextField
    account: AccountField
    officer_keys: Annotated[tuple[PublicKeyField, ...], Meta(min_length=1, max_length=16)]
    roles: Annotated[tuple[Role, ...], Meta(max_length=8)]


class FullNode(msgspec.Struct, array_like=True, frozen=True):
    """A registered node that follows and serves without voting."""

    name: NameField
    network_key: NetworkKeyField
    endpoint: TextField


class Genesis(msgspec.Struct, array_like=True, frozen=True):
    """The document; `state_root` is the root of the state that the rest of it leads to."""

    chain_id: ChainIdField
    time_ms: TimeField
    parameters: Parameters
    members: Annotated[tuple[Member, ...], Meta(min_length=1, max_length=VALIDATORS_MAX)]
    full_nodes: Annotated[tuple[FullNode, ...], Meta(max_length=FULL_NODES_MAX)]
    state_root: DigestField

    def validators(self) -> ValidatorSet:
        """Return the validator set of epoch 0."""
        return ValidatorSet(
            Epoch(0), tuple(sorted(member.validator_key for member in self.members))
        )


def genesis_digest(genesis: Genesis) -> Digest:
    """Return the digest that names the network."""
    return tagged(Tag.GENESIS, encode(genesis))


def genesis_header(genesis: Genesis) -> Header:
    """Return the header of height 0: view 0 of epoch 0, its parent field the document's digest."""
    return Header(
        chain_id=genesis.chain_id,
        epoch=Epoch(0),
        view=View(0),
        height=Height(0),
        parent=genesis_digest(genesis),
        parent_view=View(0),
        time_ms=genesis.time_ms,
        proposer=ValidatorIndex(0),
        tx_root=EMPTY_ROOT,
        tx_count=0,
        tx_bytes=0,
        executed=Executed(Height(0), genesis.state_root, EMPTY_ROOT),
        epoch_end=None,
        filler_of=None,
        log_root=EMPTY_ROOT,
    )


def genesis_block_digest(genesis: Genesis) -> Digest:
    """Return the digest of the block at height 0."""
    return header_digest(genesis_header(genesis))


def check_genesis(genesis: Genesis) -> None:
    """Check keys and names: valid, distinct, at least one sponsor and one registrar.

    Raises `GenesisError` or `PublicKeyError`, naming the member.
    """
    for member in genesis.members:
        check_public_key(member.validator_key, what=f"validator key of {member.name}")
        for key in member.officer_keys:
            check_public_key(key, what=f"officer key of {member.name}")
        if len(set(member.officer_keys)) != len(member.officer_keys):
            raise GenesisError(
                "one officer key stands twice: one signature would count as that of two officers",
                what=f"member {member.name}",
                next="give each officer a key of their own",
            )
    names = [member.name for member in genesis.members] + [node.name for node in genesis.full_nodes]
    validator_keys = [member.validator_key for member in genesis.members]
    network_keys = [member.network_key for member in genesis.members]
    network_keys += [node.network_key for node in genesis.full_nodes]
    accounts = [member.account for member in genesis.members]
    for kind, values in (
        ("name", names),
        ("validator key", validator_keys),
        ("network key", network_keys),
        ("account", accounts),
    ):
        if len(set(values)) != len(values):
            raise GenesisError(
                f"one {kind} stands twice", what="genesis", next="make each distinct"
            )
    roles = {role for member in genesis.members for role in member.roles}
    if not {Role.SPONSOR, Role.REGISTRAR} <= roles:
        raise GenesisError(
            "no member is a sponsor or none is a registrar, so no account could ever be opened",
            what="genesis",
            next="give at least one member each of these roles",
        )
