"""The doctor: every check answers, whatever is broken."""

import shutil
import socket
from pathlib import Path

import msgspec
import pytest

from moyai.node.config import NodeConfig, load_config
from moyai.node.doctor import Finding, Verdict, examine
from moyai.node.founding import create_journal, genesis_root
from moyai.node.free_ports import free_ports
from moyai.node.testnet import CityPlan, make_city
from moyai.primitives.ids import TimeMs


@pytest.fixture
def config(tmp_path: Path) -> NodeConfig:
    plan = CityPlan(tmp_path / "city", "city-1", TimeMs(1_800_000_000_000), free_ports(4))
    city = make_city(plan, genesis_root, create_journal)
    return load_config(city.nodes[0].config_file, {})


def found(config: NodeConfig) -> dict[str, Finding]:
    return {one.check: one for one in examine(config)}


def test_a_healthy_node_has_nothing_bad(config: NodeConfig) -> None:
    assert Verdict.BAD not in {one.verdict for one in found(config).values()}


def test_everything_that_is_not_good_says_what_to_do(config: NodeConfig) -> None:
    assert all(one.next for one in examine(config) if one.verdict is not Verdict.GOOD)


def test_a_taken_port_is_named(config: NodeConfig) -> None:
    with socket.socket() as taken:
        host, port = config.p2p.listen.split(":")
        taken.bind((host, int(port)))
        taken.listen()
        finding = found(config)["peer port"]
    assert (finding.verdict, finding.found) == (Verdict.BAD, f"{config.p2p.listen} is in use")


def test_an_address_of_another_machine_is_named(config: NodeConfig) -> None:
    p2p = msgspec.structs.replace(config.p2p, listen="192.0.2.1:7001")
    finding = found(msgspec.structs.replace(config, p2p=p2p))["peer port"]
    assert finding.verdict is Verdict.BAD


def test_a_lost_data_folder_is_named_and_nothing_else_fails(config: NodeConfig) -> None:
    shutil.rmtree(config.data_dir)
    findings = found(config)
    assert findings["data folder"].verdict is Verdict.BAD
    assert findings["genesis"].verdict is Verdict.GOOD


def test_a_data_folder_open_to_all_is_a_warning(config: NodeConfig) -> None:
    Path(config.data_dir).chmod(0o777)
    assert found(config)["data folder"].verdict is Verdict.WARNING


def test_a_broken_genesis_file_is_one_finding(config: NodeConfig) -> None:
    Path(config.genesis_file).write_text("{")
    assert found(config)["genesis"].verdict is Verdict.BAD


def test_a_peer_that_answers_is_told_apart(config: NodeConfig) -> None:
    with socket.socket() as peer:
        peer.bind(("127.0.0.1", 0))
        peer.listen()
        address = f"127.0.0.1:{peer.getsockname()[1]}"
        p2p = msgspec.structs.replace(config.p2p, peers={"utility": address})
        findings = found(msgspec.structs.replace(config, p2p=p2p))
    assert findings["peer utility"].verdict is Verdict.GOOD
    assert findings["peer hospital"].verdict is Verdict.WARNING
