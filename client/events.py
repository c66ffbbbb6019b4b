"""Events as an endless iterator: each once, in order, over any number of reconnections.

The cursor of the last event yielded is where a connection, to whichever node, goes on. A checked
event is taken from the proven receipt of its transaction. A node can hold events back, it cannot
invent or repeat one.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any

import aiohttp
import msgspec

from moyai.client.answers import EventAnswer, TransactionProofAnswer
from moyai.client.errors import LyingNodeError, NodeRefusalError, NodeUnreachableError
from moyai.client.nodes import PASSING
from moyai.client.proofs import FinalReceipt, prove_transaction
from moyai.client.session import Session
from moyai.client.settings import ANSWER_BYTES_MAX, BATCH_CALLS_MAX, PROOF_WAIT_MS
from moyai.client.transport import Node, pause, socket_url
from moyai.primitives.codec import UNDECODABLE
from moyai.primitives.errors import MoyaiError
from moyai.primitives.ids import AccountId, Height, TransactionId, parse_account, parse_hex
from moyai.primitives.receipt import Event

HEARTBEAT_SECONDS = 15.0
NOT_YET = "not_yet_provable"

Place = tuple[int, int, int]
"""Height, index of the transaction, number of the event in its receipt."""


class EventFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Events of one of these kinds (`token.transferred`, or a topic: `token`) and accounts."""

    kinds: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()


class CityEvent(msgspec.Struct, frozen=True):
    """One event; `cursor` goes on after it. A proven one has its fields as the receipt has them.

    One that was not checked has them as text, as the node told them.
    """

    cursor: str
    height: Height
    transaction: TransactionId
    kind: str
    accounts: tuple[AccountId, ...]
    fields: dict[str, Any]
    is_proven: bool


class _Error(msgspec.Struct, frozen=True):
    message: str = ""
    data: dict[str, Any] = {}


class _News(msgspec.Struct, frozen=True):
    items: tuple[EventAnswer, ...] = ()
    cursor: str = ""


class _Frame(msgspec.Struct, frozen=True):
    result: _News | None = None
    params: _News | None = None
    error: _Error | None = None


class _Follower:
    """Where one iterator stands."""

    def __init__(
        self,
        session: Session,
        cursor: str | None,
        only: EventFilter,
        *,
        check: bool,
    ) -> None:
        self.cursor = cursor
        self._session = session
        self._only = only
        self._check = check
        self._last: Place = (0, 0, -1)

    def subscription(self) -> bytes:
        """Return the request that goes on from here."""
        parameters: dict[str, Any] = {"topic": "events", "filter": self._only}
        if self.cursor is not None:
            parameters["cursor"] = self.cursor
        request = {"jsonrpc": "2.0", "id": 0, "method": "subscribe", "params": parameters}
        return msgspec.json.encode(request)

    async def events(self, node: Node, items: Sequence[EventAnswer]) -> list[CityEvent]:
        """Return the items as events, each checked when that is wanted."""
        if not self._check:
            return [_unchecked(item) for item in items]
        receipts = await self._receipts(node, items)
        return [self._checked(node, item, receipts[item.transaction]) for item in items]

    async def _receipts(self, node: Node, items: Sequence[EventAnswer]) -> dict[str, FinalReceipt]:
        wanted = list(dict.fromkeys(item.transaction for item in items))
        found: dict[str, FinalReceipt] = {}
        for start in range(0, len(wanted), BATCH_CALLS_MAX):
            chunk = wanted[start : start + BATCH_CALLS_MAX]
            known = self._session.chain.head.height
            calls = [{"transaction": one, "known_height": known, "wait_ms": 0} for one in chunk]
            calls[0]["wait_ms"] = PROOF_WAIT_MS
            answers = await node.batch("chain_prove", calls, TransactionProofAnswer)
            for one, answer in zip(chunk, answers, strict=True):
                found[one] = await self._proven(node, one, known, answer)
        return found

    async def _proven(
        self,
        node: Node,
        transaction: str,
        known: Height,
        answer: TransactionProofAnswer | MoyaiError,
    ) -> FinalReceipt:
        identity = TransactionId(parse_hex(transaction, bytes_exact=32, what="transaction"))
        if isinstance(answer, NodeRefusalError) and answer.name == NOT_YET:
            known = self._session.chain.head.height
            call = {"transaction": transaction, "known_height": known, "wait_ms": PROOF_WAIT_MS}
            answer = await node.call("chain_prove", call, TransactionProofAnswer)
        if isinstance(answer, MoyaiError):
            raise answer
        path = answer.known_path
        certified = await self._session.believe(node, answer.certified, known, path)
        return prove_transaction(answer, identity, certified)

    def _checked(self, node: Node, item: EventAnswer, receipt: FinalReceipt) -> CityEvent:
        """Return the next event of the receipt that is the one told."""
        for number, event in enumerate(receipt.events):
            place = (receipt.height, receipt.index, number)
            if place > self._last and _is_same(item, event):
                self._last = place
                return CityEvent(
                    cursor=item.cursor,
                    height=receipt.height,
                    transaction=receipt.transaction,
                    kind=event.kind,
                    accounts=event.accounts,
                    fields=dict(event.fields),
                    is_proven=True,
                )
        raise LyingNodeError(
            "tells an event that did not happen, or tells it twice",
            what=f"{item.kind} of transaction {item.transaction} by {node.url}",
            next="the client goes on with another node",
        )


async def follow_events(
    session: Session,
    http: aiohttp.ClientSession,
    cursor: str | None,
    only: EventFilter,
    *,
    check: bool,
) -> AsyncIterator[CityEvent]:
    """Yield events after `cursor` for ever. Raises `NodeRefusalError` for a bad cursor."""
    follower = _Follower(session, cursor, only, check=check)
    settings = session.settings
    wait_ms = settings.retry_pause_ms
    while True:
        node = session.nodes.first
        try:
            async with aclosing(_pages(follower, http, node)) as pages:
                async for page in pages:
                    wait_ms = settings.retry_pause_ms
                    for event in page:
                        yield event
                        follower.cursor = event.cursor
        except PASSING:
            session.nodes.demote(node)
        await pause(wait_ms)
        wait_ms = min(2 * wait_ms, settings.retry_pause_max_ms)


async def _pages(
    follower: _Follower, http: aiohttp.ClientSession, node: Node
) -> AsyncGenerator[list[CityEvent]]:
    try:
        async with http.ws_connect(
            socket_url(node.url), heartbeat=HEARTBEAT_SECONDS, max_msg_size=ANSWER_BYTES_MAX
        ) as socket:
            await socket.send_str(follower.subscription().decode())
            async for message in socket:
                if message.type not in {aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY}:
                    break
                frame = _decoded(message.data, node)
                if frame.result is not None and follower.cursor is None:
                    follower.cursor = frame.result.cursor
                if frame.params is not None and frame.params.items:
                    yield await follower.events(node, frame.params.items)
                    follower.cursor = frame.params.cursor
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise NodeUnreachableError(
            f"its event connection ended ({type(error).__name__})",
            what=node.url,
            next="the client goes on with another node",
        ) from None


def _decoded(data: str | bytes, node: Node) -> _Frame:
    try:
        frame = msgspec.json.decode(data, type=_Frame)
    except UNDECODABLE:
        raise LyingNodeError("tells no events", what=node.url, next="ask another node") from None
    if frame.error is not None:
        told = {name: str(value) for name, value in frame.error.data.items()}
        if told.get("code") == "slow_reader":
            raise NodeUnreachableError("cut this reader", what=node.url, next="read faster")
        texts = (
            told.get("reason", frame.error.message),
            told.get("what", ""),
            told.get("next", ""),
        )
        raise NodeRefusalError(told.get("code", "unknown"), texts)
    return frame


def _is_same(item: EventAnswer, event: Event) -> bool:
    return item.kind == event.kind and _accounts(item) == event.accounts


def _unchecked(item: EventAnswer) -> CityEvent:
    return CityEvent(
        cursor=item.cursor,
        height=Height(item.height),
        transaction=TransactionId(parse_hex(item.transaction, bytes_exact=32, what="transaction")),
        kind=item.kind,
        accounts=_accounts(item),
        fields=item.fields,
        is_proven=False,
    )


def _accounts(item: EventAnswer) -> tuple[AccountId, ...]:
    return tuple(parse_account(account) for account in item.accounts)
