"""Blocks on their way into the tree: linked, checked, held; and whether a proposal may be voted
for (R3).

Not here: where a block comes from (`proposals`, `fetching`), voting for it (`voting`).
"""

from moyai.consensus import fetching
from moyai.consensus.core import Core
from moyai.consensus.effects import CheckBlock
from moyai.consensus.headers import own_fault, parent_fault
from moyai.consensus.inputs import BlockChecked, BodyVerdict
from moyai.consensus.tree import Block, BodyState
from moyai.primitives.block import Header
from moyai.primitives.ids import Digest, NetworkKey, TransactionId, View


def admit(
    core: Core, header: Header, digest: Digest, transaction_ids: tuple[TransactionId, ...]
) -> Block:
    """Take a block into the tree and let it go as far as it can; its ids match its header."""
    block = core.tree.get(digest)
    if block is not None:
        return block
    block = Block(header, digest, transaction_ids, core.now.mono_ms)
    linked = core.tree.add(block)
    core.fetches.got_block(digest)
    core.dirty = True
    if not linked:
        lowest = core.tree.lowest_known(block)
        if core.floor < lowest.header.parent_view < lowest.header.view:  # else it never links
            fetching.want_parent(core, lowest)
    for each in linked:
        _check_link(core, each)
    return block


def _check_link(core: Core, block: Block) -> None:
    assert block.parent is not None
    parent_view = core.tree.view_of(block.parent)
    fault = own_fault(block.header, core.parameters)
    fault = fault or parent_fault(block, parent_view, core.execution, core.parameters)
    if block.parent.body is BodyState.INVALID:
        fault = "the parent is invalid"
    if fault:
        _condemn(core, block, fault)
    else:
        _check_body(core, block)


def _condemn(core: Core, block: Block, fault: str) -> None:
    block.body = BodyState.INVALID
    block.fault = fault
    core.count("invalid_block", fault)
    core.dirty = True


def _check_body(core: Core, block: Block) -> None:
    if block.body is not BodyState.LINKED or block.parent is None or not block.parent.held:
        return
    if not block.header.tx_count:
        _hold(core, block)
        return
    block.body = BodyState.CHECKING
    core.emit(
        CheckBlock(
            digest=block.digest,
            header=block.header,
            transaction_ids=block.transaction_ids,
            ancestors=core.tree.loaded_branch(block.parent),
            sources=body_sources(core, block.header.view),
        )
    )


def body_sources(core: Core, view: View) -> tuple[NetworkKey, ...]:
    """Return whom to ask for what belongs to `view`: its leader, then the others in order."""
    count = len(core.validators)
    order = [core.leader(View(view + turn)) for turn in range(count)]
    return tuple(core.key_of(each) for each in order if each != core.index)


def resume(core: Core, linked: list[Block]) -> None:
    """Go on with the blocks above a tip that was caught up with."""
    for block in linked:
        _check_link(core, block)
    for child in core.tree.tip.children:
        _check_body(core, child)


def _hold(core: Core, block: Block) -> None:
    waiting = [block]
    while waiting:
        each = waiting.pop()
        each.body = BodyState.HELD
        for child in each.children:
            if child.body is BodyState.LINKED and not child.header.tx_count:
                waiting.append(child)
            else:
                _check_body(core, child)
    core.dirty = True


def checked(core: Core, answer: BlockChecked) -> None:
    """Take in the answer to `CheckBlock`."""
    block = core.tree.get(answer.digest)
    if block is None or block.body is not BodyState.CHECKING:
        return
    match answer.verdict:
        case BodyVerdict.VALID:
            _hold(core, block)
        case BodyVerdict.INVALID:
            _condemn(core, block, answer.reason or "the body is invalid")


def is_justified(core: Core, block: Block) -> bool:
    """Return whether the certificates a proposal stands on are here; ask for them when not (R3,
    R9).
    """
    missing = missing_evidence(core, block.header)
    if missing:
        fetching.want_certificates(core, missing[0], missing[-1])
    return not missing


def missing_evidence(core: Core, header: Header) -> list[View]:
    """Return the views whose certificate is lacking: the parent's, and each skipped one's."""
    missing = []
    parent_view = header.parent_view
    is_tip = header.parent == core.tree.tip.digest
    if not is_tip and core.certificates.certified(parent_view) != header.parent:
        missing.append(parent_view)
    skipped = (View(number) for number in range(parent_view + 1, header.view))
    return missing + [view for view in skipped if view not in core.certificates.nullifications]
