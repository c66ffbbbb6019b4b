"""Opening what one node owns: made once, locked, and the first fault told."""

from pathlib import Path

import msgspec
import pytest

from moyai.node.config import NodeConfig, load_config
from moyai.node.daemon import open_stores, run
from moyai.node.errors import GenesisFileError, InUseError
from moyai.node.founding import create_journal, genesis_root
from moyai.node.free_ports import free_ports
from moyai.node.identity import load_identity
from moyai.node.key_file import key_lock
from moyai.node.testnet import City, CityPlan, make_city
from moyai.primitives import signature_edges
from moyai.primitives.errors import SignatureLibraryError
from moyai.primitives.ids import TimeMs
from moyai.storage.errors import AlreadyInUseError, MissingStoreError, OtherKeyError


@pytest.fixture
def made(tmp_path: Path) -> City:
    plan = CityPlan(tmp_path / "city", "city-1", TimeMs(1_800_000_000_000), free_ports(2))
    return make_city(plan, genesis_root, create_journal)


@pytest.fixture
def config(made: City) -> NodeConfig:
    return load_config(made.nodes[0].config_file, {})


def test_the_chain_store_is_made_at_the_first_start_and_opened_at_the_next(
    made: City, config: NodeConfig
) -> None:
    identity = load_identity(config, made.genesis)
    for _ in range(2):
        with open_stores(config, made.genesis, identity) as stores:
            assert stores.chain.height == 0
            assert stores.journal.unused


def test_a_lost_journal_is_never_made_anew(made: City, config: NodeConfig) -> None:
    identity = load_identity(config, made.genesis)
    (config.journal_path / "data.mdb").unlink()
    with pytest.raises(MissingStoreError), open_stores(config, made.genesis, identity):
        pass
    assert not config.chain_path.exists()


def test_the_journal_of_another_key_is_refused(made: City, config: NodeConfig) -> None:
    other = load_identity(load_config(made.nodes[1].config_file, {}), made.genesis)
    with pytest.raises(OtherKeyError), open_stores(config, made.genesis, other):
        pass


def test_a_second_process_does_not_get_the_stores(made: City, config: NodeConfig) -> None:
    identity = load_identity(config, made.genesis)
    with (
        open_stores(config, made.genesis, identity),
        pytest.raises(AlreadyInUseError),
        open_stores(config, made.genesis, identity),
    ):
        pass
    with open_stores(config, made.genesis, identity):
        pass


def test_a_second_process_with_the_same_key_does_not_start(config: NodeConfig) -> None:
    with key_lock(Path(config.key_file)), pytest.raises(InUseError):
        run(config)


def test_a_genesis_with_another_state_does_not_start(made: City, config: NodeConfig) -> None:
    text = Path(config.genesis_file).read_text()
    root = made.genesis.state_root.hex()
    assert root in text
    Path(config.genesis_file).write_text(text.replace(root, "00" * 32))
    with pytest.raises(GenesisFileError):
        run(config)


def test_a_full_node_has_a_journal_under_its_network_key(made: City, config: NodeConfig) -> None:
    follower = msgspec.structs.replace(config, mode="full")
    identity = load_identity(follower, made.genesis)
    create_journal(Path(config.data_dir) / "full", identity.journal_key, made.genesis)
    elsewhere = msgspec.structs.replace(follower, data_dir=config.data_dir + "/other")
    create_journal(elsewhere.journal_path, identity.journal_key, made.genesis)
    with open_stores(elsewhere, made.genesis, identity) as stores:
        assert stores.journal.unused


def test_a_wrong_signature_library_stops_the_node_before_anything_is_opened(
    config: NodeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signature_edges, "signature_is_valid", lambda *_: True)
    with pytest.raises(SignatureLibraryError, match="otherwise than every other node"):
        run(config)
    assert not config.chain_path.exists()
