"""Real processes behind relays, harmed under load; and the judge, who must see what is wrong."""

import asyncio
import errno
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from harness.chaos.history import Block, History, Read, Sent, Transfer, Write
from harness.chaos.nemeses.disk import FailingSync
from harness.chaos.nemeses.kill_in_commit import KillInCommit
from harness.chaos.nemeses.links import Halves
from harness.chaos.relay import Relays
from harness.chaos.run import Plan, live
from harness.chaos.shim import Shim, compile_shim

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


@asynccontextmanager
async def echoing() -> AsyncIterator[Relays]:
    """Two nodes behind relays, of which the second says again what it hears."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            writer.write(data)
        writer.close()

    async with await asyncio.start_server(echo, "127.0.0.1", 0) as server, Relays(2) as relays:
        relays.targets = (0, server.sockets[0].getsockname()[1])
        yield relays


@pytest.mark.parametrize("held", [(0, 1), (1, 0)])
async def test_a_held_direction_keeps_its_bytes_until_it_is_healed(held: tuple[int, int]) -> None:
    async with echoing() as relays:
        reader, writer = await asyncio.open_connection("127.0.0.1", relays.ports[0, 1])
        writer.write(b"before")
        assert await reader.readexactly(6) == b"before"
        relays.hold(*held)
        writer.write(b"during")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await reader.readexactly(1)
        relays.heal()
        assert await reader.readexactly(6) == b"during"
        writer.close()


async def test_a_severed_pair_loses_its_connections_and_gets_no_new_ones() -> None:
    async with echoing() as relays:
        reader, writer = await asyncio.open_connection("127.0.0.1", relays.ports[0, 1])
        writer.write(b"before")
        assert await reader.readexactly(6) == b"before"
        relays.sever(0, 1)
        with pytest.raises((OSError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        writer.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", relays.ports[0, 1])
        with pytest.raises((OSError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        writer.close()


def test_the_shim_shifts_clocks_and_fails_syncs_of_a_program_that_knows_nothing_of_it(
    tmp_path: Path,
) -> None:
    library = compile_shim(tmp_path)
    if library is None:
        pytest.skip("there is no C compiler")
    shim = Shim(library, tmp_path / "control")
    shim.shift_clock(seconds=3600.0)
    shim.fail_disk(sync=errno.EIO)
    program = (
        "import os, time\n"
        "print(time.time_ns() // 10**9)\n"
        "try: os.fsync(os.open('.', os.O_RDONLY))\n"
        "except OSError as error: print(error.errno)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **shim.environment},
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    told, failed = answer.stdout.split()
    assert abs(int(told) - time.time_ns() // 10**9 - 3600) < 60
    assert int(failed) == errno.EIO


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
