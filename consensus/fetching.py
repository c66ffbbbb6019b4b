"""Asking for blocks and certificates, again and elsewhere until they come; answering the same (R2,
R9).

Not here: long distances (`catchup` and the shell's sync), transactions (the shell).
"""

from moyai.consensus import blocks
from moyai.consensus.core import Core
from moyai.consensus.fetchlist import WantedBlock, WantedCertificates
from moyai.consensus.headers import ids_fault
from moyai.consensus.inputs import Timer
from moyai.consensus.limits import (
    CATCH_UP_VIEWS,
    GAP_CERTIFICATES_MAX,
    TREE_BLOCKS_MAX,
    VIEWS_AHEAD_MAX,
)
from moyai.consensus.messages import (
    BlockMessage,
    BlockRequest,
    CertificateMessage,
    CertificateRequest,
)
from moyai.consensus.tree import Block
from moyai.primitives.block import Header, header_digest
from moyai.primitives.certificate import Certificate
from moyai.primitives.ids import Digest, NetworkKey, View
from moyai.primitives.vote import VoteKind


def want_parent(core: Core, block: Block) -> None:
    """Ask for the parent of a block, its own leader first."""
    sources = blocks.body_sources(core, block.header.view)
    want_block(core, block.header.parent, View(block.header.parent_view), sources)


def want_block(core: Core, digest: Digest, view: View, sources: tuple[NetworkKey, ...]) -> None:
    """Ask for a block until it is here or its view is final."""
    if not sources or core.tree.get(digest) is not None:
        return
    wanted = WantedBlock(sources, view)
    if core.fetches.want_block(digest, wanted):
        core.send(sources[0], BlockRequest(digest))
        core.timers.ensure(Timer.FETCH, core.now.mono_ms, core.delta_ms)


def want_certificates(core: Core, first: View, last: View) -> None:
    """Ask for the certificates of these views, the leader of the current view first (R9)."""
    sources = blocks.body_sources(core, core.view)
    wanted = WantedCertificates(first, last, sources)
    if sources and core.fetches.want_certificates(wanted):
        core.send(sources[0], CertificateRequest(core.epoch, first, last))
        core.timers.ensure(Timer.FETCH, core.now.mono_ms, core.delta_ms)


def settle(core: Core) -> None:
    """Ask for the certified blocks that are not here."""
    _want_certified(core, core.learned)


def remind(core: Core) -> None:
    """Ask again for certified blocks whose asking was given up for lack of room."""
    _want_certified(core, list(core.certificates.notarizations.values()))


def _want_certified(core: Core, certificates: list[Certificate]) -> None:
    if core.certificates.final_view - core.floor > CATCH_UP_VIEWS:
        return
    for certificate in certificates:
        if certificate.kind is not VoteKind.NULLIFY and certificate.view > core.floor:
            sources = blocks.body_sources(core, certificate.view)
            want_block(core, certificate.digest, certificate.view, sources)


def tick(core: Core) -> None:
    """Ask the next source for whatever is still wanted."""
    for digest, wanted in core.fetches.blocks.items():
        wanted.tries += 1
        core.send(_next(wanted.sources, wanted.tries), BlockRequest(digest))
    views = core.fetches.certificates
    if views is not None:
        views.tries += 1
        request = CertificateRequest(core.epoch, views.first, views.last)
        core.send(_next(views.sources, views.tries), request)
    if not core.fetches.empty:
        core.timers.set(Timer.FETCH, core.now.mono_ms, core.delta_ms)
    core.dirty = True


def _next(sources: tuple[NetworkKey, ...], tries: int) -> NetworkKey:
    return sources[tries % len(sources)]


def receive_block(core: Core, message: BlockMessage, sender: NetworkKey) -> None:
    """Take in a block that was asked for."""
    digest = header_digest(message.header)
    if digest not in core.fetches.blocks:
        core.count("dropped", "block that was not asked for")
        return
    fault = ids_fault(message.header, message.transaction_ids)
    if fault:
        core.misbehaved(sender, f"block: {fault}")
        return
    core.fetches.got_block(digest)
    if message.header.epoch != core.epoch:
        core.count("dropped", "block of another epoch")
    elif not core.floor < message.header.view <= core.view + VIEWS_AHEAD_MAX:
        core.count("dropped", "block outside the window")
    elif len(core.tree) >= TREE_BLOCKS_MAX and not _is_certified(core, message.header, digest):
        core.count("dropped", "block while too many blocks wait")
    else:
        blocks.admit(core, message.header, digest, message.transaction_ids)


def _is_certified(core: Core, header: Header, digest: Digest) -> bool:
    return core.certificates.certified(header.view) == digest


def serve_block(core: Core, request: BlockRequest, sender: NetworkKey) -> None:
    """Answer with a block of the tree, or one that became final lately.

    The final block a restart begins with has lost its transaction ids: catching up serves that one.
    """
    block = core.tree.served(request.digest)
    if block is None or len(block.transaction_ids) != block.header.tx_count:
        return
    if block.header.height and core.links.spend(sender, 1):
        core.send(sender, BlockMessage(block.header, block.transaction_ids))


def serve_certificates(core: Core, request: CertificateRequest, sender: NetworkKey) -> None:
    """Answer with both kinds of the views asked for; for what is final, the newest finalization."""
    if request.epoch != core.epoch:
        return
    found = core.certificates.of_views(request.first_view, request.last_view)
    newest = core.certificates.newest_finalization
    if newest is not None and request.first_view <= newest.view:
        found.insert(0, newest)
    for certificate in found[: core.links.spend(sender, min(len(found), GAP_CERTIFICATES_MAX))]:
        core.send(sender, CertificateMessage(certificate))
