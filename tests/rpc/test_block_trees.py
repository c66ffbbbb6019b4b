"""Trees over the body of a block: the same paths as the naive ones, hashed once."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.rpc_city import RpcCity
from moyai.primitives.merkle import MerkleTree, list_inclusion_path, merkle_root, verify_inclusion
from moyai.rpc.block_trees import TreeKeeper
from moyai.rpc.limits import BLOCK_TREES_KEPT
from moyai.rpc.settings import RpcConfig


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=40), st.data())
def test_every_path_is_that_of_the_list(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    path = MerkleTree(leaves).path(index)
    assert path == list_inclusion_path(index, leaves)
    verify_inclusion(leaves[index], index, len(leaves), path, merkle_root(leaves))


def test_a_few_blocks_are_kept_and_the_oldest_question_is_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    city = RpcCity(tmp_path / "chain", RpcConfig())
    for _ in range(BLOCK_TREES_KEPT + 1):
        city.city.commit()
    keeper = TreeKeeper()
    with city.queries.snapshot() as snapshot:
        first = keeper.of_block(snapshot, 1)
        for height in range(2, BLOCK_TREES_KEPT + 1):
            keeper.of_block(snapshot, height)
        assert keeper.of_block(snapshot, 1) is first
        keeper.of_block(snapshot, BLOCK_TREES_KEPT + 1)
        assert keeper.of_block(snapshot, 1) is first
        assert len(keeper._kept) == BLOCK_TREES_KEPT
    city.city.close()
