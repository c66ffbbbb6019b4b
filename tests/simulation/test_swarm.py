"""Random histories of cores: safe at every step, live once healed. More: `scripts/simulate`."""

import subprocess
import sys
from collections import Counter
from itertools import count, islice
from pathlib import Path

import pytest

from harness.simulator.core_level import CoreLevel
from harness.simulator.core_marks import MARKS
from harness.simulator.level import Violation
from harness.simulator.links import Links
from harness.simulator.plan import (  # noqa: F401 - names that a spelled plan is made of
    Crash,
    Cut,
    Plan,
    Shape,
    Submit,
    Weather,
)
from harness.simulator.search import Search, Tally
from harness.simulator.shrink import failure, shrink
from harness.simulator.spelling import spelled
from moyai.primitives.quorum import quorum
from moyai.primitives.validators import ValidatorSet

ROOT = Path(__file__).resolve().parents[2]
SIMULATE = ROOT / "scripts" / "simulate.py"
SEEDS = 110
REACHING = (208, 228, 169)
"""Seeds that are known to reach what others seldom do."""
RESTARTS_A_BATCH = 50


def test_histories_of_many_faults_reach_every_mark() -> None:
    level = CoreLevel()
    outcomes = [level.history(level.plan(seed)).run() for seed in (*range(SEEDS), *REACHING)]
    seen = {mark for outcome in outcomes for mark in outcome.marks}
    assert seen >= set(MARKS), f"never reached: {set(MARKS) - seen}"
    recoveries = sorted(outcome.recovery_ms for outcome in outcomes)
    assert recoveries[int(len(recoveries) * 0.99)] <= 3_000


def everybody_dies_at_once(plan: Plan) -> bool:
    deaths = Counter(event.at_ms for event in plan.events if isinstance(event, Crash))
    return any(number >= plan.size for number in deaths.values())


@pytest.mark.parametrize(
    "batch",
    [0, *(pytest.param(number, marks=pytest.mark.nightly) for number in range(1, 20))],
)
def test_x9_all_nodes_restarted_at_random_steps_go_on(batch: int) -> None:
    level = CoreLevel()
    plans = filter(everybody_dies_at_once, map(level.plan, count()))
    begin = batch * RESTARTS_A_BATCH
    marks: Counter[str] = Counter()
    for plan in islice(plans, begin, begin + RESTARTS_A_BATCH):
        marks.update(level.history(plan).run().marks)
    assert marks["all were dead at once"] >= RESTARTS_A_BATCH / 4


def test_a_history_is_the_same_in_processes_that_salt_their_hashes_otherwise() -> None:
    said = {
        subprocess.run(
            [sys.executable, str(SIMULATE), "--digests", "L1:4", "L1:11"],
            env={"PYTHONHASHSEED": hash_seed, "PATH": ""},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(said) == 1


@pytest.fixture
def quorum_of_one_less(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plant a bug: certificates of one vote less than a quorum."""
    short = property(lambda validators: quorum(len(validators)) - 1)
    monkeypatch.setattr(ValidatorSet, "quorum", short)


@pytest.mark.usefixtures("quorum_of_one_less")
def test_a_planted_bug_is_found_and_its_history_shrinks_to_a_line() -> None:
    level = CoreLevel()
    plan = next(plan for plan in map(level.plan, range(60)) if failure(level, plan))
    found = failure(level, plan)
    assert found is not None
    small = shrink(level, plan, found.kind, seconds_max=60)
    assert len(small.events) * 10 < len(plan.events)
    again = failure(level, eval(spelled(small)))  # noqa: S307 - spelled right here
    assert again is not None
    assert again.kind == found.kind


def test_a_history_in_which_a_node_raises_is_a_violation(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: ValidatorSet, view: int) -> int:
        raise KeyError(view)

    monkeypatch.setattr(ValidatorSet, "leader", broken)
    level = CoreLevel()
    with pytest.raises(Violation, match="a node raised KeyError"):
        level.history(level.plan(1)).run()


def test_a_long_run_that_never_gets_somewhere_fails() -> None:
    level = CoreLevel()
    tally = Tally(level, histories=level.enough)
    tally.marks.update(MARKS[1:])
    assert tally.unreached == [MARKS[0]]


def test_a_search_lives_seeds_twice_and_reports_what_differs(tmp_path: Path) -> None:
    program = tmp_path / "liar.py"
    program.write_text("import sys\nprint(sys.argv[2], 'another')\n")
    lines: list[str] = []
    search = Search([CoreLevel()], 1, program, lines.append)
    search.run(0.1)
    assert lines == ["L1:1 is another history in another process"]


def test_links_freeze_clog_and_lose_one_way() -> None:
    links = Links(Weather(spread_ms=0.0), 1)
    links.freeze((0, 1), 500.0)
    assert links.arrivals(0.0, (0, 1), 100) == links.arrivals(10.0, (0, 1), 100) == [500.0]
    links.clog((1, 0), 0.5)
    assert links.arrivals(0.0, (1, 0), 100)[0] > 200
    assert links.arrivals(0.0, (1, 0), 100)[0] > 400
    links.cut((2, 3))
    assert links.arrivals(0.0, (2, 3), 100) == []
    assert links.arrivals(0.0, (3, 2), 100) != []
    assert not links.is_cut((2, 3))
    links.mend((2, 3))
    assert links.arrivals(0.0, (2, 3), 100) != []
