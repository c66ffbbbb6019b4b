"""A node's door on loopback before a `ProvenCity`: real ledger, store, signatures and server.

Blocks are made by hand: what was submitted waits in a real mempool until a scenario commits it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
import msgspec
from prometheus_client import CollectorRegistry

from harness.proven_city import ACCOUNTS, BLOCK_MS, ProvenCity, seed
from moyai.ledger.mempool import Mempool
from moyai.node.ingest import Submitted
from moyai.node.queries import NodeQueries, Reports
from moyai.primitives.block import Header
from moyai.primitives.codec import encode
from moyai.primitives.errors import MoyaiError
from moyai.primitives.ids import AccountId, Epoch, Height, TimeMs, TransactionId
from moyai.primitives.keys import SigningKey
from moyai.primitives.operations import Operation
from moyai.primitives.transaction import (
    Body,
    Scheme,
    Signer,
    assemble,
    body_id,
    parse_transaction,
    signing_message,
    verify_signatures,
)
from moyai.rpc.metrics import Metrics
from moyai.rpc.ports import (
    DiskStatus,
    EvidenceFound,
    LinkStatus,
    NodeStatus,
    PoolStatus,
    QuorumStatus,
)
from moyai.rpc.server import RpcServer
from moyai.rpc.settings import RpcConfig
from moyai.rpc.texts import base64_text

ANY_PORT = "127.0.0.1:0"
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - every city makes a folder of its own in it
MEMORY = SHARED_MEMORY if SHARED_MEMORY.is_dir() else None
"""Where syncing costs nothing; what the door does depends on no disk."""


class HandWrites:
    """The way in: parsed, verified and pooled as a node does, in one turn."""

    def __init__(self, city: ProvenCity) -> None:
        self.city = city
        self.pool = Mempool(city.genesis.parameters)
        self.lists: list[int] = []
        self.refuse_with: MoyaiError | None = None

    async def submit(self, raws: Sequence[bytes]) -> Sequence[Submitted]:
        self.lists.append(len(raws))
        return [self._submit(raw) for raw in raws]

    def is_pending(self, transaction: TransactionId) -> bool:
        return self.pool.get(transaction) is not None

    def _submit(self, raw: bytes) -> Submitted:
        if self.refuse_with is not None:
            return Submitted(None, self.refuse_with)
        try:
            checked = verify_signatures(parse_transaction(raw))
        except MoyaiError as refusal:
            return Submitted(None, refusal)
        if self.city.snapshot_of(lambda snapshot: snapshot.place(checked.id)) is not None:
            return Submitted(checked.id, None, known=True)
        admission = self.pool.add(checked)
        return Submitted(checked.id, admission.refusal, known=not admission.added)


class HandAdmin:
    """Notes what the operator asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def stop(self) -> None:
        self.asked.append("stop")

    def set_log_level(self, level: str) -> None:
        self.asked.append(level)


def status(**changed: Any) -> NodeStatus:
    """Return the status of a node that has lost the hospital."""
    whole = NodeStatus(
        name="city-hall",
        mode="validator",
        version="0.1.0",
        epoch=Epoch(0),
        view=7,
        final=Height(5),
        executed=Height(5),
        committed=Height(4),
        final_age_ms=120,
        uptime_ms=60_000,
        links=(LinkStatus("hospital", is_validator=True, is_linked=False, height=Height(3)),),
        quorum=QuorumStatus(3, 3, 4, ("hospital",)),
        pool=PoolStatus(0, 0, 0),
        disk=DiskStatus("good", 3),
        is_ready=True,
        not_ready_because="",
        waits_for="votes of a quorum",
    )
    return msgspec.structs.replace(whole, **changed)


class RpcCity:
    """A city, the door of one of its nodes, and a client of it."""

    def __init__(self, path: Path, config: RpcConfig) -> None:
        self.city = ProvenCity(path)
        self.writes = HandWrites(self.city)
        self.admin = HandAdmin()
        self.status = status()
        self.evidence: list[EvidenceFound] = []
        self.metrics = Metrics(CollectorRegistry())
        self.queries = NodeQueries(
            genesis=self.city.genesis,
            chain=self.city.store,
            writes=self.writes,
            admin=self.admin,
            reports=Reports(lambda: self.status, lambda: self.evidence),
        )
        self.server = RpcServer(self.queries, config, self.metrics)
        self.http: aiohttp.ClientSession | None = None
        self._nonce = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    def sign(
        self,
        *operations: Operation,
        by: str = "city-hall",
        account: AccountId | None = None,
        key: SigningKey | None = None,
    ) -> bytes:
        """Return a transaction signed by a member's officer, or by another key."""
        self._nonce += 1
        signer = key or SigningKey(seed(f"{by} officer"))
        body = Body(
            chain_id=self.city.genesis.chain_id,
            account=account or ACCOUNTS[by],
            signers=(Signer(Scheme.ED25519, signer.public),),
            operations=operations,
            valid_until_ms=TimeMs(self.city.tip.time_ms + 60 * BLOCK_MS),
            nonce=self._nonce.to_bytes(8, "big"),
            memo=None,
        )
        name = body_id(encode(body))
        return assemble(body, (signer.sign(signing_message(body.chain_id, name)),))

    def commit(self, *raws: bytes) -> Header:
        """Make one block of these, and of all that waits; tell the door."""
        waiting = [one.raw for one in self.writes.pool._by_id.values()]
        header = self.city.commit(*waiting, *raws)
        self.writes.pool.remove([parse_transaction(raw).id for raw in waiting])
        self.server.committed(header.height)
        return header

    async def post(self, body: bytes, **headers: str) -> tuple[int, bytes]:
        """Return status and body of one POST."""
        assert self.http is not None
        sent = {"Content-Type": "application/json", **headers}
        async with self.http.post(self.url, data=body, headers=sent) as answer:
            return answer.status, await answer.read()

    async def raw_call(self, method: str, **params: Any) -> dict[str, Any]:
        """Return the whole answer of one call."""
        call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        _, body = await self.post(msgspec.json.encode(call))
        answer: dict[str, Any] = msgspec.json.decode(body)
        return answer

    async def call(self, method: str, **params: Any) -> Any:
        """Return the result of one call."""
        answer = await self.raw_call(method, **params)
        assert "error" not in answer, answer["error"]
        return answer["result"]

    async def refusal(self, method: str, **params: Any) -> dict[str, Any]:
        """Return the data of the error that one call is answered with."""
        answer = await self.raw_call(method, **params)
        assert "error" in answer, answer
        data: dict[str, Any] = answer["error"]["data"]
        assert data["reason"]
        return data

    async def submit(self, raw: bytes) -> Any:
        return await self.call("tx_submit", transaction=base64_text(raw))


async def turns_until(holds: Callable[[], bool]) -> None:
    """Give the loop turns until something holds."""
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - what is waited for is a count inside the server
            await asyncio.sleep(0.002)


@asynccontextmanager
async def rpc_city(path: Path, **changed: Any) -> AsyncIterator[RpcCity]:
    """Start a door, and stop it."""
    config = RpcConfig(listen=ANY_PORT, **changed)
    with TemporaryDirectory(dir=MEMORY or path) as folder:
        city = RpcCity(Path(folder) / "chain", config)
        await city.server.start()
        try:
            async with aiohttp.ClientSession() as http:
                city.http = http
                yield city
        finally:
            await city.server.stop()
            city.city.close()
