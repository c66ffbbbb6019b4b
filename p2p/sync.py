"""Catching up by certified headers: one run of a node that was away, towards one target. Pure.

    certificate -> target header -> header ranges, proven by the target's log -> bodies -> blocks

Ranges and bodies are asked from several peers at once, each question with a deadline; a body
comes whole from one peer, so that it is known who lied. A peer that contradicts the certificate is
dropped and its share asked elsewhere, so the run ends although some lie. What is held is bounded.
Not here: verifying the certificate, signatures of transactions, executing and storing (the node's),
checks of answers (`sync_checks`).
"""

from collections import deque
from collections.abc import Iterable
from typing import TypeAlias

import msgspec

from moyai.p2p import limits
from moyai.p2p.errors import SyncFault
from moyai.p2p.messages import (
    BelowBase,
    BodiesAnswer,
    BodiesRequest,
    HeadersAnswer,
    HeadersRequest,
    SyncAnswer,
    SyncRequest,
    TargetAnswer,
    TargetRequest,
)
from moyai.p2p.snapshot_messages import StateRequest
from moyai.p2p.sync_checks import (
    BODY_BYTES_MAX,
    SyncedBlock,
    Target,
    check_body,
    check_headers,
    check_target,
)
from moyai.p2p.sync_peers import SyncPeers
from moyai.primitives.block import Header
from moyai.primitives.ids import Digest, Height, NetworkKey

_SIGNATURE_BYTES_ESTIMATE = 110
_BLOCK_BYTES_ESTIMATE = 512


class Ask(msgspec.Struct, frozen=True):
    """Send `request` to `peer`."""

    peer: NetworkKey
    request: SyncRequest | StateRequest


class Blame(msgspec.Struct, frozen=True):
    """`peer` contradicted the certificate: count it as a fault and end its link."""

    peer: NetworkKey
    reason: str


class Deliver(msgspec.Struct, frozen=True):
    """The next final blocks in order: check their signatures, execute, store, then acknowledge."""

    blocks: tuple[SyncedBlock, ...]


class Diverged(msgspec.Struct, frozen=True):
    """The certified chain does not go through this node's own final block: stop the node."""

    header: Header
    own: Digest


class Finished(msgspec.Struct, frozen=True):
    """Everything up to the target was delivered."""

    target: Target


SyncEffect: TypeAlias = Ask | Blame | Deliver | Diverged | Finished


class _Chunk:
    """Bodies of consecutive blocks, and how far they have come."""

    __slots__ = ("count", "first", "part", "part_bytes")

    def __init__(self, first: int, count: int) -> None:
        self.first = first
        self.count = count
        self.clear_part()

    def clear_part(self) -> None:
        """Forget what has come of the first block: another peer starts it anew."""
        self.part: list[bytes] = []
        self.part_bytes = 0

    def request(self) -> BodiesRequest:
        """Return the question for what is left."""
        return BodiesRequest(Height(self.first), len(self.part), self.count)


class _Question(msgspec.Struct, frozen=True):
    """A question under way."""

    peer: NetworkKey
    request: SyncRequest
    due_ms: int
    chunk: _Chunk | None


class Sync:
    """One catch-up from `tip` to the block that `certified` names."""

    def __init__(
        self,
        *,
        certified: Digest,
        tip_height: Height,
        tip_digest: Digest,
        sources: Iterable[NetworkKey],
        target: Target | None = None,
    ) -> None:
        """`target` spares the first question when the certified block is known already."""
        self._certified = certified
        self._tip_height = tip_height
        self._tip_digest = tip_digest
        self._acknowledged = int(tip_height)
        self._next_delivered = tip_height + 1
        self._next_range = tip_height + 1
        self._next_chunk = tip_height + 1
        self._peers = SyncPeers(sources)
        self._target = target
        self._waiting: deque[SyncRequest | _Chunk] = deque()
        self._asked: list[_Question] = []
        self._headers: dict[int, tuple[Header, Digest]] = {}
        self._blocks: dict[int, tuple[SyncedBlock, NetworkKey]] = {}
        self._ahead_bytes = 0
        self._over = False
        if target is None:
            self._waiting.append(TargetRequest(certified))
        else:
            assert target.header.height > tip_height, "a known target lies ahead"
            self._headers[target.header.height] = (target.header, target.digest)

    @property
    def stalled(self) -> bool:
        """Whether nobody is left to ask; `add_sources` goes on."""
        return not self._over and not len(self._peers)

    @property
    def next_height(self) -> Height:
        """Return the height of the next block to deliver."""
        return Height(self._next_delivered)

    def bases(self) -> dict[NetworkKey, Height]:
        """Return who no longer holds the next block needed, and from which height on they do."""
        return self._peers.bases_above(self.next_height)

    def may_help(self, key: NetworkKey) -> bool:
        """Return whether a peer may still give the next block needed."""
        return self._peers.may_help(key, self.next_height)

    def add_sources(self, keys: Iterable[NetworkKey], now_ms: int) -> list[SyncEffect]:
        """Take more peers to ask."""
        self._peers.add(keys)
        return self._go_on(now_ms)

    def peer_gone(self, key: NetworkKey, now_ms: int) -> list[SyncEffect]:
        """The link to a peer went down: its questions are asked elsewhere."""
        for question in [one for one in self._asked if one.peer == key]:
            self._return(question)
        self._peers.gone(key)
        return self._go_on(now_ms)

    def due_ms(self) -> int | None:
        """Return when to call `step` next; none while there is nothing or nobody to ask."""
        if self._over or not (self._asked or self._waiting):
            return None
        deadlines = (question.due_ms for question in self._asked)
        return min(deadlines, default=self._peers.rested_ms())

    def step(self, now_ms: int) -> list[SyncEffect]:
        """Give up on questions past their deadline, ask what can be asked."""
        for question in [one for one in self._asked if one.due_ms <= now_ms]:
            self._return(question)
            self._peers.late(question.peer, now_ms)
        return self._go_on(now_ms)

    def on_answer(self, peer: NetworkKey, answer: SyncAnswer, now_ms: int) -> list[SyncEffect]:
        """Take an answer; one that nothing asks for any more is ignored."""
        question = self._question_of(peer, answer)
        if question is None:
            return []
        effects: list[SyncEffect] = []
        try:
            effects += self._take(question, answer, now_ms)
        except SyncFault as fault:
            self._drop_liar(peer)
            effects.append(Blame(peer, str(fault)))
        return effects + self._go_on(now_ms)

    def acknowledge(self, height: Height, now_ms: int) -> list[SyncEffect]:
        """Blocks up to `height` are stored: forget them, make room for more."""
        for gone in range(self._acknowledged + 1, height + 1):
            header, _ = self._headers.pop(gone)
            self._blocks.pop(gone)
            self._ahead_bytes -= _cost(header)
        self._acknowledged = height
        return self._go_on(now_ms)

    def reject(self, height: Height, reason: str, now_ms: int) -> list[SyncEffect]:
        """A delivered body has a bad signature: its sender lied. Delivery goes on from `height`."""
        _, peer = self._blocks.pop(height)
        self._drop_liar(peer)
        self._waiting.appendleft(_Chunk(height, 1))
        self._next_delivered = height
        return [Blame(peer, reason), *self._go_on(now_ms)]

    def _question_of(self, peer: NetworkKey, answer: SyncAnswer) -> _Question | None:
        for question in self._asked:
            if question.peer == peer and _answers(question.request, answer):
                return question
        return None

    def _take(self, question: _Question, answer: SyncAnswer, now_ms: int) -> list[SyncEffect]:
        match answer:
            case TargetAnswer():
                return self._take_target(question, answer, now_ms)
            case HeadersAnswer():
                return self._take_headers(question, answer, now_ms)
            case BodiesAnswer():
                return self._take_bodies(question, answer, now_ms)
            case BelowBase(_, base):
                self._peers.holds_from(question.peer, base)
                self._lacks(question, now_ms)
                return []

    def _take_target(
        self, question: _Question, answer: TargetAnswer, now_ms: int
    ) -> list[SyncEffect]:
        if not answer.headers:
            self._lacks(question, now_ms)
            return []
        target = check_target(self._certified, answer)
        self._answered(question)
        self._target = target
        if target.header.height < self._next_delivered:
            self._over = True
            return [Finished(target)]
        return self._accept(target.header, target.digest)

    def _take_headers(
        self, question: _Question, answer: HeadersAnswer, now_ms: int
    ) -> list[SyncEffect]:
        assert self._target is not None
        assert isinstance(question.request, HeadersRequest)
        if not answer.headers:
            self._lacks(question, now_ms)
            return []
        checked = check_headers(self._target.header, question.request, answer)
        self._answered(question)
        for header, digest in checked:
            diverged = self._accept(header, digest)
            if diverged:
                return diverged
        return []

    def _accept(self, header: Header, digest: Digest) -> list[SyncEffect]:
        """Keep a proven header; the first one must follow from this node's own tip."""
        if header.height == self._tip_height + 1 and header.parent != self._tip_digest:
            self._over = True
            return [Diverged(header, self._tip_digest)]
        self._headers[header.height] = (header, digest)
        return []

    def _take_bodies(
        self, question: _Question, answer: BodiesAnswer, now_ms: int
    ) -> list[SyncEffect]:
        chunk = question.chunk
        assert chunk is not None
        if not answer.bodies:
            self._lacks(question, now_ms)
            return []
        if len(answer.bodies) > chunk.count:
            raise SyncFault("more bodies than asked for", what=f"height {chunk.first}")
        for place, body in enumerate(answer.bodies):
            complete = self._take_body(chunk, body, question.peer)
            if not complete and place != len(answer.bodies) - 1:
                raise SyncFault("a body is cut in the middle", what=f"height {chunk.first}")
        if chunk.count == 0:
            self._answered(question)
            return []
        size = sum(len(raw) for body in answer.bodies for raw in body)
        if size < limits.SYNC_BODIES_BYTES:
            self._return(question)
            self._peers.late(question.peer, now_ms)
            return []
        self._asked.remove(question)
        return [self._ask(question.peer, chunk, now_ms)]

    def _take_body(self, chunk: _Chunk, body: tuple[bytes, ...], peer: NetworkKey) -> bool:
        """Add to the chunk's first block; return whether that block is complete now."""
        header, digest = self._headers[chunk.first]
        chunk.part += body
        chunk.part_bytes += sum(len(raw) for raw in body)
        if len(chunk.part) > header.tx_count or chunk.part_bytes > BODY_BYTES_MAX:
            raise SyncFault("a body is too large", what=f"height {header.height}")
        if len(chunk.part) < header.tx_count:
            return False
        self._blocks[chunk.first] = (check_body(header, digest, chunk.part), peer)
        chunk.first += 1
        chunk.count -= 1
        chunk.clear_part()
        return True

    def _go_on(self, now_ms: int) -> list[SyncEffect]:
        """Deliver what is complete, plan what there is room for, ask whoever is free."""
        if self._over:
            return []
        effects = self._deliver()
        self._plan()
        while self._waiting:
            peer = self._peers.choose(now_ms)
            if peer is None:
                break
            effects.append(self._ask(peer, self._waiting.popleft(), now_ms))
        return effects

    def _deliver(self) -> list[SyncEffect]:
        ready: list[SyncedBlock] = []
        while self._next_delivered in self._blocks:
            ready.append(self._blocks[self._next_delivered][0])
            self._next_delivered += 1
        effects: list[SyncEffect] = [Deliver(tuple(ready))] if ready else []
        if ready and self._target is not None and ready[-1].digest == self._target.digest:
            effects.append(Finished(self._target))
        return effects

    def _plan(self) -> None:
        if self._target is None:
            return
        last = self._target.header.height
        horizon = self._acknowledged + limits.SYNC_HEADERS_AHEAD_MAX
        while self._next_range < min(last, horizon):
            count = min(limits.SYNC_HEADERS_PER_REQUEST, last - self._next_range)
            self._waiting.append(HeadersRequest(last, Height(self._next_range), count))
            self._next_range += count
        while self._next_chunk in self._headers:
            if self._ahead_bytes > limits.SYNC_BODY_BYTES_AHEAD_MAX:
                break
            self._waiting.appendleft(self._next_bodies())

    def _next_bodies(self) -> _Chunk:
        """Return the next chunk: at least one block, about as much as one answer holds."""
        chunk = _Chunk(self._next_chunk, 0)
        size = 0
        while self._next_chunk in self._headers and chunk.count < limits.SYNC_HEADERS_PER_REQUEST:
            size += _cost(self._headers[self._next_chunk][0])
            if chunk.count and size > limits.SYNC_BODIES_BYTES:
                break
            self._ahead_bytes += _cost(self._headers[self._next_chunk][0])
            chunk.count += 1
            self._next_chunk += 1
        return chunk

    def _ask(self, peer: NetworkKey, work: SyncRequest | _Chunk, now_ms: int) -> Ask:
        due_ms = now_ms + limits.SYNC_REQUEST_MS
        chunk = work if isinstance(work, _Chunk) else None
        request = work.request() if isinstance(work, _Chunk) else work
        self._asked.append(_Question(peer, request, due_ms, chunk))
        return Ask(peer, request)

    def _answered(self, question: _Question) -> None:
        self._asked.remove(question)
        self._peers.answered(question.peer)

    def _lacks(self, question: _Question, now_ms: int) -> None:
        self._return(question)
        self._peers.lacks(question.peer, now_ms)

    def _return(self, question: _Question) -> None:
        """A question got no answer: somebody else is asked, from the start of its first block."""
        self._asked.remove(question)
        if question.chunk is not None:
            question.chunk.clear_part()
        self._waiting.appendleft(question.chunk or question.request)

    def _drop_liar(self, peer: NetworkKey) -> None:
        for question in [one for one in self._asked if one.peer == peer]:
            self._return(question)
        self._peers.lied(peer)


def _answers(request: SyncRequest, answer: SyncAnswer) -> bool:
    match request, answer:
        case TargetRequest(digest), TargetAnswer(answered):
            return digest == answered
        case HeadersRequest(target, first), HeadersAnswer(of_target, of_first):
            return (target, first) == (of_target, of_first)
        case BodiesRequest(first, position), BodiesAnswer(of_first, of_position):
            return (first, position) == (of_first, of_position)
        case ((HeadersRequest(first=first) | BodiesRequest(first=first)), BelowBase(of_first)):
            return first == of_first
        case _:
            return False


def _cost(header: Header) -> int:
    """Return about how many bytes a block takes on the wire."""
    return header.tx_bytes + header.tx_count * _SIGNATURE_BYTES_ESTIMATE + _BLOCK_BYTES_ESTIMATE
