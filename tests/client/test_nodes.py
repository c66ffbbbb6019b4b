"""Scenarios for several nodes as one: who is asked, in which order, how often."""

import aiohttp
import pytest

from moyai.client import ClientSettings
from moyai.client.errors import (
    ForkError,
    LyingNodeError,
    NodePrunedError,
    NodeRefusalError,
    NodeUnreachableError,
    NoNodeAnsweredError,
    SettingsError,
)
from moyai.client.nodes import Nodes
from moyai.client.transport import Node
from moyai.primitives.errors import MoyaiError

SETTINGS = ClientSettings(retry_pause_ms=1, retry_pause_max_ms=2, rounds_max=2)


class Script:
    """Answers of nodes by address; counts who was asked."""

    def __init__(self, **answers: list[MoyaiError | str]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    async def __call__(self, node: Node) -> str:
        name = node.url.split("/")[2]
        self.asked.append(name)
        answer = self.answers[name].pop(0)
        if isinstance(answer, MoyaiError):
            raise answer
        return answer


async def ask(script: Script, *names: str) -> str:
    async with aiohttp.ClientSession() as http:
        nodes = Nodes([Node(f"http://{name}", http, SETTINGS) for name in names], SETTINGS)
        return await nodes.ask(script)


DOWN, LIE = NodeUnreachableError("is down"), LyingNodeError("lies")
BUSY = NodeRefusalError("busy", ("is busy", "pool", "wait"), retry_after_ms=1)
NO = NodeRefusalError("not_found", ("is not there", "it", "ask else"))


GONE = NodePrunedError("pruned", ("has blocks from height 9 on", "block 1", "ask an archive"))


async def test_who_has_pruned_it_is_passed_over_until_all_have() -> None:
    assert await ask(Script(a=[GONE], b=["answer"]), "a", "b") == "answer"
    with pytest.raises(NodePrunedError, match="from height 9 on"):
        await ask(Script(a=[GONE], b=[GONE]), "a", "b")


async def test_the_next_node_is_asked() -> None:
    script = Script(a=[DOWN], b=["answer"])
    assert await ask(script, "a", "b") == "answer"
    assert script.asked == ["a", "b"]


async def test_nodes_are_asked_again_a_bounded_number_of_times() -> None:
    script = Script(a=[DOWN, LIE], b=[BUSY, DOWN])
    with pytest.raises(NoNodeAnsweredError) as caught:
        await ask(script, "a", "b")
    assert script.asked == ["a", "b", "a", "b"]
    assert [url for url, _ in caught.value.failures] == ["http://a/", "http://b/"]


async def test_a_refusal_for_good_ends_it() -> None:
    script = Script(a=[NO], b=["answer"])
    with pytest.raises(NodeRefusalError):
        await ask(script, "a", "b")


async def test_a_fork_ends_it() -> None:
    script = Script(a=[ForkError("block 1", (b"", None), (b"", None))], b=["answer"])
    with pytest.raises(ForkError):
        await ask(script, "a", "b")


async def test_no_address_is_no_client() -> None:
    with pytest.raises(SettingsError):
        await ask(Script())
