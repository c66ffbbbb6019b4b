"""Random histories of the core: safe at every step, live once healed. More: `scripts/simulate`."""

import subprocess
import sys
from pathlib import Path

import pytest

from harness.byzantine import TRAITORS
from harness.consensus.swarm import Swarm

ROOT = Path(__file__).resolve().parents[2]
SEEDS = 90
RESTART_SEEDS = 60
CHANGE_SEEDS = range(80, 110)
CHANGE_MARKS = {
    "an epoch ended",
    "an epoch ended by a filler",
    "led through the end of an epoch",
}
MARKS = {"both certificates of a view", "in the middle of a view", "synced", "evidence"}


def test_histories_of_many_faults() -> None:
    outcomes = [Swarm(seed, TRAITORS).run() for seed in range(SEEDS)]
    seen = {mark for outcome in outcomes for mark in outcome.marks}
    assert sum(outcome.restarts for outcome in outcomes) > SEEDS
    assert seen >= MARKS, f"the swarm never reached {MARKS - seen}"
    recoveries = sorted(outcome.recovery_ms for outcome in outcomes)
    assert recoveries[int(len(recoveries) * 0.99)] <= 3_000


def test_x9_all_nodes_restarted_at_random_steps() -> None:
    for seed in range(RESTART_SEEDS):
        Swarm(seed, {}, restarts=True).run()


def test_x8_members_change_while_anything_may_happen() -> None:
    outcomes = [Swarm(seed, {}, changes=True).run() for seed in CHANGE_SEEDS]
    seen = {mark for outcome in outcomes for mark in outcome.marks}
    assert seen >= CHANGE_MARKS, f"the swarm never reached {CHANGE_MARKS - seen}"


@pytest.mark.parametrize("seed", [4, 11])
def test_another_process_with_another_hash_seed_lives_the_same_history(seed: int) -> None:
    script = ROOT / "scripts" / "simulate.py"
    digests = {
        subprocess.run(
            [sys.executable, str(script), "--seed", str(seed), "--digest"],
            env={"PYTHONHASHSEED": hash_seed, "PATH": ""},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(digests) == 1
