"""Executes final blocks in order, one at a time, and hands them to the chain store.

They come from consensus, with bodies held here, or whole from catching up. Not here: the rules
(`ledger.apply`), the files (`storage`), the writer thread (`node.writer`).
"""

from collections import deque

import msgspec

from moyai.consensus.config import ExecutedBlock, FinalTip
from moyai.ledger.apply import BlockContext, apply_block
from moyai.ledger.membership import read_pending_set
from moyai.ledger.state import Values
from moyai.node.bodies import Bodies
from moyai.primitives.block import Header, header_digest
from moyai.primitives.certificate import Certificate
from moyai.primitives.ids import Digest, Height
from moyai.primitives.stages import Stage, StageClock
from moyai.primitives.transaction import CheckedTransaction
from moyai.storage.blocks import FinalBlock
from moyai.storage.chain import ChainStore


class _Waiting(msgspec.Struct, frozen=True):
    header: Header
    digest: Digest
    certificate: Certificate | None
    body: tuple[CheckedTransaction, ...]
    fillers: tuple[Header, ...] = ()


class Executor:
    """The queue of final blocks between consensus and the chain store.

    `recent` holds the executed blocks that a restart of consensus from the tip would ask for.
    """

    def __init__(
        self, chain: ChainStore, bodies: Bodies, tip: FinalTip, stages: StageClock | None = None
    ) -> None:
        self._chain = chain
        self._stages = stages or StageClock()
        self._bodies = bodies
        self._queue: deque[_Waiting] = deque()
        self._next_height = chain.height + 1
        self.recent: deque[ExecutedBlock] = deque(tip.recent)
        self._unwritten: dict[Height, Digest] = {}

    @property
    def backlog(self) -> int:
        """Return the number of final blocks not executed yet."""
        return len(self._queue)

    @property
    def next_height(self) -> Height:
        """Return the height of the block to be queued next."""
        return Height(self._next_height)

    def finalized(
        self,
        headers: tuple[Header, ...],
        certificate: Certificate,
        fillers: tuple[Header, ...] = (),
    ) -> list[tuple[Header, tuple[CheckedTransaction, ...]]]:
        """Take final blocks of consensus, oldest first; return the new ones among them.

        A block that catching up has brought before is taken once. `fillers` lead from the last
        block, if it ends an epoch, to the one that `certificate` names.
        """
        new = []
        for header in headers:
            digest = header_digest(header)
            body = self._bodies.drop(digest)
            assert len(body) == header.tx_count, "consensus finalizes only what is held"
            if header.height >= self._next_height:
                last = header is headers[-1]
                own = certificate if last else None
                self._push(_Waiting(header, digest, own, body, fillers if last else ()))
                new.append((header, body))
        return new

    def synced(
        self,
        header: Header,
        body: tuple[CheckedTransaction, ...],
        certificate: Certificate | None,
        fillers: tuple[Header, ...] = (),
    ) -> bool:
        """Take one final block that was fetched whole; return whether it is new here."""
        if header.height < self._next_height:
            return False
        self._push(_Waiting(header, header_digest(header), certificate, body, fillers))
        return True

    def unwritten(self, committed: Height) -> tuple[Digest, ...]:
        """Return the final blocks above `committed`: on disk nowhere but in the journal."""
        for height in [height for height in self._unwritten if height <= committed]:
            del self._unwritten[height]
        return tuple(self._unwritten.values())

    def execute_next(self) -> ExecutedBlock | None:
        """Execute the oldest waiting block and return it; none when there is none."""
        if not self._queue:
            return None
        waiting = self._queue.popleft()
        header = waiting.header
        context = BlockContext(header.height, header.time_ms, header.epoch, header.epoch_end)
        with self._stages.at(Stage.EXECUTE):
            outcome = apply_block(self._chain.states, context, waiting.body)
        block = FinalBlock(
            header=header,
            digest=waiting.digest,
            certificate=waiting.certificate,
            transactions=waiting.body,
            outcome=outcome,
            extra_headers=waiting.fillers,
        )
        with self._stages.at(Stage.STATE):
            executed = self._chain.append(block)
        pending = read_pending_set(Values(self._chain.states))
        done = ExecutedBlock(header, executed, pending.digest if pending is not None else None)
        self.recent.append(done)
        while self.recent[0].header.height < header.executed.height:
            self.recent.popleft()
        return done

    def _push(self, waiting: _Waiting) -> None:
        assert waiting.header.height == self._next_height, "final blocks come in order"
        self._next_height += 1
        self._unwritten[waiting.header.height] = waiting.digest
        self._queue.append(waiting)
