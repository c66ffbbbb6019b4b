"""Submitting: all transactions of a request go to the node as one list.

Not here: signature checks, the pool (the node).
"""

from collections.abc import Sequence

from moyai.primitives.errors import MoyaiError
from moyai.primitives.ids import TransactionId
from moyai.primitives.stages import Stage
from moyai.rpc.errors import UnauthorizedError
from moyai.rpc.handlers_transactions import transaction_status
from moyai.rpc.ports import SubmitOutcome
from moyai.rpc.reads import Reads
from moyai.rpc.schema_transactions import SubmitAnswer, SubmitParams
from moyai.rpc.texts import base64_bytes
from moyai.rpc.waits import Waiting


async def submit_all(
    waiting: Waiting, params: Sequence[SubmitParams]
) -> list[SubmitAnswer | MoyaiError]:
    """Submit transactions as one list; the answers are in the same order."""
    answers: list[SubmitAnswer | MoyaiError | None] = [None] * len(params)
    places: list[int] = []
    raws: list[bytes] = []
    with waiting.stages.at(Stage.RPC):
        for place, one in enumerate(params):
            try:
                raws.append(base64_bytes(one.transaction, what="transaction"))
            except MoyaiError as error:
                answers[place] = error
            else:
                places.append(place)
    outcomes = await waiting.node.writes.submit(raws) if raws else ()
    known: list[tuple[int, TransactionId]] = []
    for place, outcome in zip(places, outcomes, strict=True):
        answers[place] = _answer(outcome)
        if outcome.known and outcome.refusal is None and outcome.id is not None:
            known.append((place, outcome.id))
    if known:
        for place, answer in zip(
            (place for place, _ in known),
            waiting.read(lambda reads: _standings(reads, known)),
            strict=True,
        ):
            answers[place] = answer
    return [answer for answer in answers if answer is not None]


def tx_submit(_params: SubmitParams) -> SubmitAnswer:
    """Hand in a signed transaction; the answer says its id at once, not that it is final."""
    raise AssertionError("submits of a request run as one list")


def not_a_writer() -> UnauthorizedError:
    """Return the refusal of a client without a known API key."""
    return UnauthorizedError(
        "submitting needs an API key at this node",
        what="tx_submit",
        next="send `Authorization: Bearer <key>` with a key from the operator, or ask another node",
    )


def _answer(outcome: SubmitOutcome) -> SubmitAnswer | MoyaiError:
    if outcome.refusal is not None:
        return outcome.refusal
    assert outcome.id is not None, "a transaction is taken or refused"
    return SubmitAnswer(outcome.id.hex(), "pending")


def _standings(reads: Reads, known: list[tuple[int, TransactionId]]) -> list[SubmitAnswer]:
    answers = []
    for _, transaction in known:
        status = transaction_status(reads, transaction).status
        # What the node knows and no committed block holds is on its way into one.
        ended = status in {"final", "refused"}
        answers.append(SubmitAnswer(transaction.hex(), status if ended else "pending"))
    return answers
