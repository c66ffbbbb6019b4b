"""What clients saw, judged as it arrives: every block of every node against one model of the rules.

The model has two rules, restated here: coins move when there are enough, a record is written when
its version is the expected one. Nothing of the ledger is called. Not here: how it was seen
(`watching`), and who sent what (`load`).
"""

from bisect import bisect_right
from collections import defaultdict

import msgspec

DONE = 0


class Transfer(msgspec.Struct, frozen=True):
    """Coins from one account to another."""

    giver: str
    taker: str
    amount: int


class Write(msgspec.Struct, frozen=True):
    """A record, if it stands at the expected version; 0 where there is none."""

    key: str
    expected: int
    value: int


class Sent(msgspec.Struct):
    """One transaction on its way: when it was sent, and until when it may become final."""

    operation: Transfer | Write
    sent_at: float
    valid_until: float
    accepted: bool = False
    final_at: float | None = None


class Block(msgspec.Struct, frozen=True):
    """What any node says about one height; all must say the same."""

    height: int
    digest: str
    proposer: int
    ids: list[str]
    codes: list[int]


class Read(msgspec.Struct, frozen=True):
    """An answer of one node about one key: a balance, or version and value of a record."""

    node: str
    key: str
    height: int
    answer: tuple[int, ...]


class History:
    """All that was sent, all that was final, and what of it must not be."""

    def __init__(self, balances: dict[str, int], first_height: int) -> None:
        self.sent: dict[str, Sent] = {}
        self.violations: list[str] = []
        self.blocks: dict[int, Block] = {}
        self.seen_at: dict[int, float] = {}
        self.height = first_height
        """The newest block that any node has shown."""
        self.reads = 0
        self.supply = sum(balances.values())
        self._stands: dict[str, tuple[int, ...]] = {who: (has,) for who, has in balances.items()}
        self._past: dict[str, list[tuple[int, tuple[int, ...]]]] = defaultdict(list)
        self._first = first_height
        for who, has in balances.items():
            self._past[who].append((first_height, (has,)))
        self._final: dict[str, int] = {}
        self._waiting: list[Read] = []

    def version(self, key: str) -> int:
        """Return the version a record has in the newest block that was seen."""
        return self._stands.get(key, (0, 0))[0]

    def take_block(self, node: str, block: Block, now: float) -> None:
        """Compare a block with what others said of its height; a new one is executed."""
        known = self.blocks.get(block.height)
        if known is not None:
            if known != block:
                self.wrong(f"{node} shows another block {block.height}: {block} and {known}")
            return
        if block.height != self.height + 1:
            self.wrong(f"{node} shows block {block.height} after {self.height}")
            return
        self.blocks[block.height], self.seen_at[block.height] = block, now
        self.height = block.height
        for one, code in zip(block.ids, block.codes, strict=True):
            self._take_final(one, code, block.height, now)
        still = []
        for read in self._waiting:
            self._judge(read) if read.height <= self.height else still.append(read)
        self._waiting = still

    def take_read(self, read: Read) -> None:
        """Judge an answer now, or once the block it speaks of has been seen."""
        self.reads += 1
        if read.height > self.height:
            self._waiting.append(read)
        elif read.height >= self._first:
            self._judge(read)

    def wrong(self, what: str) -> None:
        """Note a violation."""
        self.violations.append(what[:1000])

    def unended(self, now: float) -> list[str]:
        """Return accepted transactions that are neither final nor out of time."""
        return [
            one
            for one, sent in self.sent.items()
            if sent.accepted and sent.final_at is None and sent.valid_until > now
        ]

    def lost(self) -> list[str]:
        """Return accepted transactions that ran out of time before any block took them."""
        return [one for one, sent in self.sent.items() if sent.accepted and sent.final_at is None]

    def finals(self) -> dict[str, int]:
        """Return the height of every final transaction that was sent here."""
        return self._final

    def stands(self) -> dict[str, tuple[int, ...]]:
        """Return the last answer for every key."""
        return self._stands

    def _take_final(self, one: str, code: int, height: int, now: float) -> None:
        sent = self.sent.get(one)
        if sent is None:
            self.wrong(f"block {height} holds {one}, which nobody sent")
            return
        if one in self._final:
            self.wrong(f"{one} is final twice: in block {self._final[one]} and block {height}")
            return
        self._final[one] = height
        sent.final_at = now
        if (code == DONE) != self._allowed(sent.operation):
            self.wrong(f"{one} in block {height} ended with {code}: {sent.operation}")
        elif code == DONE:
            self._apply(sent.operation, height)

    def _allowed(self, operation: Transfer | Write) -> bool:
        match operation:
            case Transfer(giver, _, amount):
                return self._stands[giver][0] >= amount
            case Write(key, expected, _):
                return self.version(key) == expected

    def _apply(self, operation: Transfer | Write, height: int) -> None:
        match operation:
            case Transfer(giver, taker, amount):
                self._set(giver, (self._stands[giver][0] - amount,), height)
                self._set(taker, (self._stands[taker][0] + amount,), height)
            case Write(key, expected, value):
                self._set(key, (expected + 1, value), height)

    def _set(self, key: str, answer: tuple[int, ...], height: int) -> None:
        self._stands[key] = answer
        self._past[key].append((height, answer))

    def _judge(self, read: Read) -> None:
        past = self._past.get(read.key, [])
        place = bisect_right(past, read.height, key=lambda entry: entry[0])
        right = past[place - 1][1] if place else (0, 0)
        if read.answer != right:
            self.wrong(
                f"{read.node} answers {read.answer} for {read.key} at {read.height}, not {right}"
            )
