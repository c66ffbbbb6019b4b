"""Founding in the real order: keys, member.json, one genesis, then each journal once."""

import shutil
from pathlib import Path

import msgspec
import pytest

from moyai.node.config import NodeConfig, load_config
from moyai.node.errors import ConfigError, FolderError, GenesisFileError
from moyai.node.founding import (
    MEMBER_NAME,
    genesis_root,
    join,
    journal_key,
    make_full_node_folder,
    make_node_folder,
)
from moyai.node.genesis_file import make_genesis, read_member, write_genesis
from moyai.primitives.genesis import Genesis, genesis_digest
from moyai.primitives.ids import PublicKey
from moyai.storage.journal import Journal


def found(tmp_path: Path) -> tuple[Genesis, list[NodeConfig]]:
    for number, roles in enumerate([("sponsor", "registrar"), (), (), ()]):
        make_node_folder(tmp_path / str(number), f"member {number}", f"h{number}:7001", roles)
    members = tuple(read_member(tmp_path / str(number) / MEMBER_NAME) for number in range(4))
    genesis = make_genesis("city-1", "2026-04-01T00:00:00Z", members, genesis_root)
    configs = []
    for number in range(4):
        write_genesis(tmp_path / str(number) / "genesis.json", genesis)
        configs.append(load_config(tmp_path / str(number) / "config.toml", {}))
    return genesis, configs


def test_each_member_joins_with_its_own_key(tmp_path: Path) -> None:
    genesis, configs = found(tmp_path)
    for number, config in enumerate(configs):
        assert join(config, genesis) == f"member {number}"
        key = genesis.members[number].validator_key
        journal = Journal.open(config.journal_path, key, genesis_digest(genesis))
        journal.close()


def test_a_lost_journal_is_never_made_anew(tmp_path: Path) -> None:
    genesis, configs = found(tmp_path)
    join(configs[0], genesis)
    for path in sorted(configs[0].journal_path.iterdir()):
        path.unlink()
    configs[0].journal_path.rmdir()
    with pytest.raises(FolderError, match="could vote against the first"):
        join(configs[0], genesis)
    join(configs[0], genesis, lost_journal=True)
    key = genesis.members[0].validator_key
    journal = Journal.open(configs[0].journal_path, key, genesis_digest(genesis))
    assert not journal.load().unused
    journal.close()


def test_a_key_restored_without_its_journal_follows_first(tmp_path: Path) -> None:
    """On a new machine nothing says that the key has voted before; the operator does."""
    genesis, configs = found(tmp_path)
    join(configs[0], genesis, lost_journal=True)
    key = genesis.members[0].validator_key
    journal = Journal.open(configs[0].journal_path, key, genesis_digest(genesis))
    assert not journal.load().unused
    journal.close()


def test_a_key_that_members_added_or_rotated_may_lose_its_journal(tmp_path: Path) -> None:
    genesis, configs = found(tmp_path / "city")
    make_node_folder(tmp_path / "bank", "bank", "h:7001", ())
    added = load_config(tmp_path / "bank" / "config.toml", {})
    rotated = load_config(
        tmp_path / "bank" / "config.toml", {"MOYAI_KEY_FILE": configs[0].key_file}
    )
    for config, folder in ((added, "added"), (rotated, "rotated")):
        lost = msgspec.structs.replace(config, data_dir=str(tmp_path / folder))
        join(lost, genesis, lost_journal=True)
        journal = Journal.open(lost.journal_path, journal_key(lost), genesis_digest(genesis))
        assert not journal.load().unused
        journal.close()


def test_a_full_node_that_lost_its_data_just_starts_again(tmp_path: Path) -> None:
    folder = tmp_path / "library"
    node = make_full_node_folder(folder, "library", "library:7001")
    make_node_folder(tmp_path / "m", "m", "m:7001", ("sponsor", "registrar"))
    member = read_member(tmp_path / "m" / MEMBER_NAME)
    genesis = make_genesis("city-1", "2026-04-01T00:00:00Z", (member,), genesis_root, (node,))
    write_genesis(folder / "genesis.json", genesis)
    config = load_config(folder / "config.toml", {})
    assert config.mode == "full"
    assert join(config, genesis) == "library"
    shutil.rmtree(config.journal_path)
    assert join(config, genesis) == "library"


def test_a_key_that_is_no_members_is_refused(tmp_path: Path) -> None:
    genesis, _ = found(tmp_path / "city")
    make_node_folder(tmp_path / "stranger", "stranger", "h:7001", ())
    config = load_config(tmp_path / "stranger" / "config.toml", {})
    with pytest.raises(GenesisFileError, match="no member with validator key"):
        join(config, genesis)
    assert not config.journal_path.exists()


def test_a_key_that_members_are_to_add_has_an_unused_journal_once(tmp_path: Path) -> None:
    genesis, _ = found(tmp_path / "city")
    make_node_folder(tmp_path / "bank", "bank", "h:7001", ())
    config = load_config(tmp_path / "bank" / "config.toml", {})
    join(config, genesis, joining=True)
    key = PublicKey(bytes.fromhex(read_member(tmp_path / "bank" / MEMBER_NAME).validator_key))
    journal = Journal.open(config.journal_path, key, genesis_digest(genesis))
    assert journal.load().unused
    journal.close()
    with pytest.raises(FolderError, match="could vote against the first"):
        join(config, genesis, joining=True)


def test_a_full_node_that_members_are_to_add_follows_with_its_network_key(tmp_path: Path) -> None:
    genesis, _ = found(tmp_path / "city")
    node = make_full_node_folder(tmp_path / "library", "library", "library:7001")
    config = load_config(tmp_path / "library" / "config.toml", {})
    join(config, genesis, joining=True)
    key = PublicKey(bytes.fromhex(node.network_key))
    Journal.open(config.journal_path, key, genesis_digest(genesis)).close()


def test_an_unknown_role_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="use one of: sponsor"):
        make_node_folder(tmp_path / "n", "n", "h:7001", ("mayor",))
    assert not (tmp_path / "n").exists()


def test_keys_are_private(tmp_path: Path) -> None:
    make_node_folder(tmp_path / "n", "n", "h:7001", ())
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "n").glob("*.key")}
    assert set(modes.values()) == {0o600}
    assert (tmp_path / "n").stat().st_mode & 0o777 == 0o700
