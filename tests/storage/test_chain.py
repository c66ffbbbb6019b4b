"""The chain store: what is appended is there at once, what is written is there after any crash."""

import multiprocessing
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.reference_tree import ReferenceTree
from harness.stored_chain import MAP_BYTES, ChainBuilder, small_genesis
from moyai.ledger.genesis import genesis_state
from moyai.primitives.errors import GenesisError
from moyai.primitives.ids import ZERO_DIGEST, Height
from moyai.primitives.merkle import Frontier, merkle_root
from moyai.primitives.receipt import block_receipts_root
from moyai.storage import checkpoint
from moyai.storage.chain import ChainStore
from moyai.storage.errors import CommitFailed, CorruptedError, StorageFull
from moyai.storage.keys import ChainTable
from moyai.storage.verify import verify_chain


def test_a_new_store_holds_genesis_and_its_state(chain: ChainBuilder) -> None:
    assert chain.store.committed_height == 0
    assert chain.store.states.root == chain.genesis.state_root
    for key, value in genesis_state(chain.genesis).items():
        entry = chain.store.states.get(key)
        assert (entry.value, entry.version, entry.height) == (value, 1, 0)


def test_a_genesis_whose_state_root_is_wrong_makes_no_store(tmp_path: Path) -> None:
    wrong = msgspec.structs.replace(small_genesis(), state_root=ZERO_DIGEST)
    with pytest.raises(GenesisError, match="has the root"):
        ChainStore.create(tmp_path / "chain", wrong, map_bytes=MAP_BYTES)
    assert not (tmp_path / "chain" / "data.mdb").exists()


def test_an_appended_block_changes_the_live_state_before_it_is_written(chain: ChainBuilder) -> None:
    chain.append({b"key": b"one"})
    assert chain.store.states.get(b"key").value == b"one"
    assert chain.store.committed_height == 0
    with chain.store.snapshot() as snapshot:
        assert snapshot.state(b"key") is None
        assert snapshot.height == 0
    chain.write()
    assert chain.store.committed_height == 1
    with chain.store.snapshot() as snapshot:
        assert snapshot.state(b"key").value == b"one"


def test_append_returns_the_roots_that_the_definitions_give(chain: ChainBuilder) -> None:
    reference = ReferenceTree()
    reference.apply(genesis_state(chain.genesis), 0)
    receipt_roots = []
    for height in range(1, 6):
        changes = {b"key": b"%d" % height, b"other%d" % height: b""}
        block = chain.append(changes, count=height % 3)
        reference.apply(changes, height)
        receipt_roots.append(block_receipts_root(block.outcome.receipts))
        assert chain.executed[height].state_root == reference.root(height)
        assert chain.executed[height].receipts_root == merkle_root(receipt_roots)


def test_restart_gives_the_state_before_it(chain: ChainBuilder) -> None:
    for height in range(1, 30):
        changes = {b"key%d" % (height % 7): b"%d" % height, b"once%d" % height: b"x"}
        chain.append(changes)
        if height % 4 == 0:
            chain.write()
    chain.write()
    before = chain.store.states
    after = chain.reopen().states
    assert after.root == before.root
    assert after.height == 29
    for key in [b"key%d" % number for number in range(7)] + [b"once9", b"never"]:
        assert after.get(key) == before.get(key)
    chain.add({b"key1": b"later"})
    assert chain.reopen().states.get(b"key1").value == b"later"


def test_what_was_not_written_is_gone_after_a_restart(chain: ChainBuilder) -> None:
    chain.add({b"key": b"written"})
    chain.append({b"key": b"not written"})
    store = chain.reopen()
    assert store.height == 1
    assert store.states.get(b"key").value == b"written"


def test_the_executed_roots_go_on_after_a_restart(chain: ChainBuilder, tmp_path: Path) -> None:
    other = ChainBuilder(tmp_path / "other")
    for height in range(1, 12):
        changes = {b"key": b"%d" % height}
        chain.add(changes)
        other.append(changes)
        chain.reopen()
    assert chain.executed == other.executed
    other.store.close()


def test_attested_roots_stay_provable_over_a_restart(chain: ChainBuilder) -> None:
    for height in range(1, 10):
        chain.add({b"key": b"%d" % height, b"new%d" % height: b"x"})
    with chain.store.snapshot() as snapshot:
        before = [snapshot.prove_state(key) for key in (b"key", b"new9", b"new8", b"never")]
    chain.reopen()
    with chain.store.snapshot() as snapshot:
        assert snapshot.attested_height == 8
        after = [snapshot.prove_state(key) for key in (b"key", b"new9", b"new8", b"never")]
    assert after == before


def test_a_crash_between_any_two_commits_leaves_one_of_them(
    chain: ChainBuilder, tmp_path: Path
) -> None:
    roots = {0: chain.store.states.root}
    for height in range(1, 9):
        chain.add({b"key%d" % (height % 3): b"%d" % height})
        roots[height] = chain.store.states.root
        image = tmp_path / f"image{height}"
        shutil.copytree(chain.path, image)
        survivor = ChainStore.open(image, chain.genesis, map_bytes=MAP_BYTES)
        assert survivor.committed_height == height
        assert survivor.states.root == roots[height]
        survivor.environment.verify()
        survivor.close()


def test_the_frontier_of_any_written_height_is_the_log_of_its_ancestors(
    chain: ChainBuilder,
) -> None:
    for _ in range(1, 12):
        chain.add({}, count=0)
    chain.reopen()
    for header in chain.headers[1:]:
        frontier = chain.store.frontier(header.height)
        assert isinstance(frontier, Frontier)
        assert frontier.root == header.log_root


def test_a_full_store_refuses_the_batch_and_everything_after_it(tmp_path: Path) -> None:
    builder = ChainBuilder(tmp_path / "chain")
    builder.store.close()
    store = ChainStore.open(builder.path, builder.genesis, map_bytes=1024**2)
    builder.store = store
    with pytest.raises(StorageFull, match="the store is full"):  # noqa: PT012 - until it is full
        while True:
            height = builder.store.height
            builder.add({b"key%d" % number: b"%d" % height * 99 for number in range(50)})
    written = store.committed_height
    assert written > 0
    assert store.failed
    with pytest.raises(CommitFailed, match="an earlier commit failed"):
        builder.add({})
    survivor = builder.reopen()
    assert survivor.committed_height == written
    survivor.close()


def test_a_root_that_does_not_hold_stops_the_start(
    chain: ChainBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "LEAVES_AT_ONCE", 1)
    chain.add({b"key": b"value"})
    environment = chain.store.environment
    sections = environment.table(ChainTable.SECTIONS)
    with environment.write() as txn:
        index, value = next(sections.scan(txn))
        sections.put(txn, index, value[:-76] + bytes(76))
    with pytest.raises(CorruptedError, match=r"state of height 1.*was written"):
        chain.reopen()
    chain.store = ChainBuilder(chain.path.with_name("other")).store


def _write_for_ever(path: Path, written: "multiprocessing.Queue[int]") -> None:
    chain = ChainBuilder(path)
    while True:
        height = chain.store.height + 1
        chain.add({b"key%d" % (height * step): b"%d" % height for step in range(40)}, count=5)
        written.put(height)


@pytest.mark.parametrize("after", [1, 7, 23])
def test_a_killed_process_leaves_all_that_it_had_written(tmp_path: Path, after: int) -> None:
    context = multiprocessing.get_context("spawn")
    written = context.Queue()
    process = context.Process(target=_write_for_ever, args=(tmp_path / "chain", written))
    process.start()
    told = 0
    while told < after:
        told = written.get(timeout=60)
    process.kill()
    process.join()
    store = ChainStore.open(tmp_path / "chain", small_genesis(), map_bytes=MAP_BYTES)
    assert store.committed_height >= told
    assert verify_chain(store).blocks == store.committed_height + 1
    store.close()


@given(
    st.lists(
        st.tuples(
            st.dictionaries(
                st.sampled_from([b"k%d" % number for number in range(12)]),
                st.none() | st.binary(max_size=2),
                max_size=6,
            ),
            st.sampled_from(["append", "write", "restart"]),
        ),
        max_size=14,
    )
)
@settings(max_examples=25)
def test_any_mix_of_writes_and_restarts_keeps_the_written_state(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Any]
) -> None:
    chain = ChainBuilder(tmp_path_factory.mktemp("chain") / "chain")
    model: list[dict[bytes, bytes | None]] = [dict(genesis_state(chain.genesis))]
    for changes, then in steps:
        chain.append(changes)
        model.append({**model[-1], **changes})
        if then != "append":
            chain.write()
        if then == "restart":
            chain.reopen()
        for key in model[-1]:
            entry = chain.store.states.get(key)
            assert (None if entry is None else entry.value) == model[-1][key]
        with chain.store.snapshot() as snapshot:
            written = model[snapshot.height]
            assert snapshot.height == chain.store.committed_height
            for key in model[-1]:
                entry = snapshot.state(key)
                assert (None if entry is None else entry.value) == written.get(key)
    assert chain.store.height == Height(len(steps))
    chain.store.close()
