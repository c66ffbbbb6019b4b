"""Who this node is: its keys, its place among the members, and whom it may link to."""

import os
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from moyai.consensus.config import FinalTip, MachineConfig
from moyai.node.config import NodeConfig
from moyai.node.errors import GenesisFileError
from moyai.node.key_file import KeyKind, load_network_secret, load_signing_key
from moyai.node.passphrase import VARIABLE
from moyai.p2p.peers import Contact, Directory
from moyai.primitives.genesis import Genesis
from moyai.primitives.ids import NetworkKey, PublicKey, ValidatorIndex
from moyai.primitives.keys import SigningKey

DOUBLE_SIGN_CHECK_MS = 300


class OwnIdentity(msgspec.Struct, frozen=True):
    """The keys of this node; `signing` and `index` are none for one that only follows."""

    name: str
    network_secret: X25519PrivateKey
    network_key: NetworkKey
    signing: SigningKey | None
    index: ValidatorIndex | None

    @property
    def journal_key(self) -> PublicKey:
        """Return the key that the journal belongs to."""
        return self.signing.public if self.signing is not None else PublicKey(self.network_key)


def load_identity(config: NodeConfig, genesis: Genesis) -> OwnIdentity:
    """Return the identity that the key files give, as the genesis document knows it.

    Raises `KeyFileError` for a key file that cannot be used, `GenesisFileError` for a stranger's.
    """
    passphrase = os.environ.get(VARIABLE)
    network = load_network_secret(Path(config.network_key_file), passphrase)
    signing = None
    if config.mode == "validator":
        signing = load_signing_key(Path(config.key_file), KeyKind.VALIDATOR, passphrase)
    names = {member.network_key: member.name for member in genesis.members}
    names.update({node.network_key: node.name for node in genesis.full_nodes})
    name = names.get(network.public)
    index = genesis.validators().index_of(signing.public) if signing is not None else None
    if name is None or (signing is not None and index is None):
        raise GenesisFileError(
            "does not name this node's keys",
            what=f"genesis of {genesis.chain_id}",
            next="use the key files that were handed in when the genesis was made",
        )
    secret = X25519PrivateKey.from_private_bytes(network.secret)
    return OwnIdentity(name, secret, network.public, signing, index)


def directory_of(genesis: Genesis, overrides: dict[str, str]) -> Directory:
    """Return everyone this node links to; `overrides` are addresses by name."""
    validators = genesis.validators()
    contacts = [
        Contact(
            member.network_key,
            member.name,
            overrides.get(member.name, member.endpoint),
            validators.index_of(member.validator_key),
        )
        for member in genesis.members
    ]
    contacts += [
        Contact(node.network_key, node.name, overrides.get(node.name, node.endpoint), None)
        for node in genesis.full_nodes
    ]
    return Directory.of(*contacts)


def machine_config(genesis: Genesis, identity: OwnIdentity, tip: FinalTip) -> MachineConfig:
    """Return the surroundings of this node's machine in epoch 0."""
    validators = genesis.validators()
    network_keys = {member.validator_key: member.network_key for member in genesis.members}
    signing = identity.signing

    def sign(message: bytes) -> bytes:
        assert signing is not None, "a node without a validator key is never asked to vote"
        return signing.sign(message)

    return MachineConfig(
        chain_id=genesis.chain_id,
        validators=validators,
        network_keys=tuple(network_keys[key] for key in validators.keys),
        index=identity.index,
        parameters=genesis.parameters,
        sign=sign,
        tip=tip,
        double_sign_check_ms=DOUBLE_SIGN_CHECK_MS,
    )
