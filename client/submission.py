"""Sends transactions and waits until their outcome is proven, with the same bytes each time.

A transaction is sent again, to another node if need be, until it is final or its time has run out;
its id gives it one effect at most. Not here: building and signing (`builder`).
"""

from collections.abc import Sequence

from moyai.client.answers import StatusAnswer, SubmitAnswer, TransactionProofAnswer
from moyai.client.errors import (
    LyingNodeError,
    NodeRefusalError,
    OutcomeUnknownError,
    TransactionExpiredError,
    TransactionRefusedError,
)
from moyai.client.nodes import PASSING
from moyai.client.proofs import FinalReceipt, prove_transaction
from moyai.client.session import Session
from moyai.client.settings import BATCH_CALLS_MAX, PROOF_WAIT_MS
from moyai.client.transport import Node, pause
from moyai.primitives.errors import MoyaiError
from moyai.primitives.ids import Height, TransactionId
from moyai.primitives.transaction import Transaction, parse_transaction

Outcome = FinalReceipt | MoyaiError
"""What became of one transaction: proven, or why not."""

REFUSALS_BELIEVED = 2
"""How many nodes must refuse a transaction, where there are so many: one may be lying."""

GRACE_MS = 10_000
"""For how long after its last valid moment a transaction's proof may still be on its way."""


async def submit_one(session: Session, raw: bytes) -> FinalReceipt:
    """Send one signed transaction and return its proven receipt.

    Raises `TransactionRefusedError`, `TransactionExpiredError`, `OutcomeUnknownError`, or
    `NodeRefusalError` when the nodes do not take it at all.
    """
    outcome = (await submit_batch(session, [raw]))[0]
    if isinstance(outcome, MoyaiError):
        raise outcome
    return outcome


async def submit_batch(session: Session, raws: Sequence[bytes]) -> list[Outcome]:
    """Send up to 50 transactions in one request; return their outcomes in order."""
    assert 0 < len(raws) <= BATCH_CALLS_MAX
    return await _Batch(session, [parse_transaction(raw) for raw in raws]).run()


async def receipt_of(session: Session, transaction: TransactionId) -> FinalReceipt:
    """Return the proven receipt of a final transaction, also when it was refused.

    Raises `NodeRefusalError` when no node knows it to be final.
    """

    async def question(node: Node) -> FinalReceipt:
        known = session.chain.head.height
        parameters = _proof_question(transaction, known, PROOF_WAIT_MS)
        answer = await node.call("chain_prove", parameters, TransactionProofAnswer)
        return await _proven(session, node, known, transaction, answer)

    return await session.nodes.ask(question)


class _Batch:
    """Transactions on their way; the open ones are those without an outcome."""

    def __init__(self, session: Session, transactions: Sequence[Transaction]) -> None:
        self._session = session
        self._open = {transaction.id: transaction for transaction in transactions}
        self._order = [transaction.id for transaction in transactions]
        self._outcomes: dict[TransactionId, Outcome] = {}
        self._to_send = list(self._open)
        self._refusals: dict[TransactionId, list[str]] = {}
        self._wait_ms = session.settings.retry_pause_ms

    async def run(self) -> list[Outcome]:
        settings = self._session.settings
        last_ms = max(transaction.body.valid_until_ms for transaction in self._open.values())
        while self._open:
            node = self._session.nodes.first
            try:
                if self._to_send:
                    await self._send(node)
                await self._collect(node)
                if not self._open:
                    break
                if settings.now_ms() > last_ms:
                    await self._end_expired(node)
            except PASSING as error:
                self._session.nodes.demote(node)
                self._to_send = list(self._open)
                self._give_up(error, last_ms + GRACE_MS)
                await self._pause()
            else:
                self._give_up(None, last_ms + GRACE_MS)
        return [self._outcomes[transaction] for transaction in self._order]

    async def _send(self, node: Node) -> None:
        calls = [{"transaction": self._open[one].raw} for one in self._to_send]
        answers = await node.batch("tx_submit", calls, SubmitAnswer)
        again: list[TransactionId] = []
        for transaction, answer in zip(self._to_send, answers, strict=True):
            if isinstance(answer, SubmitAnswer):
                if answer.id != transaction.hex():
                    raise LyingNodeError(
                        "took a transaction for another", what=node.url, next="ask another node"
                    )
            elif isinstance(answer, NodeRefusalError) and answer.retry_after_ms is None:
                if not await self._believes(node, transaction, answer):
                    again.append(transaction)
            else:
                again.append(transaction)
        self._to_send = again
        if again and len(again) == len(calls):
            self._session.nodes.demote(node)
            await self._pause()
        elif not again:
            self._wait_ms = self._session.settings.retry_pause_ms

    async def _believes(
        self, node: Node, transaction: TransactionId, error: NodeRefusalError
    ) -> bool:
        """Return whether nothing more is to be sent after a node refused a transaction."""
        if error.name == "expired":  # of bytes sent before, an earlier copy may be final
            status = await _status(node, transaction)
            if status is not None and status.status in {"final", "refused", "pending"}:
                return True
        refusals = self._refusals.setdefault(transaction, [])
        if node.url not in refusals:
            refusals.append(node.url)
        if len(refusals) < min(REFUSALS_BELIEVED, len(self._session.nodes)):
            return False
        self._close(transaction, error)
        return True

    async def _collect(self, node: Node) -> None:
        """Ask for the proofs of all open transactions that were sent; wait for the first."""
        asked = [one for one in self._open if one not in self._to_send]
        if not asked:
            return
        known = self._session.chain.head.height
        waits = [PROOF_WAIT_MS] + [0] * (len(asked) - 1)
        calls = [_proof_question(one, known, wait) for one, wait in zip(asked, waits, strict=True)]
        answers = await node.batch("chain_prove", calls, TransactionProofAnswer)
        missing: list[TransactionId] = []
        for transaction, answer in zip(asked, answers, strict=True):
            if isinstance(answer, TransactionProofAnswer):
                receipt = await _proven(self._session, node, known, transaction, answer)
                await self._final(node, receipt)
            elif not isinstance(answer, NodeRefusalError):
                raise answer
            elif answer.name == "not_found":
                missing.append(transaction)
        if missing[:1] == asked[:1]:  # not there after a long wait: it may have been lost
            self._to_send += missing
        if all(one in self._open for one in asked):
            await self._pause()

    async def _final(self, node: Node, receipt: FinalReceipt) -> None:
        if receipt.is_ok:
            self._close(receipt.transaction, receipt)
            return
        status = await _status(node, receipt.transaction)
        rule = status.code_name if status and status.code_name else str(receipt.receipt.code)
        reason = (status and status.reason) or f"was refused by rule {receipt.receipt.code}"
        texts = (reason, (status and status.next) or "see the code in docs/ledger.md")
        error = TransactionRefusedError(receipt.receipt, rule, texts)
        self._close(receipt.transaction, error)

    async def _end_expired(self, node: Node) -> None:
        for transaction in list(self._open):
            status = await _status(node, transaction)
            if status is not None and status.status in {"expired", "unknown"}:
                self._close(transaction, TransactionExpiredError(transaction))

    def _give_up(self, error: MoyaiError | None, last_ms: int) -> None:
        if self._session.settings.now_ms() <= last_ms:
            return
        for transaction in list(self._open):
            cause = "its time has run out" if error is None else str(error)
            self._close(transaction, OutcomeUnknownError(transaction, cause))

    def _close(self, transaction: TransactionId, outcome: Outcome) -> None:
        self._outcomes[transaction] = outcome
        self._open.pop(transaction, None)

    async def _pause(self) -> None:
        await pause(self._wait_ms)
        self._wait_ms = min(2 * self._wait_ms, self._session.settings.retry_pause_max_ms)


async def _proven(
    session: Session,
    node: Node,
    known: Height,
    transaction: TransactionId,
    answer: TransactionProofAnswer,
) -> FinalReceipt:
    certified = await session.believe(node, answer.certified, known, answer.known_path)
    return prove_transaction(answer, transaction, certified)


async def _status(node: Node, transaction: TransactionId) -> StatusAnswer | None:
    try:
        return await node.call("tx_status", {"id": transaction.hex()}, StatusAnswer)
    except MoyaiError:
        return None


def _proof_question(
    transaction: TransactionId, known: Height, wait_ms: int
) -> dict[str, str | int]:
    return {"transaction": transaction.hex(), "known_height": known, "wait_ms": wait_ms}
