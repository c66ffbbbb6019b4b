"""kill -9 at any moment, fifty times: nothing acknowledged is lost, no vote contradicts another."""

import random
import threading
import time

from harness.real_city import CallFailed, RealCity
from moyai.node.testnet import CityNode
from moyai.primitives.ids import TransactionId

KILLS = 50
BACK_SECONDS_MAX = 5.0
SEED = 20260402


class Writer(threading.Thread):
    """Submits documents without a pause and remembers which ones a node called final."""

    def __init__(self, city: RealCity) -> None:
        super().__init__(daemon=True)
        self._city = city
        self._stop_asked = threading.Event()
        self._chance = random.Random(SEED)
        self._waiting: dict[TransactionId, float] = {}
        self.acknowledged: list[TransactionId] = []

    def run(self) -> None:
        number = 0
        while not self._stop_asked.wait(0.01):
            node = self._chance.choice(self._city.nodes).node
            try:
                transaction_id, raw = self._city.document(f"document {number}")
                number += 1
                self._city.submit(node, raw)
                self._waiting[transaction_id] = time.monotonic()
                self._collect(node)
            except CallFailed:
                continue

    def _collect(self, node: CityNode) -> None:
        for transaction_id in list(self._waiting)[:8]:
            status = self._city.call(node, "tx_status", id=transaction_id.hex())["status"]
            if status == "final":
                self.acknowledged.append(transaction_id)
            if status != "pending":
                del self._waiting[transaction_id]

    def stop(self) -> None:
        self._stop_asked.set()
        self.join()


def test_fifty_kills_lose_nothing_that_was_acknowledged(own_city: RealCity) -> None:
    chance = random.Random(SEED)
    writer = Writer(own_city)
    writer.start()
    killed = 0
    while killed < KILLS:
        victims = chance.sample(own_city.nodes, chance.choice([1, 1, 2, 3, 4, 4]))
        time.sleep(chance.uniform(0.0, 0.6))  # the random moment is what this test is about
        for victim in victims:
            victim.kill()
            killed += 1
        for victim in victims:
            victim.start()
        began = time.monotonic()
        own_city.processes.wait_ready()
        started = time.monotonic()
        own_city.make_final(victims[0].node, f"after kill {killed}", BACK_SECONDS_MAX)
        assert time.monotonic() - started < BACK_SECONDS_MAX, f"ready after {started - began:.1f} s"
    writer.stop()
    own_city.wait_equal_heads(10.0)
    assert len(writer.acknowledged) > KILLS
    for process in own_city.nodes:
        assert own_city.call(process.node, "evidence_list")["evidence"] == []
        lost = [
            one.hex() for one in writer.acknowledged if not is_final(own_city, process.node, one)
        ]
        assert lost == []


def is_final(city: RealCity, node: CityNode, transaction_id: TransactionId) -> bool:
    status = city.call(node, "tx_status", id=transaction_id.hex())
    return bool(status["status"] == "final")


def test_a_node_killed_while_it_starts_starts_again(own_city: RealCity) -> None:
    victim = own_city["utility"]
    for place in range(5):
        victim.kill()
        victim.start()
        time.sleep(0.15 * place)  # dies at another point of its start each time
    own_city.processes.wait_ready()
    own_city.make_final(victim.node, "after a bad start", BACK_SECONDS_MAX)
