"""What consensus goes on from: the tip, its epoch, and what was pending at each height above it."""

from collections.abc import Iterator

import msgspec
import pytest

from harness.core_city import GENESIS, CoreCity, document, fast_folder
from moyai.node.tip import end_of_epoch, epoch_after, read_tip
from moyai.primitives.genesis import genesis_header
from moyai.primitives.ids import ZERO_DIGEST


@pytest.fixture
def city() -> Iterator[CoreCity]:
    with fast_folder() as folder:
        made = CoreCity(folder)
        made.start()
        yield made
        made.close()


def test_the_epoch_goes_on_until_a_block_ends_it() -> None:
    header = genesis_header(GENESIS)
    assert epoch_after(header) == 0
    assert epoch_after(msgspec.structs.replace(header, epoch_end=ZERO_DIGEST)) == 1


def test_the_tip_has_the_roots_above_what_it_attests(city: CoreCity) -> None:
    node = city.nodes[0]
    (outcome,) = node.submit(document(1))
    city.run(lambda: node.is_final(outcome))
    tip = read_tip(node.chain)
    assert tip.header == node.chain.tip_header
    assert tip.recent[0].header.height == tip.header.executed.height + 1
    assert [past.pending for past in tip.recent] == [None] * len(tip.recent)
    with node.chain.snapshot() as snapshot:
        assert [past.executed for past in tip.recent] == [
            snapshot.executed(past.header.height) for past in tip.recent
        ]


def test_an_epoch_that_has_not_ended_has_no_proof_of_it(city: CoreCity) -> None:
    with city.nodes[0].chain.snapshot() as snapshot:
        assert end_of_epoch(snapshot, 0) is None
