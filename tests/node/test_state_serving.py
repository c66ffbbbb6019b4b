"""Scenarios of serving a state: offers are certified, past epochs proven, ids given."""

from harness.core_city import CoreCity, document
from moyai.node.state_serving import NoSnapshots, StateReader
from moyai.primitives.ids import Epoch, Height


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
