"""Several nodes as one: the one that last answered well is asked first, the next when it fails.

What can never be cured by another node (a fork, a refused transaction) is raised at once.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from moyai.client.errors import (
    ClientError,
    LyingNodeError,
    NodePrunedError,
    NodeRefusalError,
    NodeUnreachableError,
    NoNodeAnsweredError,
    SettingsError,
    StaleNodeError,
)
from moyai.client.settings import ClientSettings
from moyai.client.transport import Node, pause

T = TypeVar("T")

NODES_MAX = 64

PASSING = (NodeUnreachableError, LyingNodeError, StaleNodeError)
"""Failures of one node that say nothing about the others."""


class Nodes:
    """The nodes that a client may ask."""

    def __init__(self, nodes: Sequence[Node], settings: ClientSettings) -> None:
        if not 1 <= len(nodes) <= NODES_MAX:
            raise SettingsError(
                f"a client takes between 1 and {NODES_MAX} nodes",
                what=f"{len(nodes)} nodes",
                next="give the address of at least one node",
            )
        self._nodes = list(nodes)
        self._settings = settings

    def __len__(self) -> int:
        return len(self._nodes)

    @property
    def first(self) -> Node:
        """Return the node that is asked first."""
        return self._nodes[0]

    def demote(self, node: Node) -> None:
        """Ask `node` last from now on."""
        if len(self._nodes) > 1 and node in self._nodes:
            self._nodes.remove(node)
            self._nodes.append(node)

    async def ask(self, question: Callable[[Node], Awaitable[T]]) -> T:
        """Return what the first node answers that can answer, after a few rounds at most.

        Raises `NodeRefusalError` when a node refuses for good, `NoNodeAnsweredError` when all
        failed. A node that no longer has it is passed over while another may.
        """
        failures: list[tuple[str, ClientError]] = []
        pruned: set[str] = set()
        wait_ms = self._settings.retry_pause_ms
        for turn in range(self._settings.rounds_max * len(self._nodes)):
            node = self.first
            try:
                return await question(node)
            except PASSING as error:
                failures.append((node.url, error))
            except NodePrunedError as error:
                pruned.add(node.url)
                if len(pruned) == len(self._nodes):
                    raise
                failures.append((node.url, error))
            except NodeRefusalError as error:
                if error.retry_after_ms is None:
                    raise
                failures.append((node.url, error))
                wait_ms = max(wait_ms, min(error.retry_after_ms, self._settings.retry_pause_max_ms))
            self.demote(node)
            if (turn + 1) % len(self._nodes) == 0:
                await pause(wait_ms)
                wait_ms = min(2 * wait_ms, self._settings.retry_pause_max_ms)
        raise NoNodeAnsweredError(failures[-len(self._nodes) :])
