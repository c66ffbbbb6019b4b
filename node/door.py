"""The node as its door sees it: submissions, status, evidence and committed snapshots.

Not here: HTTP (`rpc`), and how a snapshot answers (`queries`).
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import structlog

from moyai.node.clock import SystemClock
from moyai.node.driver import LoopWrites
from moyai.node.queries import CommittedSnapshot
from moyai.node.status import StatusReporter
from moyai.primitives.genesis import Genesis
from moyai.rpc.ports import EvidenceFound, NodeStatus
from moyai.storage.chain import ChainStore


class OperatorActions:
    """What only the operator may ask for."""

    def __init__(self, stop: Callable[[], None]) -> None:
        self._stop = stop

    def stop(self) -> None:
        """Stop the node cleanly."""
        self._stop()

    def set_log_level(self, level: str) -> None:
        """Log from `level` on."""
        number = logging.getLevelNamesMapping()[level.upper()]
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(number))


class NodeDoor:
    """All that the door needs of the node (`rpc.ports.NodePorts`)."""

    def __init__(
        self,
        *,
        genesis: Genesis,
        writes: LoopWrites,
        chain: ChainStore,
        reporter: StatusReporter,
        stop: Callable[[], None],
    ) -> None:
        self.genesis = genesis
        self.writes = writes
        self.admin = OperatorActions(stop)
        self._chain = chain
        self._reporter = reporter
        self._clock = SystemClock()

    def status(self) -> NodeStatus:
        """Return the status of this moment."""
        return self._reporter.status()

    def evidence(self) -> Sequence[EvidenceFound]:
        """Return the proofs of misconduct held here."""
        return self._reporter.evidence()

    @contextmanager
    def snapshot(self) -> Iterator[CommittedSnapshot]:
        """Open one committed state of the chain."""
        with self._chain.snapshot() as snapshot:
            yield CommittedSnapshot(snapshot)

    def now_ms(self) -> int:
        """Return the time of the wall clock."""
        return self._clock.wall_ms()

    def mono_ms(self) -> int:
        """Return a time that never goes back."""
        return self._clock.mono_ms()
