"""The client of one city: submits, reads and follows, and checks everything it is told.

This file is the door; each thing it does is a file of its own. Not here: how (`submission`,
`session`, `proofs`, `events`, `evidence`).
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from moyai.client.answers import (
    HistoryProofAnswer,
    RecordAnswer,
    RecordsAnswer,
    StateProofAnswer,
)
from moyai.client.builder import Draft, Terms, draft_transaction, sign_draft
from moyai.client.documents import Opening
from moyai.client.events import CityEvent, EventFilter, follow_events
from moyai.client.evidence import Evidence, state_evidence, transaction_evidence
from moyai.client.genesis_trust import Trust, trusted_genesis
from moyai.client.head_file import HeadFile
from moyai.client.nodes import Nodes
from moyai.client.proofs import (
    FinalReceipt,
    ProvenHistory,
    ProvenValue,
    prove_history,
    prove_state,
)
from moyai.client.session import Session
from moyai.client.settings import BATCH_CALLS_MAX, ClientSettings
from moyai.client.signers import TransactionSigner
from moyai.client.submission import Outcome, receipt_of, submit_batch, submit_one
from moyai.client.transport import Node
from moyai.client.trust import CertifiedHeader, TrustedChain
from moyai.client.values import (
    Record,
    read_balance,
    read_document,
    read_record,
    read_records,
)
from moyai.primitives.genesis import Genesis
from moyai.primitives.ids import AccountId, Digest, TransactionId, parse_account
from moyai.primitives.operations import Operation
from moyai.primitives.state_keys import balance_key, record_key, version_key
from moyai.primitives.state_values import DocumentVersion
from moyai.primitives.transaction import Signer

Signers = TransactionSigner | Sequence[TransactionSigner]

BATCHES_AT_ONCE = 16


class Client:
    """A connected client; made by `connect`."""

    def __init__(self, session: Session, http: aiohttp.ClientSession) -> None:
        self._session = session
        self._http = http

    @staticmethod
    @asynccontextmanager
    async def connect(
        urls: str | Sequence[str],
        *,
        trust: Trust,
        head_file: Path | str | None = None,
        settings: ClientSettings | None = None,
    ) -> "AsyncIterator[Client]":
        """Connect to one or several nodes of the city that `trust` names.

        `trust` is the genesis document, its digest, or the path of the genesis file. `head_file`
        keeps the newest block seen, so that a later run believes nothing older. Raises
        `NoNodeAnsweredError`, `HeadFileError`, `ForkError`.
        """
        settings = settings or ClientSettings()
        addresses = [urls] if isinstance(urls, str) else list(urls)
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
            nodes = Nodes([Node(url, http, settings) for url in addresses], settings)
            chain = TrustedChain(await trusted_genesis(trust, nodes))
            kept = None if head_file is None else HeadFile(Path(head_file))
            if kept is not None:
                kept.restore(chain)
            session = Session(chain, nodes, settings, kept)
            await session.refresh()
            try:
                yield Client(session, http)
            finally:
                session.close()

    @property
    def genesis(self) -> Genesis:
        return self._session.chain.genesis

    @property
    def genesis_digest(self) -> Digest:
        return self._session.chain.genesis_digest

    @property
    def chain_id(self) -> str:
        return self._session.chain.chain_id

    @property
    def head(self) -> CertifiedHeader:
        """Return the newest certified block this client has checked."""
        return self._session.chain.head

    async def refresh(self) -> CertifiedHeader:
        """Move to the newest certified block that a node has, and return it."""
        return await self._session.refresh()

    # Writing.

    def draft(
        self,
        operations: Sequence[Operation],
        *,
        account: AccountId | str,
        signers: Sequence[Signer],
        memo: Digest | None = None,
    ) -> Draft:
        """Return a transaction without signatures, valid for `settings.valid_for_ms`."""
        settings = self._session.settings
        terms = Terms(
            chain_id=self.chain_id,
            valid_until_ms=settings.now_ms() + settings.valid_for_ms,
            nonce=settings.nonce(),
            memo=memo,
        )
        return draft_transaction(operations, account=account, signers=signers, terms=terms)

    async def sign(
        self,
        operations: Sequence[Operation],
        *,
        account: AccountId | str,
        signer: Signers,
        memo: Digest | None = None,
    ) -> bytes:
        """Return a signed transaction, for `send` or for any node."""
        parties = list(signer) if isinstance(signer, Sequence) else [signer]
        names = [party.name for party in parties]
        draft = self.draft(operations, account=account, signers=names, memo=memo)
        return await sign_draft(draft, parties)

    async def submit(
        self,
        operations: Sequence[Operation],
        *,
        account: AccountId | str,
        signer: Signers,
        memo: Digest | None = None,
    ) -> FinalReceipt:
        """Sign, send, wait until final, check, and return the proven receipt.

        Raises `TransactionRefusedError`, `TransactionExpiredError`, `OutcomeUnknownError`.
        """
        raw = await self.sign(operations, account=account, signer=signer, memo=memo)
        return await self.send(raw)

    async def send(self, raw: bytes) -> FinalReceipt:
        """Send a signed transaction, wait until final, check, and return the proven receipt.

        The same bytes may be sent again and again: they have one effect. Raises as `submit`.
        """
        return await submit_one(self._session, raw)

    async def submit_many(self, raws: Sequence[bytes]) -> list[Outcome]:
        """Send signed transactions in batches; return the outcome of each, in order.

        An outcome is a proven receipt, or the error that `send` would raise.
        """
        chunks = [
            raws[start : start + BATCH_CALLS_MAX] for start in range(0, len(raws), BATCH_CALLS_MAX)
        ]
        turn = asyncio.Semaphore(BATCHES_AT_ONCE)

        async def one(chunk: Sequence[bytes]) -> list[Outcome]:
            async with turn:
                return await submit_batch(self._session, chunk)

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(chunk)) for chunk in chunks]
        return [outcome for task in tasks for outcome in task.result()]

    async def receipt(self, transaction: TransactionId) -> FinalReceipt:
        """Return the proven receipt of a final transaction, also of a refused one."""
        return await receipt_of(self._session, transaction)

    # Reading, proven.

    async def state(self, key: bytes) -> ProvenValue:
        """Return what a key of the state holds now, or that it holds nothing."""

        async def question(node: Node) -> ProvenValue:
            known = self.head.height
            parameters = {"key": key.hex(), "known_height": known}
            answer = await node.call("state_prove", parameters, StateProofAnswer)
            path = answer.known_path
            certified = await self._session.believe(node, answer.certified, known, path)
            return prove_state(answer, key, certified)

        return await self._session.nodes.ask(question)

    async def history(self, key: bytes, *, first_version: int = 1) -> ProvenHistory:
        """Return all versions of a key from one on, oldest first; there are no others."""

        async def question(node: Node) -> ProvenHistory:
            known = self.head.height
            parameters = {
                "key": key.hex(),
                "history": True,
                "first_version": first_version,
                "known_height": known,
            }
            answer = await node.call("state_prove", parameters, HistoryProofAnswer)
            path = answer.known_path
            certified = await self._session.believe(node, answer.certified, known, path)
            return prove_history(answer, key, first_version, certified)

        return await self._session.nodes.ask(question)

    async def record(self, collection: str, key: str) -> Record:
        """Return a record; its value is none when there is none."""
        return read_record(await self.state(record_key(collection, key)))

    async def record_history(self, collection: str, key: str) -> tuple[Record, ...]:
        """Return every version of a record, oldest first."""
        return read_records(await self.history(record_key(collection, key)))

    async def balance(self, token: str, account: AccountId | str) -> int:
        """Return how many units of a token class an account holds."""
        holder = parse_account(account) if isinstance(account, str) else account
        return read_balance(await self.state(balance_key(token, holder)))

    async def document(self, series: str, version: int) -> DocumentVersion | None:
        """Return a version of a document series: its salted digest and when it was in force."""
        return read_document(await self.state(version_key(series, version)))

    # Reading, as one node tells it.

    async def query(
        self, collection: str, filters: Sequence[Mapping[str, Any]] = (), **options: Any
    ) -> AsyncIterator[RecordAnswer]:
        """Yield the records that meet all `filters`, page by page, all of one height.

        `options`: order_by, descending, as_of, limit. The list is one node's word: a node could
        leave a record out. Each record can be proven by `record`.
        """
        parameters: dict[str, Any] = {"collection": collection, "filters": filters, **options}
        while True:
            page = await self._page(dict(parameters))
            for record in page.records:
                yield record
            if page.cursor is None:
                return
            parameters["cursor"] = page.cursor

    async def call(self, method: str, parameters: Mapping[str, Any] | None = None) -> Any:
        """Return what one node answers to any method of docs/rpc.md, unchecked."""
        return await self._session.nodes.ask(lambda node: node.call(method, parameters or {}, Any))

    def events(
        self,
        cursor: str | None = None,
        *,
        only: EventFilter | None = None,
        check: bool = True,
    ) -> AsyncIterator[CityEvent]:
        """Yield events after `cursor` (without one, from now on), each once, in order, for ever.

        Reconnects by itself, to another node if need be. With `check`, each event is proven.
        """
        wanted = only or EventFilter()
        return follow_events(self._session, self._http, cursor, wanted, check=check)

    # Evidence for others.

    async def transaction_evidence(
        self, transaction: TransactionId, *, opening: Opening | None = None
    ) -> Evidence:
        """Return what proves a final transaction and its receipt to anyone, without a node."""
        return await transaction_evidence(self._session, transaction, opening)

    async def state_evidence(
        self, key: bytes, *, history: bool = False, opening: Opening | None = None
    ) -> Evidence:
        """Return what proves the value, absence or history of a key to anyone, without a node."""
        return await state_evidence(self._session, key, opening, history=history)

    async def _page(self, parameters: dict[str, Any]) -> RecordsAnswer:
        return await self._session.nodes.ask(
            lambda node: node.call("records_query", parameters, RecordsAnswer)
        )
