"""Who a node is, from its key files and the genesis; who it links to; what its machine gets."""

from pathlib import Path

import msgspec
import pytest

from harness.core_city import GENESIS, KEYS, fast_folder, identity_of
from harness.ledger_city import MemoryState
from moyai.ledger.genesis import genesis_state
from moyai.node.config import NodeConfig, P2pConfig, load_config
from moyai.node.errors import KeyFileError
from moyai.node.founding import create_journal, genesis_root
from moyai.node.identity import directory_of, load_identity, machine_config, named
from moyai.node.testnet import City, CityPlan, default_ports, make_city
from moyai.p2p.peers import Directory
from moyai.primitives.codec import encode
from moyai.primitives.genesis import genesis_header
from moyai.primitives.ids import NetworkKey, PublicKey, TimeMs
from moyai.primitives.state_keys import FORMER_KEYS
from moyai.primitives.state_values import FormerKey
from moyai.storage.chain import ChainStore


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> City:
    directory = tmp_path_factory.mktemp("identity") / "city"
    plan = CityPlan(directory, "city-1", TimeMs(1_800_000_000_000), default_ports(4))
    return make_city(plan, genesis_root, create_journal)


@pytest.fixture
def config(made: City) -> NodeConfig:
    return load_config(made.nodes[2].config_file, {})


def test_a_validator_knows_its_name_and_its_place(made: City, config: NodeConfig) -> None:
    own = load_identity(config, made.genesis)
    member = made.genesis.members[2]
    assert (own.name, own.network_key) == (member.name, member.network_key)
    assert own.signing is not None
    assert own.signing.public == own.journal_key == member.validator_key


def test_a_full_node_has_no_key_to_vote_with(made: City, config: NodeConfig) -> None:
    own = load_identity(msgspec.structs.replace(config, mode="full"), made.genesis)
    assert own.signing is None
    assert own.journal_key == PublicKey(own.network_key)


def test_keys_that_genesis_does_not_name_are_those_of_a_node_that_may_join(
    config: NodeConfig,
) -> None:
    own = load_identity(config, GENESIS)
    assert own.name == f"node {own.network_key.hex()[:8]}"
    with fast_folder() as folder:
        chain = ChainStore.create(folder, GENESIS, map_bytes=1 << 26)
        assert machine_config(own, chain).index is None
        chain.close()


def test_a_missing_key_file_is_named(made: City, config: NodeConfig, tmp_path: Path) -> None:
    absent = msgspec.structs.replace(config, key_file=str(tmp_path / "absent.key"))
    with pytest.raises(KeyFileError, match=r"absent\.key"):
        load_identity(absent, made.genesis)


def founding_directory(config: P2pConfig) -> Directory:
    return directory_of(MemoryState(genesis_state(GENESIS)), genesis_header(GENESIS), config)


def test_every_member_is_a_contact_and_an_address_can_be_overridden() -> None:
    directory = founding_directory(P2pConfig(peers={"member-1": "10.0.0.9:7"}))
    contacts = {contact.name: contact for contact in directory.contacts.values()}
    assert sorted(contacts) == [f"member-{place}" for place in range(4)]
    assert contacts["member-1"].endpoint == "10.0.0.9:7"
    assert contacts["member-2"].endpoint == GENESIS.members[2].endpoint
    for member in GENESIS.members:
        index = GENESIS.validators().index_of(member.validator_key)
        assert contacts[member.name].validator == index


def test_who_left_a_while_ago_may_still_link_and_is_not_dialled() -> None:
    left = FormerKey("bank", NetworkKey(b"\x0d" * 32), TimeMs(GENESIS.time_ms))
    long_ago = FormerKey("mill", NetworkKey(b"\x0e" * 32), TimeMs(GENESIS.time_ms - 1))
    state = MemoryState({**genesis_state(GENESIS), FORMER_KEYS: encode((long_ago, left))})
    directory = directory_of(state, genesis_header(GENESIS), P2pConfig())
    contact = directory.contacts[left.network_key]
    assert (contact.name, contact.validator) == ("bank (former key)", None)
    assert contact not in directory.dialled_by(GENESIS.members[0].network_key)
    assert long_ago.network_key not in directory.contacts


def test_a_registered_node_has_its_name_from_the_registry_of_today() -> None:
    with fast_folder() as folder:
        chain = ChainStore.create(folder, GENESIS, map_bytes=1 << 26)
        nameless = msgspec.structs.replace(identity_of(2), name="node 1a2b3c4d")
        assert named(nameless, chain).name == "member-2"
        stranger = msgspec.structs.replace(nameless, network_key=NetworkKey(b"\x0f" * 32))
        assert named(stranger, chain).name == "node 1a2b3c4d"
        chain.close()


def test_a_key_that_changed_while_this_node_was_away_can_be_named() -> None:
    moved = NetworkKey(b"\x0c" * 32)
    directory = founding_directory(P2pConfig(peer_keys={"member-1": moved.hex()}))
    found, known = directory.contacts[moved], directory.contacts[GENESIS.members[1].network_key]
    assert (found.name, found.endpoint, found.validator) == (
        known.name,
        known.endpoint,
        known.validator,
    )
    assert found in directory.dialled_by(GENESIS.members[0].network_key)


def test_the_machine_gets_the_keys_in_the_order_of_the_validators() -> None:
    with fast_folder() as folder:
        chain = ChainStore.create(folder, GENESIS, map_bytes=1 << 26)
        config = machine_config(identity_of(1), chain)
        follower = msgspec.structs.replace(identity_of(1), signing=None)
        following = machine_config(follower, chain)
        chain.close()
    by_key = {member.validator_key: member.network_key for member in GENESIS.members}
    assert config.network_keys == tuple(by_key[key] for key in GENESIS.validators().keys)
    assert config.sign(b"message") == KEYS[1].sign(b"message")
    assert config.parameters == GENESIS.parameters
    with pytest.raises(AssertionError):
        following.sign(b"message")
