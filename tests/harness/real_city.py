"""A city of real processes for tests: starts fast, takes transactions over plain JSON-RPC.

The client here is deliberately not the SDK: what it believes is only what a node answered, so that
the tests judge the nodes and nothing else.
"""

import base64
import http.client
import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from moyai.node.founding import create_journal, genesis_root
from moyai.node.free_ports import free_ports
from moyai.node.key_file import KeyKind, load_signing_key
from moyai.node.processes import CityProcesses, NodeProcess
from moyai.node.testnet import City, CityNode, CityPlan, make_city
from moyai.primitives.codec import encode
from moyai.primitives.ids import TimeMs, TransactionId
from moyai.primitives.operations import Operation
from moyai.primitives.operations_documents import RegisterDocument
from moyai.primitives.transaction import (
    Body,
    Scheme,
    Signer,
    assemble,
    body_id,
    signing_message,
)

POLL_SECONDS = 0.03
CALL_SECONDS_MAX = 10.0
VALID_FOR_MS = 60_000
CHAIN_ID = "test-city"


class CallFailed(Exception):
    """The node answered with an error, or not at all; `data` is the error's data."""

    def __init__(self, text: str, data: dict[str, Any] | None = None) -> None:
        super().__init__(text)
        self.data = data or {}


class RealCity:
    """The processes, and what one can ask of them."""

    def __init__(self, city: City, processes: CityProcesses) -> None:
        self.city = city
        self.processes = processes
        self._officer = load_signing_key(city.nodes[0].officer_files[0], KeyKind.ACCOUNT)

    def __getitem__(self, slug: str) -> NodeProcess:
        return self.processes[slug]

    @property
    def nodes(self) -> tuple[NodeProcess, ...]:
        """All nodes in the order of the genesis file."""
        return self.processes.nodes

    def call(self, node: CityNode, method: str, **params: Any) -> Any:
        """Make one call. Raises `CallFailed`."""
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = post(node, json.dumps(request).encode())
        if "error" in answer:
            raise CallFailed(f"{method}: {answer['error']}", answer["error"].get("data"))
        return answer["result"]

    def document(self, series: str) -> tuple[TransactionId, bytes]:
        """Return a signed transaction of city hall that registers a document."""
        digest = sha256(series.encode()).digest()
        return self.sign((RegisterDocument(series, digest, len(series)),))  # type: ignore[arg-type]

    def sign(
        self,
        operations: tuple[Operation, ...],
        *,
        chain_id: str = CHAIN_ID,
        valid_ms: int = VALID_FOR_MS,
    ) -> tuple[TransactionId, bytes]:
        """Return a transaction signed by an officer of city hall."""
        body = Body(
            chain_id=chain_id,
            account=self.city.nodes[0].account,
            signers=(Signer(Scheme.ED25519, self._officer.public),),
            operations=operations,
            valid_until_ms=TimeMs(time.time_ns() // 10**6 + valid_ms),
            nonce=secrets.token_bytes(8),
            memo=None,
        )
        transaction_id = body_id(encode(body))
        signature = self._officer.sign(signing_message(chain_id, transaction_id))
        return transaction_id, assemble(body, (signature,))

    def submit(self, node: CityNode, raw: bytes) -> Any:
        """Submit one transaction. Raises `CallFailed` when it is refused."""
        return self.call(node, "tx_submit", transaction=base64.b64encode(raw).decode())

    def wait_final(self, node: CityNode, transaction_id: TransactionId, seconds: float) -> Any:
        """Wait until the node calls a transaction final and return its status."""

        def final() -> Any:
            status = self.call(node, "tx_status", id=transaction_id.hex())
            return status if status["status"] not in ("pending", "unknown") else None

        return until(final, seconds, what=f"transaction {transaction_id.hex()[:16]} at {node.name}")

    def make_final(self, node: CityNode, series: str, seconds: float = 10.0) -> TransactionId:
        """Submit one document at a node and wait until it is final there."""
        transaction_id, raw = self.document(series)
        self.submit(node, raw)
        assert self.wait_final(node, transaction_id, seconds)["status"] == "final"
        return transaction_id

    def head(self, node: CityNode) -> int:
        """Return the height of the newest committed block."""
        return int(self.call(node, "chain_head")["height"])

    def wait_equal_heads(self, seconds: float) -> dict[str, Any]:
        """Wait until all nodes have the same newest block and state root, and return them."""

        def equal() -> Any:
            heads = [self.call(process.node, "chain_head") for process in self.nodes]
            return heads[0] if all(head == heads[0] for head in heads) else None

        head: dict[str, Any] = until(equal, seconds, what="equal heads")
        return head


@contextmanager
def real_city(
    directory: Path, validators: int = 4, environment: dict[str, str] | None = None
) -> Iterator[RealCity]:
    """Make and start a city; every process has ended when the block ends."""
    plan = CityPlan(directory, CHAIN_ID, TimeMs(time.time_ns() // 10**6), free_ports(validators))
    city = make_city(plan, genesis_root, create_journal)
    with CityProcesses(city, {"MOYAI_LOG_FORMAT": "json", **(environment or {})}) as processes:
        processes.start()
        processes.wait_ready()
        yield RealCity(city, processes)


def post(node: CityNode, body: bytes, headers: dict[str, str] | None = None) -> Any:
    """Send one request body and return the decoded answer, whatever its HTTP status."""
    connection = http.client.HTTPConnection("127.0.0.1", node.ports.rpc, timeout=CALL_SECONDS_MAX)
    try:
        connection.request("POST", "/", body, headers or {"Content-Type": "application/json"})
        return json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException) as error:
        raise CallFailed(f"{node.name} does not answer: {error}") from None
    finally:
        connection.close()


def until(ask: Callable[[], Any], seconds: float, *, what: str) -> Any:
    """Ask until the answer is truthy, also while a node does not answer at all."""
    deadline = time.monotonic() + seconds
    last = "no answer yet"
    while time.monotonic() < deadline:
        try:
            answer = ask()
        except CallFailed as error:
            last = str(error)
        else:
            if answer:
                return answer
        time.sleep(POLL_SECONDS)
    raise AssertionError(f"{what}: not within {seconds} s ({last})")
