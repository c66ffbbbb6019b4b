"""Scenarios of serving a state: offers are certified, past epochs proven, ids given."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.core_city import CoreCity, document
from harness.grown_chain import grow, import_whole, snapshot_of
from harness.stored_chain import ChainBuilder
from moyai.node.state_serving import NoSnapshots, StateReader
from moyai.primitives.ids import Epoch, Height
from moyai.primitives.limits import EPOCH_MAX
from moyai.storage.state_snapshots import LEAVES_FILE, SnapshotFolder


def test_a_chain_without_snapshots_offers_none(city: CoreCity) -> None:
    with city.nodes[0].chain.snapshot() as snapshot:
        reader = StateReader(snapshot, NoSnapshots())
        assert reader.offer(None) is None
        assert reader.part(Height(1), 0) is None
        assert reader.epoch_end(Epoch(0)) is None


def test_recent_blocks_have_their_ids(city: CoreCity) -> None:
    (outcome,) = city.nodes[0].submit(document(1))
    city.run(lambda: city.nodes[0].is_final(outcome))
    with city.nodes[0].chain.snapshot() as snapshot:
        reader = StateReader(snapshot, NoSnapshots())
        block = reader.recent(Height(1))
        assert block is not None
        assert block.ids == outcome.id
        assert reader.recent(Height(snapshot.height + 1)) is None


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[ChainBuilder]:
    builder = ChainBuilder(tmp_path / "chain")
    grow(builder, 20)
    yield builder
    builder.store.close()


def test_no_epoch_that_can_be_asked_for_is_too_high(chain: ChainBuilder) -> None:
    with chain.store.snapshot() as snapshot:
        assert StateReader(snapshot, NoSnapshots()).epoch_end(Epoch(EPOCH_MAX)) is None


def test_a_snapshot_of_a_chain_that_was_replaced_by_a_state_is_not_offered(
    chain: ChainBuilder, tmp_path: Path
) -> None:
    snapshot_of(chain, tmp_path / "own")
    grow(chain, 20)
    newer = snapshot_of(chain, tmp_path / "newer")
    twin = import_whole(chain, newer, tmp_path / "twin")
    grow(twin, 3)
    with twin.store.snapshot() as snapshot:
        assert StateReader(snapshot, SnapshotFolder(tmp_path / "own")).offer(None) is None
        assert StateReader(snapshot, SnapshotFolder(tmp_path / "newer")).offer(None) is not None
    twin.store.close()


def test_a_part_that_is_damaged_or_gone_is_not_held(chain: ChainBuilder, tmp_path: Path) -> None:
    folder = SnapshotFolder(tmp_path / "snapshots")
    height = snapshot_of(chain, folder.path).description.header.height
    assert folder.all()
    leaves = folder.path / str(height) / LEAVES_FILE
    with chain.store.snapshot() as snapshot:
        reader = StateReader(snapshot, folder)
        leaves.write_bytes(b"damaged")
        assert reader.part(height, 0) is None
        leaves.unlink()
        assert reader.part(height, 0) is None
