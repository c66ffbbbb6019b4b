"""The way of a transaction into the node: parse, refuse or verify in slices, pool, pass on.

Signatures are the dearest thing a node does. They are checked in bounded slices between turns of
the loop, so that votes never wait behind a pile of them. While the node is behind, most of what
peers pass on is final elsewhere and comes in blocks: the newest of it is laid aside unchecked, and
dropped once it is final.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence

import msgspec

from moyai.ledger.mempool import Mempool
from moyai.primitives.errors import MoyaiError, SignatureError, TransactionError
from moyai.primitives.ids import NetworkKey, TransactionId
from moyai.primitives.stages import Stage, StageClock
from moyai.primitives.transaction import (
    CheckedTransaction,
    Transaction,
    check_validity_time,
    open_envelope,
    parse_opened,
    parse_transaction,
    verify_signatures,
)

VERIFY_QUEUE_MAX = 20_000
WANTED_QUEUE_MAX = 2 * VERIFY_QUEUE_MAX
VERIFY_BYTES_MAX = 64 * 1024 * 1024
WANTED_BYTES_MAX = 2 * VERIFY_BYTES_MAX
ASIDE_MAX = 4_096  # of peers, while this node is behind; older ones come in blocks or again
BEHIND_QUEUE_MAX = 256  # of clients, while this node is behind
SLICE_SIGNATURES = 16


class Submitted(msgspec.Struct, frozen=True):
    """What became of one submitted transaction: its id, and the refusal if it was refused."""

    id: TransactionId | None
    refusal: MoyaiError | None
    known: bool = False


class NodeBusyError(TransactionError):
    """The node has as many transactions to check as it can hold."""

    code = "busy"


class WrongChainError(TransactionError):
    """The transaction was signed for another chain."""

    code = "wrong_chain"


class _Submission:
    """A list of transactions handed in together and answered together."""

    def __init__(self, size: int, done: Callable[[list[Submitted]], None]) -> None:
        self._outcomes: list[Submitted | None] = [None] * size
        self._open = size
        self._done = done

    def settle(self, place: int, outcome: Submitted) -> None:
        self._outcomes[place] = outcome
        self._open -= 1
        if not self._open:
            self._done([entry for entry in self._outcomes if entry is not None])


class _Job(msgspec.Struct):
    transaction: Transaction
    sender: NetworkKey | None
    waiting: list[tuple[_Submission, int]]
    first: bool = False


class Verified(msgspec.Struct, frozen=True):
    """What one slice found: new in the pool (and those that came from a client), wanted by a body.

    `forged` are the ids under which a copy with a bad signature had come.
    """

    pooled: list[CheckedTransaction]
    own: list[CheckedTransaction]
    wanted: list[CheckedTransaction]
    forged: list[TransactionId]


class Admissible(msgspec.Struct, frozen=True):
    """What a transaction must be for: this chain, and not further ahead than its window."""

    chain_id: str
    window_ms: int


class Ingest:
    """Transactions between arrival and mempool."""

    def __init__(
        self,
        *,
        admissible: Admissible,
        mempool: Mempool,
        is_final: Callable[[TransactionId], bool],
        is_wanted: Callable[[TransactionId], bool],
        misbehaved: Callable[[NetworkKey, str], None],
    ) -> None:
        self._chain_id = admissible.chain_id
        self._window_ms = admissible.window_ms
        self._mempool = mempool
        self._is_final = is_final
        self._is_wanted = is_wanted
        self._misbehaved = misbehaved
        self._jobs: deque[_Job] = deque()
        self._queued: dict[bytes, _Job] = {}
        self._by_id: dict[TransactionId, _Job] = {}
        self._aside: dict[bytes, _Job] = {}
        self._queued_bytes = 0
        self._behind = False

    def follow(self, admissible: Admissible) -> None:
        """Admit by other rules from now on."""
        self._chain_id = admissible.chain_id
        self._window_ms = admissible.window_ms

    @property
    def backlog(self) -> int:
        """Return the number of transactions whose signatures wait to be checked."""
        return len(self._queued)

    @property
    def ready(self) -> int:
        """Return how many of them are to be checked now, none of those laid aside."""
        return len(self._queued) - len(self._aside)

    def give_way(self, *, behind: bool) -> None:
        """Say whether this node is behind: it checks only what clients and bodies wait for then."""
        if behind == self._behind:
            return
        self._behind = behind
        if not behind:
            self._jobs.extend(self._aside.values())
            self._aside.clear()

    def became_final(self, transaction_ids: Iterable[TransactionId]) -> None:
        """Drop unchecked what is final now."""
        for transaction_id in transaction_ids:
            job = self._by_id.get(transaction_id)
            if job is not None and not self._is_wanted(transaction_id):
                self._forget(job)
                self._settle(job, Submitted(transaction_id, None, known=True))

    def submit(
        self, raws: Sequence[bytes], now_ms: int, done: Callable[[list[Submitted]], None]
    ) -> None:
        """Take transactions of a client; `done` is called once, with one outcome each, in order."""
        if not raws:
            done([])
            return
        submission = _Submission(len(raws), done)
        for place, raw in enumerate(raws):
            try:
                outcome = self._submit_one(raw, now_ms, (submission, place))
            except MoyaiError as refusal:
                outcome = Submitted(None, refusal)
            if outcome is not None:
                submission.settle(place, outcome)

    def receive(self, sender: NetworkKey, raws: Sequence[bytes], now_ms: int) -> None:
        """Take transactions of a peer, which should have checked them.

        What a body waits for is taken whatever its time, and checked first; beyond the bound it is
        dropped, and asked for again.
        """
        for raw in raws:
            queued = self._queued.get(raw)
            if queued is not None:
                self._hurry(queued)
                continue
            try:
                opened = open_envelope(raw)
                known, wanted = self._is_known(opened.id), self._is_wanted(opened.id)
                if known and not wanted:
                    continue
                transaction = parse_opened(opened)
            except MoyaiError as fault:
                self._misbehaved(sender, f"transaction: {fault.reason}")
                return
            if wanted and self._has_room(wanted=True):
                self._put_first(self._enqueue(transaction, sender))
            elif not known and self._is_useful(transaction, now_ms):
                self._enqueue(transaction, sender)

    def expedite(self, transaction_ids: Iterable[TransactionId]) -> tuple[TransactionId, ...]:
        """Check first those that wait here already; return those that are not here at all."""
        absent = []
        for transaction_id in transaction_ids:
            job = self._by_id.get(transaction_id)
            if job is None:
                absent.append(transaction_id)
            else:
                self._put_first(job)
        return tuple(absent)

    def verify_slice(self, stages: StageClock | None = None) -> Verified:
        """Check the signatures of the oldest transactions, `SLICE_SIGNATURES` or a little more."""
        stages = stages or StageClock()
        with stages.at(Stage.POOL):
            jobs = self._next_jobs()
            with stages.at(Stage.VERIFY):
                outcomes = [_verified(job.transaction) for job in jobs]
            verified = Verified([], [], [], [])
            for job, outcome in zip(jobs, outcomes, strict=True):
                self._finish(job, outcome, verified)
            return verified

    def _next_jobs(self) -> list[_Job]:
        jobs: list[_Job] = []
        budget = SLICE_SIGNATURES
        while self._jobs and budget > 0:
            job = self._jobs.popleft()
            if self._queued.get(job.transaction.raw) is not job:
                continue  # checked out of turn, or dropped
            if self._behind and not (job.first or job.waiting):
                self._lay_aside(job)
                continue
            self._forget(job)
            budget -= len(job.transaction.signatures)
            jobs.append(job)
        return jobs

    def _submit_one(
        self, raw: bytes, now_ms: int, place: tuple[_Submission, int]
    ) -> Submitted | None:
        queued = self._queued.get(raw)
        if queued is not None:
            if raw in self._aside:
                self._check_room(queued.transaction)
                del self._aside[raw]
                self._jobs.append(queued)
            queued.waiting.append(place)
            return None
        transaction = parse_transaction(raw)
        if self._is_known(transaction.id):
            return Submitted(transaction.id, None, known=True)
        self._check_admissible(transaction, now_ms)
        self._check_room(transaction)
        self._enqueue(transaction, None).waiting.append(place)
        return None

    def _check_room(self, transaction: Transaction) -> None:
        busy = f"{self.ready} transactions wait for their signature check"
        if self._behind and self.ready >= BEHIND_QUEUE_MAX:
            busy += ", and the node is catching up with the chain"
        elif self._has_room():
            return
        raise NodeBusyError(
            busy,
            what=f"transaction {transaction.id.hex()}",
            next="send the same bytes again in a second, or to another node",
        )

    def _check_admissible(self, transaction: Transaction, now_ms: int) -> None:
        if transaction.body.chain_id != self._chain_id:
            raise WrongChainError(
                f"is for chain {transaction.body.chain_id}, this is {self._chain_id}",
                what=f"transaction {transaction.id.hex()}",
                next="sign it for this chain, or send it to a node of the other",
            )
        check_validity_time(transaction, block_time_ms=now_ms, window_ms=self._window_ms)

    def _is_useful(self, transaction: Transaction, now_ms: int) -> bool:
        try:
            self._check_admissible(transaction, now_ms)
        except TransactionError:
            return False  # an honest peer's clock may differ
        return self._has_room()

    def _has_room(self, *, wanted: bool = False) -> bool:
        """Return whether one more may wait for its signature check."""
        count_max, bytes_max = (
            (WANTED_QUEUE_MAX, WANTED_BYTES_MAX) if wanted else (VERIFY_QUEUE_MAX, VERIFY_BYTES_MAX)
        )
        return self.backlog < count_max and self._queued_bytes < bytes_max

    def _hurry(self, job: _Job) -> None:
        """Check what a body waits for before everything else."""
        if self._is_wanted(job.transaction.id):
            self._put_first(job)

    def _put_first(self, job: _Job) -> None:
        if not job.first:
            job.first = True
            self._aside.pop(job.transaction.raw, None)
            self._jobs.appendleft(job)

    def _lay_aside(self, job: _Job) -> None:
        """Keep the newest for later; what is older comes in blocks, or again."""
        self._aside[job.transaction.raw] = job
        if len(self._aside) > ASIDE_MAX:
            self._forget(next(iter(self._aside.values())))

    def _forget(self, job: _Job) -> None:
        """Take a transaction out of everything but the line, where it is passed over."""
        raw = job.transaction.raw
        if self._queued.get(raw) is not job:
            return
        del self._queued[raw]
        self._aside.pop(raw, None)
        self._queued_bytes -= len(raw)
        if self._by_id.get(job.transaction.id) is job:
            del self._by_id[job.transaction.id]

    def _is_known(self, transaction_id: TransactionId) -> bool:
        return self._mempool.get(transaction_id) is not None or self._is_final(transaction_id)

    def _enqueue(self, transaction: Transaction, sender: NetworkKey | None) -> _Job:
        job = _Job(transaction, sender, [])
        self._jobs.append(job)
        self._queued[transaction.raw] = job
        self._by_id[transaction.id] = job
        self._queued_bytes += len(transaction.raw)
        return job

    def _finish(
        self, job: _Job, checked: CheckedTransaction | SignatureError, verified: Verified
    ) -> None:
        transaction_id = job.transaction.id
        if isinstance(checked, SignatureError):
            if job.sender is not None:
                self._misbehaved(job.sender, checked.reason)
            verified.forged.append(transaction_id)
            self._settle(job, Submitted(transaction_id, checked))
            return
        if self._is_wanted(transaction_id):
            verified.wanted.append(checked)
        if self._is_final(transaction_id):
            self._settle(job, Submitted(transaction_id, None, known=True))
            return
        admission = self._mempool.add(checked)
        if admission.added:
            verified.pooled.append(checked)
            if job.sender is None or job.waiting:
                verified.own.append(checked)
        known = not admission.added and admission.refusal is None
        self._settle(job, Submitted(transaction_id, admission.refusal, known=known))

    @staticmethod
    def _settle(job: _Job, outcome: Submitted) -> None:
        for submission, place in job.waiting:
            submission.settle(place, outcome)


def _verified(transaction: Transaction) -> CheckedTransaction | SignatureError:
    try:
        return verify_signatures(transaction)
    except SignatureError as refusal:
        return refusal
