"""Real processes behind relays, harmed under load; and the judge, who must see what is wrong."""

import asyncio
from pathlib import Path

import pytest

from harness.chaos.history import Block, History, Read, Sent, Transfer, Write
from harness.chaos.nemeses.disk import FailingSync
from harness.chaos.nemeses.kill_in_commit import KillInCommit
from harness.chaos.nemeses.links import Halves
from harness.chaos.run import Plan, live

QUICK_SECONDS = 14.0
SEED = 20261124


def test_kills_cuts_and_a_failing_disk_leave_a_clean_history(tmp_path: Path) -> None:
    plan = Plan(
        folder=tmp_path,
        seconds=QUICK_SECONDS,
        seed=SEED,
        nemeses=(KillInCommit, Halves, FailingSync),
        rate_tps=100.0,
        measure_one_down=False,
    )
    report = asyncio.run(live(plan, print))
    assert report.violations == []
    assert report.final > 0
    assert any(tally.recoveries for tally in report.tallies)


@pytest.fixture
def history() -> History:
    made = History({"ann": 10, "bob": 0}, 0)
    made.sent["pay"] = Sent(Transfer("ann", "bob", 7), 0.0, 10.0, accepted=True)
    made.sent["put"] = Sent(Write("lot", 0, 5), 0.0, 10.0, accepted=True)
    return made


def block(height: int, *ids: str, codes: list[int] | None = None, digest: str = "") -> Block:
    return Block(height, digest or f"block {height}", 0, list(ids), codes or [0] * len(ids))


def test_what_was_done_once_is_no_violation(history: History) -> None:
    history.take_block("hall", block(1, "pay", "put"), 1.0)
    history.take_block("bank", block(1, "pay", "put"), 1.1)
    history.take_read(Read("hall", "bob", 1, (7,)))
    history.take_read(Read("hall", "bob", 0, (0,)))
    history.take_read(Read("bank", "lot", 1, (1, 5)))
    assert history.violations == []
    assert history.unended(5.0) == history.lost() == []


def test_two_blocks_of_one_height_are_seen(history: History) -> None:
    history.take_block("hall", block(1, digest="one"), 1.0)
    history.take_block("bank", block(1, digest="another"), 1.1)
    assert "another block 1" in history.violations[0]


def test_a_transaction_that_is_final_twice_is_seen(history: History) -> None:
    history.take_block("hall", block(1, "pay"), 1.0)
    history.take_block("hall", block(2, "pay"), 2.0)
    assert "final twice" in history.violations[0]


def test_a_transaction_that_nobody_sent_is_seen(history: History) -> None:
    history.take_block("hall", block(1, "stranger"), 1.0)
    assert "nobody sent" in history.violations[0]


@pytest.mark.parametrize(("one", "code"), [("pay", 305), ("put", 405)])
def test_a_refusal_without_reason_is_seen(history: History, one: str, code: int) -> None:
    history.take_block("hall", block(1, one, codes=[code]), 1.0)
    assert f"ended with {code}" in history.violations[0]


def test_a_wrong_answer_is_seen_also_when_it_comes_before_its_block(history: History) -> None:
    history.take_read(Read("bank", "bob", 1, (8,)))
    assert history.violations == []
    history.take_block("hall", block(1, "pay"), 1.0)
    assert "bank answers (8,) for bob" in history.violations[0]


def test_what_was_accepted_and_ran_out_of_time_is_told_apart_from_what_waits(
    history: History,
) -> None:
    assert history.unended(5.0) == ["pay", "put"]
    assert history.unended(11.0) == []
    assert history.lost() == ["pay", "put"]
