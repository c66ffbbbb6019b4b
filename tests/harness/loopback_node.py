"""A node of a `ProvenCity` on loopback: honest JSON-RPC answers, which a scenario may falsify.

It stands for any node, a lying one too; the shipped door has its own tests.
"""

import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Self

from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer

from harness.proven_city import ProvenCity
from moyai.primitives.block import Header
from moyai.primitives.codec import encode
from moyai.primitives.genesis import genesis_digest
from moyai.primitives.ids import Height, format_account
from moyai.primitives.merkle import list_inclusion_path
from moyai.primitives.transaction import parse_transaction
from moyai.storage.blocks import TransactionPlace

START = TransactionPlace(Height(0), 0)

Answer = dict[str, Any]
Falsify = Callable[[Answer], Answer]


class Refusal(Exception):
    """An error that the node answers."""

    def __init__(self, code: str, retry_after_ms: int | None = None) -> None:
        super().__init__(code)
        self.data: Answer = {"code": code, "reason": f"is {code}", "what": "it", "next": "see"}
        if retry_after_ms is not None:
            self.data["retry_after_ms"] = retry_after_ms


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def hexes(path: Any) -> list[str]:
    return [one.hex() for one in path]


class LoopbackNode:
    """Answers for one city; `falsify[method]` changes an answer, `refuse[method]` refuses."""

    def __init__(self, city: ProvenCity) -> None:
        self.city = city
        self.falsify: dict[str, Falsify] = {}
        self.refuse: dict[str, list[Refusal]] = {}
        self.asked: list[str] = []
        self.submitted: list[bytes] = []
        self.pool: list[bytes] = []
        self.commits = True
        self.is_down = False
        self.cut_after: int | None = None
        self.next_validators: Answer | None = None
        self.url = ""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        app = web.Application()
        app.router.add_post("/", self._post)
        app.router.add_get("/ws", self._socket)
        server = TestServer(app)
        await server.start_server()
        self.url = str(server.make_url("/"))
        try:
            yield self
        finally:
            await server.close()

    async def _post(self, request: web.Request) -> web.Response:
        if self.is_down:
            request.transport.abort()
            return web.Response()
        body = json.loads(await request.read())
        if isinstance(body, list):
            return web.json_response([self._answer(one) for one in body])
        return web.json_response(self._answer(body))

    def _answer(self, call: Answer) -> Answer:
        method = call["method"]
        self.asked.append(method)
        try:
            if self.refuse.get(method):
                raise self.refuse[method].pop(0)
            result = getattr(self, method)(**call["params"])
            result = self.falsify.get(method, lambda same: same)(result)
        except Refusal as refusal:
            error = {"code": -32000, "message": str(refusal), "data": refusal.data}
            return {"jsonrpc": "2.0", "id": call["id"], "error": error}
        return {"jsonrpc": "2.0", "id": call["id"], "result": result}

    # Methods.

    def chain_genesis(self) -> Answer:
        genesis = self.city.genesis
        return {"digest": genesis_digest(genesis).hex(), "document": b64(encode(genesis))}

    def validators_get(self, epoch: int) -> Answer:
        if self.next_validators is None:
            raise Refusal("not_found")
        return {"epoch": epoch, **self.next_validators}

    def tx_submit(self, transaction: str) -> Answer:
        raw = base64.b64decode(transaction)
        self.submitted.append(raw)
        identity = parse_transaction(raw).id
        known = self.city.snapshot_of(lambda view: view.transaction(identity))
        if known is None and raw not in self.pool:
            self.pool.append(raw)
        return {"id": identity.hex(), "status": "pending"}

    def tx_status(self, id: str) -> Answer:  # noqa: A002 - the name of the parameter on the wire
        def read(view: Any) -> Answer:
            receipt = view.receipt(bytes.fromhex(id))
            if receipt is None:
                return {"id": id, "status": "unknown"}
            status = "final" if receipt.code == 0 else "refused"
            told = {"code_name": "some_rule", "reason": "because of a rule", "next": "do else"}
            return {"id": id, "status": status, "code": receipt.code, **told}

        return self.city.snapshot_of(read)

    def chain_certificate(
        self, height: int | None = None, known_height: int | None = None
    ) -> Answer:
        certified = self._certified_height() if height is None else height
        return {
            "certified": self._certified(certified),
            "known_path": self._known_path(known_height, certified),
        }

    def chain_prove(
        self,
        transaction: str | None = None,
        height: int | None = None,
        in_height: int | None = None,
        known_height: int | None = None,
        wait_ms: int = 0,
    ) -> Answer:
        if self.commits and self.pool:
            pool, self.pool = self.pool, []
            self.city.commit_and_attest(*pool)
        if transaction is None:
            assert height is not None
            return self._prove_block(height, in_height, known_height)
        return self._prove_transaction(bytes.fromhex(transaction), known_height)

    def state_prove(
        self,
        key: str,
        history: bool = False,
        first_version: int = 1,
        known_height: int | None = None,
    ) -> Answer:
        certified = self._certified_height()
        at = self._header(certified).executed.height
        answer: Answer = {
            "key": key,
            "height": at,
            "certified": self._certified(certified),
            "known_path": self._known_path(known_height, certified),
        }
        raw = bytes.fromhex(key)

        def read(view: Any) -> None:
            if history:
                proof, _ = view.prove_history(raw, first_version=first_version, height=at)
                last = first_version + len(proof.versions)
                kept = [one for one in view.history(raw) if first_version <= one.version < last]
                values = [None if one.value is None else b64(one.value) for one in kept[::-1]]
                answer.update(history=b64(encode(proof)), values=values)
                return
            proof, _ = view.prove_state(raw, at)
            entry = view.state_as_of(raw, at)
            value = None if entry is None else b64(entry.value)
            answer.update(proof=b64(encode(proof)), value=value)

        self.city.snapshot_of(read)
        return answer

    def records_query(self, collection: str, **options: Any) -> Answer:
        page = int(options.get("cursor", "0"))
        records = [{"key": f"k{page}", "value": page, "version": 1, "changed_height": 1}]
        more = {"cursor": str(page + 1)} if page < 2 else {}
        return {"height": self.city.tip.height, "records": records, **more}

    # Events.

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        if self.is_down:
            request.transport.abort()
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            assert message.type is WSMsgType.TEXT
            params = json.loads(message.data)["params"]
            self.asked.append(f"subscribe {params.get('cursor')}")
            if not params.get("cursor", "0").isdigit():
                error = {"code": -32010, "message": "no", "data": Refusal("bad_cursor").data}
                await socket.send_json({"jsonrpc": "2.0", "id": 0, "error": error})
                continue
            await self._tell(socket, int(params.get("cursor", "0")))
        return socket

    async def _tell(self, socket: web.WebSocketResponse, start: int) -> None:
        await socket.send_json({"jsonrpc": "2.0", "id": 0, "result": {"cursor": str(start)}})
        for number, event in enumerate(self._events()[start:], start + 1):
            item = self.falsify.get("event", lambda same: same)({**event, "cursor": str(number)})
            news = {"subscription": 1, "items": [item], "cursor": str(number)}
            await socket.send_json({"jsonrpc": "2.0", "method": "subscription", "params": news})
            if self.cut_after is not None and number >= self.cut_after:
                self.cut_after = None
                await socket.close()
                return

    def _events(self) -> list[Answer]:
        page = self.city.snapshot_of(lambda view: view.events(START, limit=1_000))
        return [
            {
                "height": row.place.height,
                "time": "2026-01-01T00:00:00.000Z",
                "transaction": row.transaction.hex(),
                "kind": row.event.kind,
                "accounts": [format_account(account) for account in row.event.accounts],
                "fields": {},
            }
            for row in page.rows
        ]

    # Parts of answers.

    def _header(self, height: int) -> Header:
        return self.city.headers[height]

    def _certified_height(self) -> int:
        if self.city.tip.height == 0:
            raise Refusal("not_yet_provable")
        return self.city.tip.height

    def _certified(self, height: int) -> Answer:
        certificate = self.city.snapshot_of(lambda view: view.certificate(height))
        header = b64(encode(self._header(height)))
        return {"height": height, "header": header, "certificate": b64(encode(certificate))}

    def _known_path(self, known: int | None, certified: int) -> list[str] | None:
        if known is None or known >= certified:
            return None
        return hexes(self.city.snapshot_of(lambda view: view.prove_log(known, certified)))

    def _prove_block(self, height: int, in_height: int | None, known: int | None) -> Answer:
        certified = self._certified_height() if in_height is None else in_height
        if certified > self.city.tip.height:
            raise Refusal("not_found")
        path = self._known_path(height, certified)
        return {
            "header": b64(encode(self._header(height))),
            "certified": self._certified(certified),
            "log_path": path,
            "known_path": self._known_path(known, certified),
        }

    def _prove_transaction(self, identity: bytes, known: int | None) -> Answer:
        found = self.city.snapshot_of(lambda view: view.transaction(identity))
        if found is None:
            raise Refusal("not_found")
        height, index = self.city.snapshot_of(lambda view: view.place(identity))
        certified = self._certified_height()
        if self._header(certified).executed.height < height:
            raise Refusal("not_yet_provable", 10)

        def read(view: Any) -> Answer:
            receipts = [encode(receipt) for receipt in view.receipts(height)]
            size = self._header(certified).executed.height
            return {
                "transaction": b64(found.raw),
                "header": b64(encode(self._header(height))),
                "index": index,
                "path": hexes(view.prove_transaction(height, index)),
                "log_path": hexes(view.prove_log(height, certified)),
                "receipt": b64(receipts[index]),
                "receipt_path": hexes(list_inclusion_path(index, receipts)),
                "receipts_log_path": hexes(view.prove_receipts_root(height, size)),
                "certified": self._certified(certified),
                "known_path": self._known_path(known, certified),
            }

        return self.city.snapshot_of(read)
