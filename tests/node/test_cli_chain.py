"""`moyai status`, `params` against a running city."""

import json

from harness.command_line import Run
from harness.real_city import RealCity


def test_every_node_is_listed_also_one_that_is_down(live_city: RealCity, moyai: Run) -> None:
    code, answer, _ = moyai("status", "--city", live_city.city.directory, "--json")
    nodes = json.loads(answer)
    assert code == 0
    assert [node.get("name") for node in nodes] == ["city hall", "utility", "hospital", None]
    assert nodes[3]["error"]["code"] == "unreachable"
    assert "quorum 3/4" in nodes[0]["summary"]


def test_people_get_a_table(live_city: RealCity, moyai: Run) -> None:
    code, answer, _ = moyai("status", "--city", live_city.city.directory)
    assert code == 0
    assert "city hall" in answer
    assert "does not answer" in answer


def test_a_city_that_is_down_has_an_exit_code_of_its_own(live_city: RealCity, moyai: Run) -> None:
    down = live_city["chamber"].node.url
    assert moyai("status", "--node", down)[0] == 3
    code, _, told = moyai("params", "--node", down)
    assert code == 3
    assert told.count("\n") == 1


def test_parameters(live_city: RealCity, moyai: Run) -> None:
    code, answer, _ = moyai("params", "--city", live_city.city.directory, "--json")
    assert code == 0
    assert json.loads(answer)["parameters"]["delta_ms"] == 250
