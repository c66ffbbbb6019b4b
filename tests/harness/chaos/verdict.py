"""The judgement at the end, once nothing is wrong any more: everything ended, all nodes equal."""

import asyncio
import time

from harness.chaos.calls import Calls, NoAnswer
from harness.chaos.city import ChaosCity, ChaosNode
from harness.chaos.history import History, Read
from harness.chaos.people import VALID_SECONDS
from harness.chaos.watching import Watching

EQUAL_SECONDS_MAX = 30.0
POLL_SECONDS = 0.1
STATUS_CALLS = 50
READS_OF_ONE_HEIGHT_TRIES = 20


async def judge_end(city: ChaosCity, calls: Calls, watching: Watching, history: History) -> None:
    """Wait until every accepted transaction has ended and all nodes are equal; ask them all."""
    deadline = time.monotonic() + VALID_SECONDS + EQUAL_SECONDS_MAX
    for _ in range(int((deadline - time.monotonic()) / POLL_SECONDS)):
        if not history.unended(time.time_ns() / 1e9):
            break
        await asyncio.sleep(POLL_SECONDS)
    if not await _equal(city, calls, history, deadline):
        return
    for node in city.nodes:
        try:
            await _judge_state(node, watching, history)
            await _judge_statuses(node, await watching.base(node), calls, history)
            await _judge_evidence(node, city, calls, history)
        except NoAnswer as error:
            history.wrong(f"{node.node.slug} does not answer in the end: {error}")


async def _equal(city: ChaosCity, calls: Calls, history: History, deadline: float) -> bool:
    heads: list[object] = []
    while time.monotonic() < deadline:
        try:
            heads = [await calls.call(node, "chain_head") for node in city.nodes]
        except NoAnswer as error:
            heads = [str(error)]
        else:
            seen = all(head["height"] == history.height for head in heads)  # type: ignore[index]
            if seen and all(head == heads[0] for head in heads):
                return True
        await asyncio.sleep(POLL_SECONDS)
    history.wrong(f"nodes are not equal in the end: {heads}; seen up to {history.height}")
    return False


async def _judge_state(node: ChaosNode, watching: Watching, history: History) -> None:
    """Read every balance and every record at one node; the coins are those that were minted.

    What was still on its way may become final between two reads: then all are read again.
    """
    reads: list[Read] = []
    for _ in range(READS_OF_ONE_HEIGHT_TRIES):
        reads = [await watching.balance(node, person) for person in watching.people]
        for read in reads:
            history.take_read(read)
        if len({read.height for read in reads}) == 1:
            break
    else:
        history.wrong(f"{node.node.slug} never comes to rest in the end")
    coins = sum(read.answer[0] for read in reads)
    if coins != history.supply:
        history.wrong(f"{node.node.slug} has {coins} coins in all, not {history.supply}")
    for key in watching.records:
        history.take_read(await watching.record(node, key))


async def _judge_statuses(node: ChaosNode, base: int, calls: Calls, history: History) -> None:
    """Ask one node about every transaction that was ever accepted, but for blocks below its base.

    Those the others answer for.
    """
    finals = history.finals()
    ids = [
        one
        for one, sent in history.sent.items()
        if (one in finals and finals[one] >= base) or (one not in finals and sent.accepted)
    ]
    for first in range(0, len(ids), STATUS_CALLS):
        some = ids[first : first + STATUS_CALLS]
        answers = await calls.batch(node, "tx_status", [{"id": one} for one in some])
        for one, answer in zip(some, answers, strict=True):
            if isinstance(answer, NoAnswer):
                history.wrong(f"{node.node.slug} does not know {one}: {answer}")
            elif one in finals:
                if answer.get("height") != finals[one]:
                    history.wrong(f"{node.node.slug} lost {one}, final in {finals[one]}: {answer}")
            elif answer["status"] not in ("expired", "unknown", "refused"):
                history.wrong(f"{node.node.slug} says {answer['status']} of {one}, out of time")


async def _judge_evidence(node: ChaosNode, city: ChaosCity, calls: Calls, history: History) -> None:
    """No key is accused but one that an operator ran twice."""
    members = city.city.genesis.members
    excused = {members[n.place].validator_key.hex() for n in city.nodes if n.excused}
    for item in (await calls.call(node, "evidence_list"))["evidence"]:
        if item["validator_key"] not in excused:
            history.wrong(f"{node.node.slug} accuses an honest key: {item}")
