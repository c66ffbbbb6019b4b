"""Four cores are killed and restarted at random points of a lossy network; one seed, one schedule.

Whatever the schedule: no vote contradicts another or leaves before its commit (the city watches),
what any node ever had on disk as final stays, and in the end all nodes have one history.
"""

from random import Random

import pytest

from harness.core_city import CoreCity, CrashAt, Weather, document, fast_folder
from harness.watched_journal import COMMITS_AND_WRITES
from moyai.node import housekeeping

SCHEDULES = 50
SCHEDULES_A_TEST = 10
TRANSACTIONS = 24

History = dict[int, tuple[object, object]]


@pytest.mark.parametrize("first", range(0, SCHEDULES, SCHEDULES_A_TEST))
def test_whatever_is_killed_nothing_final_is_lost(
    first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "PRUNE_BLOCKS", 1)
    crashes: set[CrashAt | None] = set()
    for seed in range(first, first + SCHEDULES_A_TEST):
        with fast_folder() as folder:
            city = CoreCity(folder, seed=seed)
            try:
                run_schedule(city, Random(seed))
            except BaseException as error:
                error.add_note(f"schedule {seed}")
                raise
            finally:
                city.close()
            crashes.update(city.crashes)
    assert crashes == set(COMMITS_AND_WRITES), "the schedules must reach every point of death"


def run_schedule(city: CoreCity, random: Random) -> None:
    city.start()
    city.weather = Weather(random.choice((2, 20, 60)), random.choice((0, 0, 5)))
    history: History = {}
    raws = [document(number) for number in range(TRANSACTIONS)]
    for raw in raws:
        disturb(city, random)
        if city.running:
            random.choice(city.running).submit(raw)
        city.run_for(random.randrange(500))
        for node in city.running:
            node.keep_house()
        agree(city, history)
    heal(city, raws)
    agree(city, history)
    assert not any(node.reports for node in city.nodes)
    assert ("abstaining", "a key without its own journal") not in all_counts(city)
    assert not [reason for counter, reason in all_counts(city) if counter == "invalid_block"]


def disturb(city: CoreCity, random: Random) -> None:
    """Bring some dead back; take one down now or at its next commit or write, or cut it off."""
    for node in city.nodes:
        if node.core is None and random.randrange(2):
            node.restart()
    node = random.choice(city.nodes)
    node.is_disk_slow = not random.randrange(4)
    node.is_cut = not random.randrange(6)
    city.links_changed()
    fate = random.randrange(8)
    if fate == 0:
        node.kill()
    elif fate < 5:
        node.crash(random.choice(COMMITS_AND_WRITES))


def agree(city: CoreCity, history: History) -> None:
    """Every block on any disk is the one that was seen at its height before."""
    for node in city.running:
        for height, block in enumerate(node.history()):
            assert history.setdefault(height, block) == block, f"two blocks at height {height}"


def heal(city: CoreCity, raws: list[bytes]) -> None:
    """Bring everybody back on a good network: all transactions become final everywhere."""
    city.weather = Weather()
    for node in city.nodes:
        node.is_disk_slow = node.is_cut = False
        if node.core is None:
            node.restart()
        node.crash_at = node.watched.crash_at = None
    city.links_changed()
    outcomes = city.nodes[0].submit(*raws)
    city.run(lambda: all(node.is_final(one) for node in city.nodes for one in outcomes))
    city.run(lambda: len({node.chain.committed_height for node in city.nodes}) == 1)
    first, *others = [node.history() for node in city.nodes]
    assert all(other == first for other in others)


def all_counts(city: CoreCity) -> list[tuple[str, str]]:
    return [count for node in city.nodes for count in node.counts]
