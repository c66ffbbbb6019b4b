"""One member of four gone bad, over real sockets: the other three go on, and stay small."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.byzantine_peer import SINS, Sin, Traitor
from harness.real_city import RealCity, real_city
from moyai.node.processes import NodeProcess

SIN_SECONDS = 1.0
FINAL_SECONDS_MAX = 5.0
GROWTH_KIB_MAX = 64 * 1024


@pytest.fixture(scope="module")
def betrayed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealCity]:
    """Give a city whose last member has stopped; a traitor uses its keys."""
    with real_city(tmp_path_factory.mktemp("betrayed") / "city") as city:
        city.nodes[-1].kill()
        yield city


def resident_kib(process: NodeProcess) -> int:
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError(f"{process.node.name} has ended")


@pytest.mark.parametrize("sin", SINS, ids=lambda sin: sin.__name__)
def test_the_others_go_on(betrayed: RealCity, sin: Sin) -> None:
    *honest, bad = betrayed.nodes
    before = [resident_kib(process) for process in honest]
    traitor = Traitor(betrayed.city, bad.node)
    sinning = threading.Thread(target=lambda: asyncio.run(traitor.run(sin, SIN_SECONDS)))
    sinning.start()
    number = 0
    while sinning.is_alive() or not number:
        process = honest[number % len(honest)]
        betrayed.make_final(process.node, f"{sin.__name__} {number}", FINAL_SECONDS_MAX)
        number += 1
    sinning.join()
    assert traitor.turns
    for process, kib in zip(honest, before, strict=True):
        assert process.running
        assert resident_kib(process) - kib < GROWTH_KIB_MAX
        assert "Traceback" not in process.log_tail()
    heads = {betrayed.call(process.node, "chain_block", height=1)["digest"] for process in honest}
    assert len(heads) == 1
