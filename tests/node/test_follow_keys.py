"""Scenarios of watching: a key that appears is noticed, said to be ready, due when in force."""

from pathlib import Path

import msgspec
import pytest

from harness.core_city import GENESIS, identity_of
from harness.governed_city import GovernedCity
from harness.ledger_city import CHAIN_ID, UTILITY
from moyai.consensus.config import MachineConfig
from moyai.node.config import NodeConfig
from moyai.node.follow_keys import FollowKeys
from moyai.node.identity import machine_config
from moyai.node.key_file import KeyKind
from moyai.node.next_keys import next_path, prepare_next
from moyai.primitives.ids import Epoch, NetworkKey, PublicKey
from moyai.primitives.operations_governance import RotateValidatorKey
from moyai.primitives.transaction import parse_transaction
from moyai.primitives.validators import ValidatorSet
from moyai.storage.chain import ChainStore


@pytest.fixture
def config(tmp_path: Path) -> NodeConfig:
    return NodeConfig(
        data_dir=str(tmp_path / "data"),
        key_file=str(tmp_path / "validator.key"),
        network_key_file=str(tmp_path / "network.key"),
    )


@pytest.fixture
def machine(tmp_path: Path) -> MachineConfig:
    chain = ChainStore.create(tmp_path / "chain", GENESIS, map_bytes=1 << 26)
    try:
        return machine_config(identity_of(0), chain)
    finally:
        chain.close()


def with_validator(machine: MachineConfig, key: str) -> MachineConfig:
    keys = (*machine.validators.keys[1:], PublicKey(bytes.fromhex(key)))
    return msgspec.structs.replace(machine, validators=ValidatorSet(Epoch(1), tuple(sorted(keys))))


def test_a_key_that_appears_while_the_node_runs(config: NodeConfig, machine: MachineConfig) -> None:
    following = FollowKeys(config, CHAIN_ID)
    assert not following.is_due(machine)
    key = prepare_next(config, GENESIS, KeyKind.VALIDATOR, None).public_key
    assert not following.is_due(machine)
    assert following.is_due(with_validator(machine, key))
    next_path(config.key_file).unlink()
    assert not following.is_due(with_validator(machine, key))


def test_a_network_key_is_due_when_the_registry_has_it(
    config: NodeConfig, machine: MachineConfig
) -> None:
    following = FollowKeys(config, CHAIN_ID)
    made = prepare_next(config, GENESIS, KeyKind.NETWORK, None).public_key
    assert not following.is_due(machine)
    keys = (NetworkKey(bytes.fromhex(made)), *machine.network_keys[1:])
    assert following.is_due(msgspec.structs.replace(machine, network_keys=keys))


def test_the_next_key_says_itself_that_it_is_ready(
    config: NodeConfig, machine: MachineConfig
) -> None:
    city, following = GovernedCity(), FollowKeys(config, CHAIN_ID)
    made = prepare_next(config, GENESIS, KeyKind.VALIDATOR, None).public_key
    key = PublicKey(bytes.fromhex(made))
    assert not following.is_due(machine)
    assert following.readiness(city.state, city.time_ms) is None
    city.accept(RotateValidatorKey(UTILITY, key))
    ready = following.readiness(city.state, city.time_ms)
    assert ready is not None
    (signer,) = parse_transaction(ready).body.signers
    assert signer.public_key == key


def test_a_key_that_cannot_be_opened_is_told_and_left_alone(
    config: NodeConfig, machine: MachineConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    following = FollowKeys(config, CHAIN_ID)
    key = prepare_next(config, GENESIS, KeyKind.VALIDATOR, "secret").public_key
    for _ in range(2):
        assert not following.is_due(with_validator(machine, key))
    assert capsys.readouterr().out.count("next_key_unusable") <= 1
