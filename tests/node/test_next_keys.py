"""Scenarios of a new key: made beside the old one, taken over when it counts, whatever crashes."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from moyai.node.config import NodeConfig, load_config
from moyai.node.daemon import open_stores
from moyai.node.errors import ConfigError, KeyFileError
from moyai.node.founding import create_journal, genesis_root
from moyai.node.free_ports import free_ports
from moyai.node.identity import load_identity
from moyai.node.key_file import KeyKind, read_key_file
from moyai.node.next_keys import NextKeys, change_keys, next_path, prepare_next, read_next
from moyai.node.testnet import City, CityPlan, make_city
from moyai.primitives.genesis import genesis_digest
from moyai.primitives.ids import PublicKey, TimeMs
from moyai.storage.chain import ChainStore
from moyai.storage.journal import Journal


class Crash(Exception):
    """The process ends here."""


@pytest.fixture
def made(tmp_path: Path) -> City:
    plan = CityPlan(tmp_path / "city", "city-1", TimeMs(1_800_000_000_000), free_ports(2))
    return make_city(plan, genesis_root, create_journal)


@pytest.fixture
def config(made: City) -> NodeConfig:
    config = load_config(made.nodes[0].config_file, {})
    ChainStore.create(config.chain_path, made.genesis).close()
    return config


def public(path: str | Path, kind: KeyKind = KeyKind.VALIDATOR) -> str:
    return read_key_file(Path(path), kind).public_key


def exchange(config: NodeConfig, made: City) -> str:
    """Let the key of genesis be the next one of a node that has another; return that other key."""
    prepare_next(config, made.genesis, KeyKind.VALIDATOR, None)
    pairs = (
        (Path(config.key_file), next_path(config.key_file)),
        (config.journal_path, next_path(str(config.journal_path))),
    )
    for one, other in pairs:
        aside = one.with_name("aside")
        one.rename(aside)
        other.rename(one)
        aside.rename(other)
    return public(config.key_file)


def test_a_new_key_waits_beside_the_old_one_with_an_unused_journal(
    made: City, config: NodeConfig
) -> None:
    old = public(config.key_file)
    content = prepare_next(config, made.genesis, KeyKind.VALIDATOR, None)
    key = PublicKey(bytes.fromhex(content.public_key))
    assert read_next(config) == NextKeys(key, None)
    journal = Journal.open(next_path(str(config.journal_path)), key, genesis_digest(made.genesis))
    assert journal.unused
    journal.close()
    assert not change_keys(config, made.genesis), "the members have not agreed"
    assert public(config.key_file) == old
    with pytest.raises(KeyFileError, match="lies ready already"):
        prepare_next(config, made.genesis, KeyKind.VALIDATOR, None)


def test_a_node_without_a_vote_joins_anew(made: City, config: NodeConfig) -> None:
    follower = msgspec.structs.replace(config, mode="full")
    with pytest.raises(ConfigError):
        prepare_next(follower, made.genesis, KeyKind.NETWORK, None)


def test_a_network_key_that_is_in_force_is_taken_over(made: City, config: NodeConfig) -> None:
    shutil.copy2(config.network_key_file, next_path(config.network_key_file))
    Path(config.network_key_file).unlink()
    shutil.copy2(made.nodes[1].folder / "network.key", config.network_key_file)
    assert change_keys(config, made.genesis)
    member = made.genesis.members[0]
    assert public(config.network_key_file, KeyKind.NETWORK) == member.network_key.hex()
    assert not change_keys(config, made.genesis)


@pytest.mark.parametrize("survived", range(6))
def test_a_crash_at_any_step_is_gone_on_from(
    made: City, config: NodeConfig, monkeypatch: pytest.MonkeyPatch, survived: int
) -> None:
    old, left = exchange(config, made), survived

    def dying(step: Callable[..., Any]) -> Callable[..., Any]:
        def taken(*given: Any) -> Any:
            nonlocal left
            if left == 0:
                raise Crash
            left -= 1
            return step(*given)

        return taken

    with monkeypatch.context() as crashing:
        crashing.setattr(Path, "rename", dying(Path.rename))
        crashing.setattr(Path, "replace", dying(Path.replace))
        crashing.setattr(os, "link", dying(os.link))
        if survived < 4:
            with pytest.raises(Crash):
                change_keys(config, made.genesis)
        else:
            assert change_keys(config, made.genesis)
    change_keys(config, made.genesis)
    assert read_next(config) == NextKeys(None, None)
    assert public(config.key_file) == made.genesis.members[0].validator_key.hex()
    assert public(f"{config.key_file}.retired-{old[:8]}") == old
    with open_stores(config, made.genesis, load_identity(config, made.genesis)) as stores:
        assert stores.journal.unused
    retired = config.journal_path.with_name(f"journal.retired-{old[:8]}")
    Journal.open(retired, PublicKey(bytes.fromhex(old)), genesis_digest(made.genesis)).close()


def test_a_key_that_lost_its_journal_is_not_taken_over(made: City, config: NodeConfig) -> None:
    old = exchange(config, made)
    shutil.rmtree(next_path(str(config.journal_path)))
    with pytest.raises(KeyFileError, match="lost its journal"):
        change_keys(config, made.genesis)
    assert public(config.key_file) == old
