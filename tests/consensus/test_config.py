"""What a machine is made with."""

from harness.consensus.playbook import Stage
from moyai.consensus.config import ExecutedBlock, FinalTip
from moyai.primitives.merkle import Frontier


def test_the_header_of_a_tip_is_that_of_its_last_block() -> None:
    stage = Stage()
    one = stage.make(1, ids=1)
    two = stage.make(2, one)
    recent = tuple(
        ExecutedBlock(made.header, stage.roots(made.header.height)) for made in (one, two)
    )
    assert FinalTip(None, Frontier(), recent).header == two.header
