"""Asking for the transactions that a proposal names and this node lacks. Pure.

They are usually on their way, so the first question waits a moment; then the sources are asked one
after another, the leader first. Not here: whether a body is valid, and catching up (`sync`).
"""

from collections.abc import Callable, Iterable, Iterator

import msgspec

from moyai.p2p import limits
from moyai.p2p.dissemination import pack
from moyai.p2p.messages import TransactionAnswer, TransactionRequest
from moyai.primitives.ids import Digest, NetworkKey, TransactionId


class Question(msgspec.Struct, frozen=True):
    """Send `request` to `peer`."""

    peer: NetworkKey
    request: TransactionRequest


class _Wanted:
    """What one block lacks, whom to ask, and when next."""

    def __init__(
        self, missing: Iterable[TransactionId], sources: tuple[NetworkKey, ...], due_ms: int
    ) -> None:
        self.missing = dict.fromkeys(missing)
        self.sources = sources
        self.turn = 0
        self.due_ms = due_ms


class Fetcher:
    """The incomplete blocks of one node, bounded; the oldest gives way."""

    def __init__(self) -> None:
        self._wanted: dict[Digest, _Wanted] = {}

    def want(
        self,
        block: Digest,
        missing: Iterable[TransactionId],
        sources: tuple[NetworkKey, ...],
        now_ms: int,
    ) -> None:
        """Start to fetch what `block` lacks; said again, it adds what is missing, and sources."""
        known = self._wanted.get(block)
        if known is not None:
            known.missing.update(dict.fromkeys(missing))
            added = tuple(key for key in sources if key not in known.sources)
            known.sources += added
            return
        self._wanted[block] = _Wanted(missing, sources, now_ms + limits.FETCH_GRACE_MS)
        if len(self._wanted) > limits.FETCH_BLOCKS_MAX:
            del self._wanted[next(iter(self._wanted))]

    def forget(self, block: Digest) -> None:
        """The block is no longer wanted."""
        self._wanted.pop(block, None)

    def received(self, transaction_ids: Iterable[TransactionId]) -> list[Digest]:
        """Take note of transactions that have come; return the blocks that lack nothing now."""
        if not self._wanted:
            return []
        ids = list(transaction_ids)
        complete: list[Digest] = []
        for block, wanted in self._wanted.items():
            for transaction_id in ids:
                wanted.missing.pop(transaction_id, None)
            if not wanted.missing:
                complete.append(block)
        for block in complete:
            del self._wanted[block]
        return complete

    def due_ms(self) -> int | None:
        """Return when `step` has something to ask; none when nothing is missing."""
        return min((one.due_ms for one in self._wanted.values() if one.sources), default=None)

    def step(self, now_ms: int) -> list[Question]:
        """Return the questions that are due; each source is asked for all that is missing."""
        questions = []
        for wanted in self._wanted.values():
            if wanted.due_ms <= now_ms and wanted.sources:
                peer = wanted.sources[wanted.turn % len(wanted.sources)]
                questions.append(Question(peer, TransactionRequest(tuple(wanted.missing))))
                wanted.turn += 1
                wanted.due_ms = now_ms + limits.FETCH_MS
        return questions


def answer_transactions(
    request: TransactionRequest, lookup: Callable[[TransactionId], bytes | None]
) -> Iterator[TransactionAnswer]:
    """Return the answers to `request`: what `lookup` knows, in messages within their cap.

    Each transaction once, and no more than `FETCH_ANSWER_BYTES_MAX` or a little over in all.
    """
    for part in pack(_found(request, lookup), limits.BATCH_BYTES_MAX):
        yield TransactionAnswer(part)


def _found(
    request: TransactionRequest, lookup: Callable[[TransactionId], bytes | None]
) -> Iterator[bytes]:
    left = limits.FETCH_ANSWER_BYTES_MAX
    for transaction_id in dict.fromkeys(request.transaction_ids):
        raw = lookup(transaction_id)
        if raw is not None:
            left -= len(raw)
            yield raw
        if left <= 0:
            return
