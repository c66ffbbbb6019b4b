"""Health pages, as a supervisor reads them; over HTTP they are tested with the server."""

import json
from pathlib import Path

from harness.rpc_city import RpcCity, status
from moyai.rpc import health
from moyai.rpc.settings import RpcConfig


def test_alive_is_alive() -> None:
    assert health.live().status == 200


def test_ready_is_503_when_nothing_can_become_final(tmp_path: Path) -> None:
    city = RpcCity(tmp_path / "chain", RpcConfig())
    city.status = status(is_ready=False, not_ready_because="catching up", mode="catching up")
    answer = health.ready(city.queries)
    assert answer.status == 503
    assert isinstance(answer.body, bytes)
    told = json.loads(answer.body)
    assert told["quorum"] == "3/4"
    assert told["missing"] == ["hospital"]
    assert told["summary"].endswith("catching up")
    city.city.close()
