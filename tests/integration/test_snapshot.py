"""Real nodes that begin with a state: a disk lost under load, killed on the way, one peer dumb."""

import asyncio
import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import msgspec
import pytest

from harness.byzantine_peer import Traitor
from harness.real_city import CallFailed, RealCity, real_city, until
from moyai.client import Client
from moyai.node.config import load_config
from moyai.node.founding import join
from moyai.node.genesis_file import read_genesis
from moyai.node.processes import NodeProcess
from moyai.p2p.snapshot_messages import SnapshotAnswer, SnapshotOffer
from moyai.primitives.block import header_digest
from moyai.primitives.certificate import Certificate
from moyai.primitives.hashing import sha256
from moyai.primitives.operations_documents import RegisterDocument
from moyai.primitives.state_snapshot import SnapshotDescription
from moyai.primitives.vote import VoteKind
from moyai.storage.state_snapshots import SnapshotFolder

SNAPSHOT_BLOCKS = 10
OPERATIONS = 64
BACK_SECONDS_MAX = 15.0
SETTINGS = {
    "MOYAI_SYNC_FROM": "snapshot",
    "MOYAI_STORAGE_SNAPSHOT_BLOCKS": str(SNAPSHOT_BLOCKS),
}


@pytest.fixture
def city(tmp_path: Path) -> Iterator[RealCity]:
    """Give a city, founded without any snapshot, in which every node may begin with one."""
    with real_city(tmp_path / "city", environment=SETTINGS) as running:
        yield running


@contextmanager
def load(city: RealCity) -> Iterator[None]:
    """Hand in documents at the first node until the block ends."""
    stop = threading.Event()

    def work() -> None:
        number = 0
        while not stop.wait(0.02):
            number += 1
            try:
                city.submit(city.nodes[0].node, city.document(f"load {number}")[1])
            except CallFailed:
                continue

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        stop.set()
        worker.join()


def grow(city: RealCity) -> None:
    """Let the city go on until every running node has made a snapshot."""
    folders = [one.node.folder / "data" / "snapshots" for one in city.nodes if one.running]
    number = 0
    while not all(any(folder.glob("[0-9]*")) for folder in folders):
        number += 1
        city.make_final(city.nodes[0].node, f"growing {number}")


def wipe(process: NodeProcess, city: RealCity) -> None:
    """Lose the whole disk but for the keys, and do what the operator's page says."""
    process.kill()
    shutil.rmtree(process.node.folder / "data")
    config = load_config(process.node.config_file, {})
    join(config, city.city.genesis, lost_journal=True)


def took_over_state(process: NodeProcess) -> bool:
    log = (process.node.folder / "node.log").read_text(encoding="utf-8", errors="replace")
    return "state_taken_over" in log


async def seen_by_a_new_client(city: RealCity, process: NodeProcess) -> int:
    """Return the height that the SDK believes when it knows genesis and this one node alone."""
    genesis = read_genesis(city.city.genesis_file)
    async with Client.connect(process.node.url, trust=genesis) as client:
        return client.head.height


def test_a_wiped_validator_is_back_while_the_city_works(city: RealCity) -> None:
    grow(city)
    victim = city.nodes[3]
    wipe(victim, city)
    with load(city):
        victim.start()
        until(lambda: victim.health().ready, BACK_SECONDS_MAX, what="the wiped node is ready")
        assert took_over_state(victim)
        until(lambda: is_voting(city, victim), BACK_SECONDS_MAX, what="it is safe to vote")
    city.wait_equal_heads(BACK_SECONDS_MAX)
    assert asyncio.run(seen_by_a_new_client(city, victim)) > SNAPSHOT_BLOCKS
    city.nodes[2].kill()
    city.make_final(victim.node, "three of four, the wiped one among them", BACK_SECONDS_MAX)


def test_killed_on_the_way_and_one_peer_dumb(city: RealCity) -> None:
    grow(city)
    victim, dumb = city.nodes[3], city.nodes[2]
    wipe(victim, city)
    os.kill(dumb.pid, signal.SIGSTOP)
    try:
        for moment in (0.4, 0.7, 1.0, 1.6):
            victim.start()
            time.sleep(moment)  # dies at another point of its way each time
            victim.kill()
        victim.start()
        until(lambda: took_over_state(victim), BACK_SECONDS_MAX, what="a state is taken over")
    finally:
        os.kill(dumb.pid, signal.SIGCONT)
    until(lambda: victim.health().ready, BACK_SECONDS_MAX, what="the wiped node is ready")
    city.make_final(victim.node, "after all that", BACK_SECONDS_MAX)
    city.wait_equal_heads(BACK_SECONDS_MAX)


@pytest.mark.nightly
def test_how_long_a_hundred_thousand_keys_take(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Prints what docs/operations.md says; run it alone, with -s."""
    settings = SETTINGS | {"MOYAI_STORAGE_SNAPSHOT_BLOCKS": "50"}
    with real_city(tmp_path / "city", environment=settings) as city:
        fill(city, 100_000)
        grow(city)
        victim = city.nodes[3]
        wipe(victim, city)
        began = time.monotonic()
        victim.start()
        until(lambda: took_over_state(victim), 120.0, what="a state is taken over")
        taken = time.monotonic() - began
        until(lambda: victim.health().ready, 120.0, what="the node is ready")
        ready = time.monotonic() - began
        city.wait_equal_heads(BACK_SECONDS_MAX)
        folder = city.nodes[0].node.folder / "data" / "snapshots"
        newest = max(folder.glob("[0-9]*"), key=lambda one: int(one.name))
        size = sum(file.stat().st_size for file in newest.iterdir())
    with capsys.disabled():
        print(
            f"\n100,000 keys, {size / 1e6:.1f} MB: {taken:.1f} s to the state, {ready:.1f} s ready"
        )


def fill(city: RealCity, keys: int) -> None:
    """Register documents until there are so many keys more, as many as fit in a transaction."""
    waiting = []
    for first in range(0, keys, OPERATIONS):
        documents = tuple(
            RegisterDocument(f"archive-{number}", sha256(b"%d" % number), number + 1)
            for number in range(first, min(first + OPERATIONS, keys))
        )
        transaction, raw = city.sign(documents)
        city.submit(city.nodes[0].node, raw)
        waiting.append(transaction)
        if len(waiting) > 20:
            city.wait_final(city.nodes[0].node, waiting.pop(0), 60.0)
    for transaction in waiting:
        assert city.wait_final(city.nodes[0].node, transaction, 60.0)["status"] == "final"


@pytest.mark.nightly
def test_a_node_left_behind_by_all_others_takes_over_a_newer_state_by_itself(
    city: RealCity,
) -> None:
    behind, *others = city.nodes
    city.make_final(behind.node, "early")
    data = behind.node.folder / "data"
    behind.kill()
    shutil.copytree(data / "chain", data / "chain-early")
    behind.start()
    city.processes.wait_ready()
    grow(city)
    with load(city):
        for victim in others:
            wipe(victim, city)
            victim.start()
            until(partial(is_voting, city, victim), 2 * BACK_SECONDS_MAX, what="it votes again")
    behind.kill()
    shutil.rmtree(data / "chain")
    (data / "chain-early").rename(data / "chain")
    behind.start()
    until(lambda: took_over_state(behind), 2 * BACK_SECONDS_MAX, what="a newer state")
    until(lambda: behind.health().ready, BACK_SECONDS_MAX, what="the node is ready")
    assert "left_behind" in (behind.node.folder / "node.log").read_text(encoding="utf-8")
    city.make_final(behind.node, "with the newer state")
    city.wait_equal_heads(BACK_SECONDS_MAX)
    assert sorted(one.name for one in data.iterdir()) == ["chain", "journal", "snapshots"]


def is_voting(city: RealCity, process: NodeProcess) -> bool:
    return bool(city.call(process.node, "node_status")["mode"] == "validator")


@pytest.mark.nightly
def test_a_member_that_offers_a_forged_state_is_found_out(city: RealCity) -> None:
    grow(city)
    honest, _, liar, victim = city.nodes
    newest = SnapshotFolder(honest.node.folder / "data" / "snapshots").newest()
    assert newest is not None
    wipe(victim, city)
    liar.kill()
    traitor = Traitor(city.city, liar.node)
    offer = forged_offer(newest.description)
    asked = [SnapshotAnswer(None, offer), SnapshotAnswer(offer.description.header.height, offer)]
    lying = threading.Thread(
        target=lambda: asyncio.run(traitor.run(lambda _: asked, BACK_SECONDS_MAX))
    )
    lying.start()
    victim.start()
    until(lambda: took_over_state(victim), BACK_SECONDS_MAX, what="a state is taken over")
    lying.join()
    assert traitor.turns
    liar.start()
    until(lambda: victim.health().ready, BACK_SECONDS_MAX, what="the wiped node is ready")
    city.make_final(victim.node, "with the true state", BACK_SECONDS_MAX)
    city.wait_equal_heads(BACK_SECONDS_MAX)
    log = (victim.node.folder / "node.log").read_text(encoding="utf-8")
    assert '"event": "fault"' in log, "it was named"


def forged_offer(description: SnapshotDescription) -> SnapshotOffer:
    """Return an offer of a richer state, under a certificate with signatures of nobody."""
    parts = bytearray(description.parts)
    parts[-1] ^= 1
    forged = msgspec.structs.replace(description, parts=bytes(parts))
    attesting = description.attesting
    certificate = Certificate(
        attesting.epoch,
        attesting.view,
        VoteKind.FINALIZE,
        header_digest(attesting),
        b"\x07",
        (bytes(64),) * 3,
    )
    return SnapshotOffer(forged, certificate, (attesting,), ())
