"""The last final block and the blocks above it, linked by parent; what became final lately, to
serve.

Not here: whether a block is valid (`headers`, `blocks`) or certified (`certificates`).
"""

from enum import Enum
from typing import NamedTuple

from moyai.consensus.config import FinalTip
from moyai.consensus.limits import FINAL_BLOCKS_KEPT
from moyai.primitives.block import Header, header_digest
from moyai.primitives.ids import Digest, Epoch, TransactionId, View
from moyai.primitives.merkle import Frontier


class BodyState(Enum):
    """How far a block has come; it only moves down this list."""

    UNLINKED = "the parent is not here yet"
    LINKED = "the header fits its parent, the parent's body is not here yet"
    CHECKING = "the shell fetches and checks the body"
    HELD = "the body is here and valid"
    INVALID = "the header or the body breaks a rule"


class Block:
    """A block of the tree; only `BlockTree` and `blocks` write to it."""

    __slots__ = (
        "body",
        "children",
        "digest",
        "fault",
        "frontier",
        "header",
        "loaded",
        "parent",
        "seen_ms",
        "stored",
        "transaction_ids",
    )

    def __init__(
        self,
        header: Header,
        digest: Digest,
        transaction_ids: tuple[TransactionId, ...],
        seen_ms: int,
    ) -> None:
        self.header = header
        self.digest = digest
        self.transaction_ids = transaction_ids
        self.seen_ms = seen_ms
        self.body = BodyState.UNLINKED
        self.fault = ""
        self.stored = False
        self.parent: Block | None = None
        self.children: list[Block] = []
        self.frontier = Frontier()  # of the ancestors
        self.loaded = 0  # blocks with transactions up to and with this one, from an arbitrary start

    @property
    def held(self) -> bool:
        return self.body is BodyState.HELD

    def join(self, parent: "Block") -> None:
        """Link to `parent`, whose own links are complete."""
        self.parent = parent
        parent.children.append(self)
        if self.header.filler_of is None:
            self.frontier = parent.frontier.append(parent.digest)
        else:
            self.frontier = parent.frontier  # a filler repeats the log of the block that it fills
        self.loaded = parent.loaded + (1 if self.header.tx_count else 0)


class Advance(NamedTuple):
    """What a new final block changes: the final blocks oldest first, and those left behind."""

    final: list[Block]
    dropped: list[Block]


class Restart(NamedTuple):
    """What starting from another tip changes: newly linked blocks, and those left behind."""

    linked: list[Block]
    left: list[Block]


class BlockTree:
    """Blocks by digest, from the final tip upwards."""

    def __init__(self, tip: FinalTip, epoch: Epoch) -> None:
        self._epoch = epoch
        self._blocks: dict[Digest, Block] = {}
        self._orphans: dict[Digest, list[Block]] = {}
        self._recent: dict[Digest, Block] = {}
        self.tip = self._root(tip)

    def _root(self, tip: FinalTip) -> Block:
        block = Block(tip.header, header_digest(tip.header), (), 0)
        block.body = BodyState.HELD
        block.stored = True
        block.frontier = tip.frontier
        block.loaded = sum(1 for past in tip.recent if past.header.tx_count)
        self._blocks[block.digest] = block
        return block

    def __len__(self) -> int:
        return len(self._blocks)

    @property
    def final_view(self) -> View:
        """Return the view of the tip; a block of an older epoch counts as view 0 of this one."""
        return self.view_of(self.tip)

    def view_of(self, block: Block) -> View:
        """Return the view of `block` in this epoch."""
        return block.header.view if block.header.epoch == self._epoch else View(0)

    def get(self, digest: Digest) -> Block | None:
        """Return a block at or above the tip."""
        return self._blocks.get(digest)

    def served(self, digest: Digest) -> Block | None:
        """Return a block that another node may ask for: of the tree, or final lately."""
        return self._blocks.get(digest) or self._recent.get(digest)

    def add(self, block: Block) -> list[Block]:
        """Take in a new block; return what it links, parents first; nothing while it waits."""
        self._blocks[block.digest] = block
        parent = self._blocks.get(block.header.parent)
        if parent is None or parent.body is BodyState.UNLINKED:
            self._orphans.setdefault(block.header.parent, []).append(block)
            return []
        return self._link(block, parent)

    def _link(self, block: Block, parent: Block) -> list[Block]:
        linked = []
        waiting = [(block, parent)]
        while waiting:
            child, above = waiting.pop()
            child.join(above)
            child.body = BodyState.LINKED
            linked.append(child)
            waiting += [(orphan, child) for orphan in self._orphans.pop(child.digest, [])]
        return linked

    def branch(self, block: Block) -> list[Block] | None:
        """Return the blocks from `block` down to the child of the tip, or none when it leads
        elsewhere.
        """
        branch = []
        current: Block | None = block
        while current is not None and current is not self.tip:
            branch.append(current)
            current = current.parent
        return branch if current is self.tip else None

    def loaded_branch(self, block: Block) -> tuple[Digest, ...]:
        """Return the blocks with transactions from `block` down to the child of the tip."""
        branch = self.branch(block) or []
        return tuple(each.digest for each in branch if each.header.tx_count)

    def lowest_known(self, block: Block) -> Block:
        """Return the lowest ancestor of `block` that is here, following unlinked parents too."""
        while (
            parent := self._blocks.get(block.header.parent)
        ) is not None and parent is not self.tip:
            block = parent
        return block

    def advance(self, block: Block) -> Advance:
        """Make `block`, which descends from the tip, final."""
        branch = self.branch(block)
        assert branch, "only a descendant of the tip becomes final"
        final = branch[::-1]
        for past in (self.tip, *final):
            self._recent[past.digest] = past
        while len(self._recent) > FINAL_BLOCKS_KEPT:
            del self._recent[next(iter(self._recent))]
        return Advance(final, self._restart(block))

    def above_tip(self) -> list[Block]:
        """Return all blocks here but the tip."""
        return [block for block in self._blocks.values() if block is not self.tip]

    def reset(self, tip: FinalTip) -> Restart:
        """Start from a tip that was caught up with, keeping the blocks above it."""
        old = sorted(self._blocks.values(), key=lambda block: block.header.height)
        self._blocks, self._orphans = {}, {}
        self.tip = self._root(tip)
        linked, left = [], []
        for block in old:
            if not self._may_descend(block, self.tip):
                left.append(block)
                continue
            block.parent, block.children = None, []
            self._blocks[block.digest] = block
            parent = self._blocks.get(block.header.parent)
            if parent is None or parent.body is BodyState.UNLINKED:
                block.body = BodyState.UNLINKED
                self._orphans.setdefault(block.header.parent, []).append(block)
                continue
            block.join(parent)
            if block.body is BodyState.UNLINKED:
                block.body = BodyState.LINKED
                linked.append(block)
        return Restart(linked, left)

    def _restart(self, tip: Block) -> list[Block]:
        kept = {tip.digest: tip}
        waiting = [tip]
        while waiting:
            for child in waiting.pop().children:
                kept[child.digest] = child
                waiting.append(child)
        orphans: dict[Digest, list[Block]] = {}
        for parent, waiting_for_it in self._orphans.items():
            able = [block for block in waiting_for_it if self._may_descend(block, tip)]
            if able:
                orphans[parent] = able
        for blocks in orphans.values():
            kept.update((block.digest, block) for block in blocks)
        dropped = [
            block
            for digest, block in self._blocks.items()
            if digest not in kept and digest not in self._recent
        ]
        self._blocks, self._orphans, self.tip = kept, orphans, tip
        tip.parent = None
        return dropped

    def _may_descend(self, block: Block, tip: Block) -> bool:
        """Return whether height and view allow `block` above `tip`.

        Both, since a block without its parent may claim any height; its view is within the window.
        """
        return block.header.height > tip.header.height and self.view_of(block) > self.view_of(tip)
