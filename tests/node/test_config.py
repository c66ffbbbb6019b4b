"""Configuration: defaults, overrides, and every wrong key or value named with what is allowed."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moyai.node.config import (
    NodeConfig,
    address_parts,
    convert,
    keys_of,
    load_config,
    variable_of,
)
from moyai.node.errors import ConfigError
from moyai.primitives.errors import MoyaiError


def write(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text)
    return path


def refusal(folder: Path, text: str, environment: dict[str, str] | None = None) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load_config(write(folder, text), environment or {})
    return caught.value


def test_an_empty_file_gives_the_defaults_with_absolute_paths(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, ""), {})
    assert config.data_dir == str(tmp_path / "data")
    assert config.journal_path == tmp_path / "data" / "journal"
    assert config.p2p.listen == NodeConfig().p2p.listen


def test_an_absolute_path_is_kept(tmp_path: Path) -> None:
    assert load_config(write(tmp_path, 'data_dir = "/srv/moyai"'), {}).data_dir == "/srv/moyai"


def test_an_unknown_key_is_named_with_the_nearest_one(tmp_path: Path) -> None:
    error = refusal(tmp_path, '[p2p]\nlisten_on = "127.0.0.1:1"')
    assert error.reason == "no such key: p2p.listen_on"
    assert error.next == "did you mean p2p.listen?"
    assert error.what == str(tmp_path / "config.toml")


def test_an_unknown_key_without_a_neighbour_lists_the_keys(tmp_path: Path) -> None:
    assert "use one of: data_dir, key_file" in refusal(tmp_path, "zzzz = 1").next


def test_a_wrong_type_is_named(tmp_path: Path) -> None:
    error = refusal(tmp_path, "data_dir = 7")
    assert str(error).endswith("data_dir is an integer, not a text; set it to a text")


def test_a_value_outside_the_domain_is_named_with_the_domain(tmp_path: Path) -> None:
    assert refusal(tmp_path, 'mode = "observer"').next == 'set it to one of "full", "validator"'
    error = refusal(tmp_path, "[storage]\nchain_map_bytes = 5")
    assert error.reason.startswith("storage.chain_map_bytes")
    assert "from 16777216 to" in error.next


def test_an_address_without_a_port_is_named(tmp_path: Path) -> None:
    error = refusal(tmp_path, '[p2p]\nlisten = "everywhere"')
    assert error.next == "set it to an address, host:port"
    assert "port up to 65535" in refusal(tmp_path, '[p2p]\nlisten = "a:99999"').next
    assert refusal(tmp_path, '[p2p.peers]\nhospital = "nowhere"').reason.startswith("p2p.peers")


def test_a_section_that_is_no_section_is_named(tmp_path: Path) -> None:
    assert refusal(tmp_path, "p2p = 1").reason == "p2p is an integer, not a section"


def test_text_that_is_no_toml_names_the_line(tmp_path: Path) -> None:
    assert "line 2" in refusal(tmp_path, 'mode = "full"\n= 1').reason


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="moyai init"):
        load_config(tmp_path / "absent.toml", {})


def test_the_environment_overrides_the_file(tmp_path: Path) -> None:
    environment = {
        "MOYAI_P2P_LISTEN": "127.0.0.1:9",
        "MOYAI_STORAGE_CHAIN_MAP_BYTES": "33554432",
        "MOYAI_P2P_PEERS": '{ hospital = "127.0.0.1:8" }',
        "MOYAI_MODE": "full",
        "HOME": "/root",
    }
    config = load_config(write(tmp_path, '[p2p]\nlisten = "127.0.0.1:1"'), environment)
    assert config.p2p.listen == "127.0.0.1:9"
    assert config.p2p.peers == {"hospital": "127.0.0.1:8"}
    assert config.storage.chain_map_bytes == 33554432
    assert config.mode == "full"


def test_an_unknown_variable_is_named_with_the_nearest_one(tmp_path: Path) -> None:
    error = refusal(tmp_path, "", {"MOYAI_P2P_LISTN": "x"})
    assert error.what == "environment variable MOYAI_P2P_LISTN"
    assert error.next == "did you mean MOYAI_P2P_LISTEN?"


def test_a_wrong_variable_is_blamed_itself(tmp_path: Path) -> None:
    error = refusal(tmp_path, "", {"MOYAI_STORAGE_CHAIN_MAP_BYTES": "much"})
    assert error.what == "environment variable MOYAI_STORAGE_CHAIN_MAP_BYTES"


def test_no_two_keys_share_a_variable() -> None:
    keys = keys_of(NodeConfig)
    assert len({variable_of(key) for key in keys}) == len(keys)


@pytest.mark.parametrize(
    ("address", "parts"),
    [("127.0.0.1:80", ("127.0.0.1", 80)), ("[::1]:65535", ("::1", 65535)), ("a.b:0", ("a.b", 0))],
)
def test_addresses_have_a_host_and_a_port(address: str, parts: tuple[str, int]) -> None:
    assert address_parts(address) == parts


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(NodeConfig.__struct_fields__), plain, max_size=4))
def test_any_values_become_a_configuration_or_a_typed_error(values: dict[str, object]) -> None:
    with suppress(MoyaiError):
        convert(values, what="config.toml")


def test_the_shipped_example_has_every_key_at_its_default(tmp_path: Path) -> None:
    example = Path(__file__).resolve().parents[2] / "config" / "node.toml"
    shipped = load_config(write(tmp_path, example.read_text()), {})
    assert shipped == load_config(write(tmp_path, ""), {})
    named = example.read_text()
    assert all(key.rpartition(".")[2] in named for key in keys_of(NodeConfig))
