"""Loading a certified state: its parts from all who hold it, then the ids of recent transactions.

Pure. A part comes whole from one peer, so that it is known who lied; a recent block is proven by
the one above it, down from the block whose state it is. Not here: which state (`snapshot_search`),
and storing it (the node's).
"""

from collections import deque
from collections.abc import Iterable
from typing import TypeAlias

import msgspec

from moyai.p2p import limits
from moyai.p2p.errors import SyncFault
from moyai.p2p.snapshot_checks import RecentIds, check_recent
from moyai.p2p.snapshot_messages import (
    RecentAnswer,
    RecentRequest,
    SnapshotPartAnswer,
    SnapshotPartRequest,
    leaf_bytes,
)
from moyai.p2p.sync import Ask
from moyai.p2p.sync_peers import SyncPeers
from moyai.primitives.block import header_digest
from moyai.primitives.errors import ProofError
from moyai.primitives.ids import Digest, Height, NetworkKey
from moyai.primitives.state_snapshot import SnapshotDescription, SnapshotLeaf, check_part


class StorePart(msgspec.Struct, frozen=True):
    """A proven part: store it."""

    index: int
    leaves: tuple[SnapshotLeaf, ...]


class PartsStored(msgspec.Struct, frozen=True):
    """Every part is there: say with `load_recent` how far back transactions could be repeated."""


class RecentLoaded(msgspec.Struct, frozen=True):
    """The recent blocks, oldest first: everything is there."""

    recent: tuple[RecentIds, ...]


LoadEffect: TypeAlias = Ask | StorePart | PartsStored | RecentLoaded
LoadAnswer = SnapshotPartAnswer | RecentAnswer


class _Part:
    """One part on its way."""

    __slots__ = ("index", "leaves", "size")

    def __init__(self, index: int) -> None:
        self.index = index
        self.clear()

    def clear(self) -> None:
        """Forget what has come: another peer starts it anew."""
        self.leaves: list[SnapshotLeaf] = []
        self.size = 0


class _Question(msgspec.Struct, frozen=True):
    """A question under way; `part` is none for one about recent blocks."""

    peer: NetworkKey
    request: SnapshotPartRequest | RecentRequest
    due_ms: int
    part: _Part | None


class SnapshotLoad:
    """The loading of one state. A fault that is raised ends with `drop` of who made it."""

    def __init__(
        self, description: SnapshotDescription, holders: Iterable[NetworkKey], now_ms: int
    ) -> None:
        self.parts_left: int | None = None
        self._description = description
        self._holders = SyncPeers(holders)
        self._waiting: deque[_Part] = deque()
        self._asked: list[_Question] = []
        self._recent: list[RecentIds] = []
        self._recent_from_ms: int | None = None
        self._progress_ms = now_ms
        self._refused = False
        self._over = False

    def begin(self, missing: Iterable[int]) -> list[LoadEffect]:
        """These parts are not here yet."""
        self._waiting = deque(_Part(index) for index in missing)
        self.parts_left = len(self._waiting)
        return [] if self.parts_left else [PartsStored()]

    def load_recent(self, window_ms: int) -> None:
        """Load the ids of transactions of the last `window_ms` before the state."""
        self._recent_from_ms = self._description.header.time_ms - window_ms

    def join(self, peer: NetworkKey) -> None:
        """One more peer holds the state."""
        self._holders.add([peer])

    def gone(self, peer: NetworkKey) -> None:
        """The link to a peer went down; it may join again."""
        for question in [one for one in self._asked if one.peer == peer]:
            self._return(question)
        self._holders.gone(peer)

    def drop(self, peer: NetworkKey) -> None:
        """The peer lied, or does not hold the state any more."""
        self.gone(peer)
        self._refused = True

    def is_spent(self, now_ms: int) -> bool:
        """Return whether nobody is left who gives anything.

        While all links are down the state is not given up at once: they may come up again.
        """
        stalled = now_ms - self._progress_ms > limits.SNAPSHOT_STALL_MS
        refused = self._refused and not len(self._holders)
        return not self._over and (stalled or refused)

    def go_on(self, now_ms: int) -> list[LoadEffect]:
        """Give up on late questions, ask whoever is free."""
        for question in [one for one in self._asked if one.due_ms <= now_ms]:
            self._return(question)
            self._holders.late(question.peer, now_ms)
        effects: list[LoadEffect] = []
        while not self._over and (self._waiting or self._needs_recent):
            if len(self._asked) >= limits.SNAPSHOT_QUESTIONS_MAX:
                break
            peer = self._holders.choose(now_ms)
            if peer is None:
                break
            part = self._waiting.popleft() if self._waiting else None
            effects.append(self._ask(peer, part, now_ms))
        return effects

    def expects(self, peer: NetworkKey, answer: LoadAnswer) -> bool:
        """Return whether an answer is to a question that this peer was asked."""
        return self._question_of(peer, answer) is not None

    def take(self, peer: NetworkKey, answer: LoadAnswer, now_ms: int) -> list[LoadEffect]:
        """Take an expected answer. Raises `SyncFault`."""
        question = self._question_of(peer, answer)
        assert question is not None
        self._progress_ms = now_ms
        match answer:
            case SnapshotPartAnswer():
                return self._take_part(question, answer, now_ms)
            case RecentAnswer():
                return self._take_recent(question, answer)

    def _take_part(
        self, question: _Question, answer: SnapshotPartAnswer, now_ms: int
    ) -> list[LoadEffect]:
        part = question.part
        assert part is not None
        if not answer.leaves:
            self.drop(question.peer)
            return []
        size = sum(leaf_bytes(leaf) for leaf in answer.leaves)
        part.leaves += answer.leaves
        part.size += size
        what = f"part {part.index} of the state"
        if part.size > limits.SNAPSHOT_PART_BYTES_MAX:
            raise SyncFault("it is too large", what=what)
        if answer.more:
            full = len(answer.leaves) == limits.SNAPSHOT_ANSWER_LEAVES_MAX
            if not full and size < limits.SNAPSHOT_ANSWER_BYTES:
                raise SyncFault("an answer ends before it is full", what=what)
            self._asked.remove(question)
            return [self._ask(question.peer, part, now_ms)]
        try:
            check_part(self._description, part.index, part.leaves)
        except ProofError as error:
            raise SyncFault(error.reason, what=what) from None
        self._answered(question)
        return self._stored(StorePart(part.index, tuple(part.leaves)))

    def _stored(self, stored: StorePart) -> list[LoadEffect]:
        assert self.parts_left is not None
        self.parts_left -= 1
        return [stored] if self.parts_left else [stored, PartsStored()]

    def _take_recent(self, question: _Question, answer: RecentAnswer) -> list[LoadEffect]:
        if not answer.blocks:
            self.drop(question.peer)
            return []
        assert isinstance(question.request, RecentRequest)
        assert self._recent_from_ms is not None
        blocks = check_recent(self._next_recent()[1], question.request, answer)
        self._answered(question)
        for header, ids in blocks:
            too_old = header.time_ms < self._recent_from_ms
            if header.height == 0 or (self._recent and too_old):
                self._over = True
                break
            self._recent.append((header, ids))
        self._over = self._over or self._recent[-1][0].height == 1
        return [RecentLoaded(tuple(self._recent[::-1]))] if self._over else []

    @property
    def _needs_recent(self) -> bool:
        """Return whether the next recent block is to be asked for; one question at a time."""
        return self._recent_from_ms is not None and not self._asked

    def _next_recent(self) -> tuple[Height, Digest]:
        if self._recent:
            lowest = self._recent[-1][0]
            return Height(lowest.height - 1), lowest.parent
        header = self._description.header
        return header.height, header_digest(header)

    def _ask(self, peer: NetworkKey, part: _Part | None, now_ms: int) -> Ask:
        request: SnapshotPartRequest | RecentRequest
        if part is None:
            request = RecentRequest(self._next_recent()[0], limits.RECENT_BLOCKS_PER_REQUEST)
        else:
            height = self._description.header.height
            request = SnapshotPartRequest(height, part.index, len(part.leaves))
        self._asked.append(_Question(peer, request, now_ms + limits.SYNC_REQUEST_MS, part))
        return Ask(peer, request)

    def _answered(self, question: _Question) -> None:
        self._asked.remove(question)
        self._holders.answered(question.peer)

    def _return(self, question: _Question) -> None:
        """A question got no answer: somebody else is asked, from the start of the part."""
        self._asked.remove(question)
        if question.part is not None:
            question.part.clear()
            self._waiting.appendleft(question.part)

    def _question_of(self, peer: NetworkKey, answer: LoadAnswer) -> _Question | None:
        for question in self._asked:
            if question.peer == peer and _answers(question.request, answer):
                return question
        return None


def _answers(request: SnapshotPartRequest | RecentRequest, answer: LoadAnswer) -> bool:
    match request, answer:
        case SnapshotPartRequest(), SnapshotPartAnswer():
            asked = (request.height, request.part, request.position)
            return asked == (answer.height, answer.part, answer.position)
        case RecentRequest(last), RecentAnswer(answered):
            return last == answered
        case _:
            return False
