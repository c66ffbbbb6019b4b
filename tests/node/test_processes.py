"""Nodes as processes: started, killed, waited for, stopped, none left behind."""

import time
from pathlib import Path

import pytest

from moyai.node.errors import NodeProcessError
from moyai.node.founding import create_journal, genesis_root
from moyai.node.free_ports import free_ports
from moyai.node.processes import CityProcesses, Health, read_health, stop_city
from moyai.node.testnet import City, CityPlan, make_city
from moyai.primitives.ids import TimeMs


@pytest.fixture
def alone(tmp_path: Path) -> City:
    """Give a city of one validator, which finalizes by itself."""
    plan = CityPlan(tmp_path / "city", "city-1", TimeMs(time.time_ns() // 10**6), free_ports(1))
    return make_city(plan, genesis_root, create_journal)


def is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").exists()


def test_leaving_the_block_stops_every_process(alone: City) -> None:
    with CityProcesses(alone) as processes:
        processes.start()
        processes.wait_ready()
        pid = processes["city-hall"].pid
        assert is_alive(pid)
    assert not is_alive(pid)
    assert read_health(alone.nodes[0].url).status == 0


def test_an_error_in_the_block_stops_them_as_well(alone: City) -> None:
    processes = CityProcesses(alone)
    with pytest.raises(KeyboardInterrupt), processes:  # noqa: PT012 - the block is what is tested
        processes.start()
        raise KeyboardInterrupt
    assert not processes.nodes[0].running


def test_a_killed_node_starts_again(alone: City) -> None:
    with CityProcesses(alone) as processes:
        processes.start()
        processes.wait_ready()
        processes.nodes[0].kill()
        assert not processes.nodes[0].running
        processes.start()
        processes.wait_ready()


def test_a_node_that_cannot_start_is_told_with_its_last_words(alone: City) -> None:
    alone.nodes[0].config_file.write_text("mode = 7")
    with CityProcesses(alone) as processes:
        processes.start()
        with pytest.raises(NodeProcessError, match="mode is an integer, not a text"):
            processes.wait_ready()


def test_what_a_node_says_is_told_in_its_words() -> None:
    assert Health(200, '{"ready": true, "summary": "quorum 4/4"}').summary == "quorum 4/4"
    assert Health(502, "Bad Gateway\n").summary == "Bad Gateway"


def test_a_city_left_running_is_stopped_by_its_folder(alone: City) -> None:
    with CityProcesses(alone) as processes:
        processes.start()
        processes.wait_ready()
        processes.detach()
    node = processes.nodes[0]
    assert node.running
    assert stop_city(alone.directory) == 1
    assert node.join(1.0) == 0
    assert stop_city(alone.directory) == 0


def test_a_number_that_another_process_has_by_now_is_left_alone(alone: City) -> None:
    (alone.nodes[0].folder / "node.pid").write_text("1\n")
    assert stop_city(alone.directory) == 0
