"""Answers to the questions of nodes that catch up, cut to what one message may hold. Pure.

Not here: reading the chain (`ChainReader` is the node's), and asking (`sync`).
"""

from typing import Protocol

from moyai.p2p import limits
from moyai.p2p.messages import (
    BodiesAnswer,
    BodiesRequest,
    HeadersAnswer,
    HeadersRequest,
    SyncAnswer,
    SyncRequest,
    TargetAnswer,
    TargetRequest,
)
from moyai.primitives.block import Header
from moyai.primitives.ids import Digest, Height


class ChainReader(Protocol):
    """One committed state of the chain store."""

    def header(self, height: Height) -> Header | None:
        """Return the header at `height`."""

    def certified_headers(self, digest: Digest) -> tuple[Header, ...]:
        """Return the header with `digest`; if it is a filler, also its parents to the chain."""

    def log_path(self, height: Height, size: Height) -> tuple[bytes, ...]:
        """Return the inclusion path of the block at `height` in the log of the first `size`."""

    def raw_transactions(self, height: Height) -> tuple[bytes, ...] | None:
        """Return the body at `height`, as it was signed."""


def answer_sync(request: SyncRequest, chain: ChainReader) -> SyncAnswer:
    """Return the answer to `request`, an empty one when the chain does not reach."""
    match request:
        case TargetRequest(digest):
            return TargetAnswer(digest, chain.certified_headers(digest))
        case HeadersRequest():
            return _headers(request, chain)
        case BodiesRequest():
            return _bodies(request, chain)


def _headers(request: HeadersRequest, chain: ChainReader) -> HeadersAnswer:
    last = Height(request.first + request.count - 1)
    headers: list[Header] = []
    if last < request.target and chain.header(request.target) is not None:
        for height in range(request.first, last + 1):
            header = chain.header(Height(height))
            if header is None:
                return HeadersAnswer(request.target, request.first, (), ())
            headers.append(header)
    if not headers:
        return HeadersAnswer(request.target, request.first, (), ())
    path = tuple(Digest(node) for node in chain.log_path(last, request.target))
    return HeadersAnswer(request.target, request.first, tuple(headers), path)


def _bodies(request: BodiesRequest, chain: ChainReader) -> BodiesAnswer:
    bodies: list[tuple[bytes, ...]] = []
    left = limits.SYNC_BODIES_BYTES
    skipped = request.position
    for height in range(request.first, request.first + request.count):
        body = chain.raw_transactions(Height(height))
        if body is None or left <= 0:
            break
        part: list[bytes] = []
        for raw in body[skipped:]:
            if left <= 0:
                break
            part.append(raw)
            left -= len(raw)
        bodies.append(tuple(part))
        skipped = 0
    return BodiesAnswer(request.first, request.position, tuple(bodies))
