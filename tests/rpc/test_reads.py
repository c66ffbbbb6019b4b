"""One snapshot and the heights that may be asked of it."""

from pathlib import Path

import pytest

from harness.rpc_city import RpcCity
from moyai.primitives.state_keys import PARAMETERS
from moyai.rpc.block_trees import TreeKeeper
from moyai.rpc.errors import InvalidParamsError, NotFoundError
from moyai.rpc.reads import Reads
from moyai.rpc.settings import RpcConfig
from moyai.rpc.waiters import FinalityWaiters


def test_everything_is_of_the_snapshot_s_height(tmp_path: Path) -> None:
    city = RpcCity(tmp_path / "chain", RpcConfig())
    city.city.commit()
    with city.queries.snapshot() as snapshot:
        reads = Reads(snapshot, city.queries, FinalityWaiters(), TreeKeeper())
        city.city.commit()
        assert reads.height == reads.head.height == 1
        assert reads.as_of(None) == reads.as_of(1) == 1
        with pytest.raises(InvalidParamsError):
            reads.as_of(2)
        with pytest.raises(NotFoundError):
            reads.header(2)
        certified = reads.newest_certified()
        assert certified is not None
        assert certified[0] == 1
        entry = reads.get(PARAMETERS)
        assert entry is not None
        assert reads.value(PARAMETERS) == entry.value
        assert reads.value(b"nothing") is None
    city.city.close()
