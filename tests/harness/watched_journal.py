"""The votes of real cores as a test sees them, on the wire and on disk; where processes die.

Not here: the cores and their network (`core_city`).
"""

from collections.abc import Collection, Mapping, Sequence
from enum import Enum, auto

from moyai.consensus.records import JournalRecord, Recovered, VoteRecord
from moyai.primitives.ids import Digest, Epoch, View
from moyai.primitives.vote import Vote, VoteKind
from moyai.storage.journal import Journal


class CrashAt(Enum):
    """Where a process can die with something half done."""

    BEFORE_COMMIT = auto()
    AFTER_COMMIT = auto()
    BEFORE_WRITE = auto()
    AFTER_WRITE = auto()
    BEFORE_PRUNE = auto()
    AFTER_PRUNE = auto()


COMMITS_AND_WRITES = (
    CrashAt.BEFORE_COMMIT,
    CrashAt.AFTER_COMMIT,
    CrashAt.BEFORE_WRITE,
    CrashAt.AFTER_WRITE,
)
"""The points that every block brings; a journal is pruned much less often."""


class Crashed(Exception):
    """The process is gone."""


class Ballot:
    """All votes seen on the wire, by signer, view and kind."""

    def __init__(self) -> None:
        self._digests: dict[tuple[int, int, int, VoteKind], Digest] = {}

    def __len__(self) -> int:
        return len(self._digests)

    def add(self, vote: Vote) -> None:
        before = self._digests.setdefault(
            (vote.epoch, vote.signer, vote.view, vote.kind), vote.digest
        )
        assert before == vote.digest, f"two votes of one view: {vote}"
        kinds = {VoteKind.NULLIFY: VoteKind.FINALIZE, VoteKind.FINALIZE: VoteKind.NULLIFY}
        other = kinds.get(vote.kind)
        contradiction = (
            other is not None and (vote.epoch, vote.signer, vote.view, other) in self._digests
        )
        assert not contradiction, f"nullify and finalize of one view: {vote}"


class WatchedJournal:
    """The journal of a node: notes which votes are durable, and where the process is to die."""

    def __init__(self, journal: Journal) -> None:
        self.real = journal
        self.crash_at: CrashAt | None = None
        self.skipped = 0
        self.votes = set(journal.load().votes)

    def commit(
        self, records: Sequence[JournalRecord], bodies: Mapping[Digest, tuple[bytes, ...]]
    ) -> None:
        self.skipped -= 1
        if self.crash_at is CrashAt.BEFORE_COMMIT and self.skipped < 0:
            raise Crashed
        self.real.commit(records, bodies)
        self.votes.update(record.vote for record in records if isinstance(record, VoteRecord))
        if self.crash_at is CrashAt.AFTER_COMMIT and self.skipped < 0:
            raise Crashed

    def load(self) -> Recovered:
        return self.real.load()

    def prune(self, floor_view: View, epoch: Epoch, keep: Collection[Digest]) -> None:
        if self.crash_at is CrashAt.BEFORE_PRUNE:
            raise Crashed
        self.real.prune(floor_view, epoch, keep)
        if self.crash_at is CrashAt.AFTER_PRUNE:
            raise Crashed
