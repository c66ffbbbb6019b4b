"""One snapshot and the heights that may be asked of it."""

from pathlib import Path

import pytest

from harness.rpc_city import RpcCity, rpc_city
from moyai.primitives.ids import Height
from moyai.primitives.keys import SigningKey
from moyai.primitives.operations_accounts import (
    AccountKind,
    Controller,
    ControllerRole,
    OpenAccount,
    Thresholds,
)
from moyai.primitives.state_keys import PARAMETERS
from moyai.primitives.transaction import Scheme, parse_transaction
from moyai.rpc.block_trees import TreeKeeper
from moyai.rpc.errors import InvalidParamsError, NotFoundError
from moyai.rpc.reads import Reads
from moyai.rpc.settings import RpcConfig
from moyai.rpc.waiters import FinalityWaiters
from moyai.storage.pruning import Pruner


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


async def test_what_is_pruned_is_refused_by_name_at_every_door(tmp_path: Path) -> None:
    async with rpc_city(tmp_path) as city:
        key = SigningKey(bytes(31) + b"\x07").public
        owner = Controller(Scheme.ED25519, key, ControllerRole.OWNER, 1, None)
        raw = city.sign(OpenAccount(AccountKind.PERSON, (owner,), Thresholds(1, 1, 1)))
        old = parse_transaction(raw).id.hex()
        city.commit(raw)
        cursor = (await city.call("events_list", limit=1))["cursor"]
        for _ in range(5):
            city.commit()
        Pruner(city.city.store).raise_base(Height(4))
        questions: list[tuple[str, dict[str, object]]] = [
            ("chain_block", {"height": 1, "include": ["transactions"]}),
            ("chain_block", {"height": 1, "include": ["receipts"]}),
            ("tx_get", {"id": old}),
            ("tx_status", {"id": old}),
            ("chain_prove", {"transaction": old}),
            ("events_list", {}),
            ("events_list", {"cursor": cursor}),
            ("state_get", {"key": PARAMETERS.hex(), "as_of": 2}),
        ]
        by_id = questions[2:5]
        for method, params in by_id:
            assert (await city.refusal(method, **params))["code"] == "pruned"
            questions.remove((method, params))
        pruner = Pruner(city.city.store)
        for _ in range(2):
            for method, params in questions:
                answer = (await city.raw_call(method, **params))["error"]
                assert (answer["code"], answer["data"]["code"]) == (-32012, "pruned"), method
                assert "from height 4 on" in answer["data"]["reason"]
            while pruner.step().more:
                pass
        ids = await city.refusal("chain_block", height=1, include=["ids"])
        assert ids["code"] == "pruned"
        assert "from height 4 up to height 6" in (await city.refusal("tx_get", id=old))["reason"]
        assert (await city.call("chain_block", height=1))["height"] == 1
        assert (await city.call("node_status"))["base"] == 4
