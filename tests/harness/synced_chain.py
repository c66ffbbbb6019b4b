"""A small true chain with signed transactions, and a reader of it as the chain store offers one."""

from functools import cache

from moyai.p2p.serving import ChainReader
from moyai.primitives.block import Executed, Header, header_digest
from moyai.primitives.codec import encode
from moyai.primitives.ids import (
    AccountId,
    Digest,
    Epoch,
    Height,
    TimeMs,
    ValidatorIndex,
    View,
)
from moyai.primitives.keys import SigningKey
from moyai.primitives.merkle import EMPTY_ROOT, Frontier, list_inclusion_path, merkle_root
from moyai.primitives.operations_tokens import BurnToken
from moyai.primitives.transaction import (
    Body,
    Scheme,
    Signer,
    assemble,
    body_id,
    parse_transaction,
    signing_message,
)

CHAIN_ID = "test-city"
KEY = SigningKey(bytes(range(32)))


@cache
def raw_transaction(number: int) -> bytes:
    """Return signed transaction `number`."""
    body = Body(
        chain_id=CHAIN_ID,
        account=AccountId(bytes(20)),
        signers=(Signer(Scheme.ED25519, KEY.public),),
        operations=(BurnToken("points", 1),),
        valid_until_ms=TimeMs(1_900_000_000_000),
        nonce=number.to_bytes(8, "big"),
        memo=None,
    )
    message = signing_message(CHAIN_ID, body_id(encode(body)))
    return assemble(body, (KEY.sign(message),))


class SyncedChain:
    """Blocks 0 to `height`; block h carries `transactions(h)` transactions."""

    def __init__(self, sizes: list[int], *, salt: int = 0, fillers: int = 0) -> None:
        self.headers: list[Header] = []
        self.digests: list[Digest] = []
        self.bodies: list[tuple[bytes, ...]] = []
        self.fillers: list[Header] = []
        self._frontier = Frontier()
        self._number = salt << 32
        for size in [0, *sizes]:
            self._append(size)
        for _ in range(fillers):
            self._append_filler()

    @property
    def tip(self) -> Header:
        return self.headers[-1]

    @property
    def certified(self) -> Digest:
        return header_digest(self.fillers[0]) if self.fillers else self.digests[-1]

    def _append(self, size: int) -> None:
        body = tuple(raw_transaction(self._number + place) for place in range(size))
        self._number += max(size, 1)
        header = self._header(len(self.headers), body, None)
        self.headers.append(header)
        self.digests.append(header_digest(header))
        self.bodies.append(body)
        self._frontier = self._frontier.append(self.digests[-1])

    def _append_filler(self) -> None:
        header = self._header(len(self.headers) + len(self.fillers), (), self.digests[-1])
        self.fillers.insert(0, header)

    def _header(self, height: int, body: tuple[bytes, ...], filler_of: Digest | None) -> Header:
        transactions = [parse_transaction(raw) for raw in body]
        parent = Digest(self._number.to_bytes(32, "big"))
        if self.fillers:
            parent = header_digest(self.fillers[0])
        elif self.digests:
            parent = self.digests[-1]
        return Header(
            chain_id=CHAIN_ID,
            epoch=Epoch(0),
            view=View(height),
            height=Height(height),
            parent=parent,
            parent_view=View(max(height - 1, 0)),
            time_ms=TimeMs(1_800_000_000_000 + height),
            proposer=ValidatorIndex(0),
            tx_root=merkle_root([transaction.id for transaction in transactions]),
            tx_count=len(body),
            tx_bytes=sum(len(transaction.body_bytes) for transaction in transactions),
            executed=Executed(Height(0), EMPTY_ROOT, EMPTY_ROOT),
            epoch_end=None,
            filler_of=filler_of,
            log_root=self._frontier.root,
        )


class SyncedChainReader(ChainReader):
    """What a node that holds the chain up to `height` reads from its store.

    With `imported_at` it took over the state after that height, and has nothing from before.
    """

    def __init__(
        self,
        chain: SyncedChain,
        height: int | None = None,
        *,
        base: int = 0,
        imported_at: int | None = None,
    ) -> None:
        self._chain = chain
        self._imported_at = imported_at
        self._base = base if imported_at is None else imported_at + 1
        self._height = len(chain.headers) - 1 if height is None else height

    @property
    def base(self) -> Height:
        return Height(self._base)

    def header(self, height: Height) -> Header | None:
        lowest = self._imported_at or 0
        return self._chain.headers[height] if lowest <= height <= self._height else None

    def certified_headers(self, digest: Digest) -> tuple[Header, ...]:
        chain = self._chain
        if chain.fillers and digest == chain.certified:
            return (*chain.fillers, chain.tip)
        if digest in chain.digests[: self._height + 1]:
            return (chain.headers[chain.digests.index(digest)],)
        return ()

    def log_path(self, height: Height, size: Height) -> tuple[bytes, ...] | None:
        if self._imported_at is not None and height < self._imported_at:
            return None
        return tuple(list_inclusion_path(height, self._chain.digests[:size]))

    def raw_transactions(self, height: Height) -> tuple[bytes, ...] | None:
        return self._chain.bodies[height] if self._base <= height <= self._height else None
