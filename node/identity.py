"""Who this node is: its keys, its place among the members, and whom it may link to."""

import os
from importlib.metadata import version
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from moyai.consensus.config import FinalTip, MachineConfig
from moyai.ledger.former_keys import read_former_keys
from moyai.ledger.membership import (
    next_consortium,
    read_consortium,
    read_parameters,
    read_registry,
    read_validators,
)
from moyai.ledger.state import ValueReader, Values
from moyai.node.clock import SystemClock
from moyai.node.config import NodeConfig, P2pConfig, address_parts
from moyai.node.halt import NodeHalted
from moyai.node.key_file import KeyKind, load_network_secret, load_signing_key
from moyai.node.passphrase import VARIABLE
from moyai.node.tip import epoch_after, read_tip
from moyai.p2p.connection import Clocks, Identity
from moyai.p2p.peers import Contact, Directory
from moyai.p2p.ports import HubConfig
from moyai.primitives.block import Header
from moyai.primitives.genesis import FullNode, Genesis, Member, genesis_digest
from moyai.primitives.ids import KEY_BYTES, NetworkKey, PublicKey, ValidatorIndex, parse_hex
from moyai.primitives.keys import SigningKey
from moyai.primitives.stages import StageClock
from moyai.primitives.validators import ValidatorSet
from moyai.storage.chain import ChainStore

DOUBLE_SIGN_CHECK_MS = 300
NAME_DIGITS = 8


class OwnIdentity(msgspec.Struct, frozen=True):
    """The keys of this node; `signing` is none for one that only follows."""

    name: str
    network_secret: X25519PrivateKey
    network_key: NetworkKey
    signing: SigningKey | None

    @property
    def journal_key(self) -> PublicKey:
        """Return the key that the journal belongs to."""
        return self.signing.public if self.signing is not None else PublicKey(self.network_key)


def load_identity(config: NodeConfig, genesis: Genesis) -> OwnIdentity:
    """Return the identity that the key files give, with the name that the genesis document has.

    Keys that it does not name are those of a member that joins or has rotated them: such a node
    follows until an epoch begins whose validators it is one of. Raises `KeyFileError`.
    """
    passphrase = os.environ.get(VARIABLE)
    network = load_network_secret(Path(config.network_key_file), passphrase)
    signing = None
    if config.mode == "validator":
        signing = load_signing_key(Path(config.key_file), KeyKind.VALIDATOR, passphrase)
    names = {member.network_key: member.name for member in genesis.members}
    names.update({node.network_key: node.name for node in genesis.full_nodes})
    name = names.get(network.public, f"node {network.public.hex()[:NAME_DIGITS]}")
    secret = X25519PrivateKey.from_private_bytes(network.secret)
    return OwnIdentity(name, secret, network.public, signing)


def named(identity: OwnIdentity, chain: ChainStore) -> OwnIdentity:
    """Return the identity with the name that the registry of today has for its network key."""
    names = dict(read_consortium(Values(chain.states)).network_keys())
    name = names.get(identity.network_key, identity.name)
    return msgspec.structs.replace(identity, name=name)


def directory_of(state: ValueReader, tip: Header, config: P2pConfig) -> Directory:
    """Return everyone this node links to, as the state of `tip` has it.

    Those who join with the change under way may link already: they have to follow before they vote.
    Those who left a while ago still may: they have to learn that they did. `config` overrides
    addresses and keys by name.
    """
    validators = read_validators(state, epoch_after(tip))
    now, after = read_consortium(state), next_consortium(state)
    contacts = {
        former.network_key: Contact(former.network_key, f"{former.name} (former key)", "", None)
        for former in read_former_keys(state)
        if tip.time_ms <= former.until_ms
    }
    for consortium in (now,) if after is None else (after, now):
        for node in consortium.full_nodes:
            contacts[node.network_key] = _contact(node, config, None)
        for member in consortium.members:
            index = validators.index_of(member.validator_key)
            contacts[member.network_key] = _contact(member, config, index)
            key = config.peer_keys.get(member.name)
            if key is not None:
                moved = msgspec.structs.replace(contacts[member.network_key], key=_key(key))
                contacts[moved.key] = moved
    return Directory.of(*contacts.values())


def _contact(node: Member | FullNode, config: P2pConfig, index: ValidatorIndex | None) -> Contact:
    endpoint = config.peers.get(node.name, node.endpoint)
    return Contact(node.network_key, node.name, endpoint, index)


def _key(text: str) -> NetworkKey:
    return NetworkKey(parse_hex(text, bytes_exact=KEY_BYTES, what="p2p.peer_keys"))


def hub_config(
    config: NodeConfig,
    genesis: Genesis,
    identity: OwnIdentity,
    clock: SystemClock,
    stages: StageClock | None = None,
) -> HubConfig:
    """Return how this node speaks to others, and where the time it costs is noted."""
    own = Identity(
        identity.network_secret, chain_id=genesis.chain_id, genesis=genesis_digest(genesis)
    )
    return HubConfig(
        identity=own,
        listen=address_parts(config.p2p.listen),
        software=f"moyai/{version('moyai')}",
        clocks=Clocks(clock.mono_ms, clock.wall_ms, stages or StageClock()),
    )


def machine_config(identity: OwnIdentity, chain: ChainStore) -> MachineConfig:
    """Return the surroundings of this node's machine in the epoch that goes on from the tip.

    The state must be that of the tip, which is on disk. Raises `NodeHalted` when a block that ends
    an epoch names other validators, or attests other roots, than executing has brought here.
    """
    tip = read_tip(chain)
    state = Values(chain.states)
    epoch = epoch_after(tip.header)
    validators = read_validators(state, epoch)
    if tip.header.epoch_end is not None:
        _check_end(tip, chain, validators)
    network_keys = {member.validator_key: member.network_key for member in read_registry(state)}
    signing = identity.signing

    def sign(message: bytes) -> bytes:
        assert signing is not None, "a node without a validator key is never asked to vote"
        return signing.sign(message)

    return MachineConfig(
        chain_id=tip.header.chain_id,
        validators=validators,
        network_keys=tuple(network_keys[key] for key in validators.keys),
        index=validators.index_of(signing.public) if signing is not None else None,
        parameters=read_parameters(state),
        sign=sign,
        tip=tip,
        double_sign_check_ms=DOUBLE_SIGN_CHECK_MS,
    )


def _check_end(tip: FinalTip, chain: ChainStore, validators: ValidatorSet) -> None:
    header = tip.header
    with chain.snapshot() as snapshot:
        own = snapshot.executed(header.executed.height)
    if validators.digest != header.epoch_end or own != header.executed:
        raise NodeHalted(
            f"block {header.height} ends epoch {header.epoch} with another state than is here",
            certificates=() if tip.certificate is None else (tip.certificate,),
        )
