"""The same client without `await`, for scripts and notebooks: one thread, one call at a time.

    with connect("http://127.0.0.1:8545", trust="genesis.json") as city:
        receipt = city.submit([TransferToken("coin", to, 5)], account=mine, signer=key)

Not for code that already runs in an event loop: use `moyai.client.Client` there.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from moyai.client.answers import RecordAnswer
from moyai.client.client import Client, Signers
from moyai.client.documents import Opening
from moyai.client.errors import SettingsError
from moyai.client.events import CityEvent, EventFilter
from moyai.client.evidence import Evidence
from moyai.client.genesis_trust import Trust
from moyai.client.proofs import FinalReceipt, ProvenHistory, ProvenValue
from moyai.client.settings import ClientSettings
from moyai.client.submission import Outcome
from moyai.client.trust import CertifiedHeader
from moyai.client.values import Record
from moyai.primitives.genesis import Genesis
from moyai.primitives.ids import AccountId, Digest, TransactionId
from moyai.primitives.operations import Operation
from moyai.primitives.state_values import DocumentVersion

T = TypeVar("T")


@contextmanager
def connect(
    urls: str | Sequence[str],
    *,
    trust: Trust,
    head_file: Path | str | None = None,
    settings: ClientSettings | None = None,
) -> Iterator["SyncClient"]:
    """Connect as `Client.connect` does. Raises `SettingsError` inside a running event loop."""
    if asyncio.events._get_running_loop() is not None:  # noqa: SLF001 - the one way to ask without a warning
        raise SettingsError(
            "an event loop runs already", what="moyai.client.sync", next="use moyai.client.Client"
        )
    with asyncio.Runner() as runner:
        context = Client.connect(urls, trust=trust, head_file=head_file, settings=settings)
        client = runner.run(context.__aenter__())
        try:
            yield SyncClient(client, runner)
        except BaseException as error:
            runner.run(_left(context, error))
            raise
        else:
            runner.run(_left(context, None))


async def _left(context: Any, error: BaseException | None) -> None:
    kind = None if error is None else type(error)
    await context.__aexit__(kind, error, None if error is None else error.__traceback__)


class SyncClient:
    """Every method does what its namesake of `Client` does, and returns when it is done."""

    def __init__(self, client: Client, runner: asyncio.Runner) -> None:
        self._client = client
        self._runner = runner

    @property
    def genesis(self) -> Genesis:
        return self._client.genesis

    @property
    def chain_id(self) -> str:
        return self._client.chain_id

    @property
    def head(self) -> CertifiedHeader:
        return self._client.head

    def refresh(self) -> CertifiedHeader:
        return self._run(self._client.refresh())

    def sign(
        self,
        operations: Sequence[Operation],
        *,
        account: AccountId | str,
        signer: Signers,
        memo: Digest | None = None,
    ) -> bytes:
        return self._run(self._client.sign(operations, account=account, signer=signer, memo=memo))

    def submit(
        self,
        operations: Sequence[Operation],
        *,
        account: AccountId | str,
        signer: Signers,
        memo: Digest | None = None,
    ) -> FinalReceipt:
        return self._run(self._client.submit(operations, account=account, signer=signer, memo=memo))

    def send(self, raw: bytes) -> FinalReceipt:
        return self._run(self._client.send(raw))

    def submit_many(self, raws: Sequence[bytes]) -> list[Outcome]:
        return self._run(self._client.submit_many(raws))

    def receipt(self, transaction: TransactionId) -> FinalReceipt:
        return self._run(self._client.receipt(transaction))

    def state(self, key: bytes) -> ProvenValue:
        return self._run(self._client.state(key))

    def history(self, key: bytes, *, first_version: int = 1) -> ProvenHistory:
        return self._run(self._client.history(key, first_version=first_version))

    def record(self, collection: str, key: str) -> Record:
        return self._run(self._client.record(collection, key))

    def record_history(self, collection: str, key: str) -> tuple[Record, ...]:
        return self._run(self._client.record_history(collection, key))

    def balance(self, token: str, account: AccountId | str) -> int:
        return self._run(self._client.balance(token, account))

    def document(self, series: str, version: int) -> DocumentVersion | None:
        return self._run(self._client.document(series, version))

    def call(self, method: str, parameters: Mapping[str, Any] | None = None) -> Any:
        return self._run(self._client.call(method, parameters))

    def query(
        self, collection: str, filters: Sequence[Mapping[str, Any]] = (), **options: Any
    ) -> Iterator[RecordAnswer]:
        return self._each(self._client.query(collection, filters, **options))

    def events(
        self,
        cursor: str | None = None,
        *,
        only: EventFilter | None = None,
        check: bool = True,
    ) -> Iterator[CityEvent]:
        return self._each(self._client.events(cursor, only=only, check=check))

    def transaction_evidence(
        self, transaction: TransactionId, *, opening: Opening | None = None
    ) -> Evidence:
        return self._run(self._client.transaction_evidence(transaction, opening=opening))

    def state_evidence(
        self, key: bytes, *, history: bool = False, opening: Opening | None = None
    ) -> Evidence:
        return self._run(self._client.state_evidence(key, history=history, opening=opening))

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    def _each(self, source: AsyncIterator[T]) -> Iterator[T]:
        async def following() -> T:
            return await anext(source)

        while True:
            try:
                yield self._runner.run(following())
            except StopAsyncIteration:
                return
