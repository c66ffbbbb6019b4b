"""Asks nodes and believes only what leads to the trusted chain: heads, epochs, links.

Here certified headers of nodes become linked ones; what hangs below them is checked in `proofs`.
"""

import asyncio

from moyai.client.answers import (
    BlockProofAnswer,
    CertificateAnswer,
    CertifiedAnswer,
    Hashes,
    ValidatorsAnswer,
)
from moyai.client.errors import LyingNodeError, NodePrunedError, NodeRefusalError, StaleNodeError
from moyai.client.head_file import HeadFile
from moyai.client.nodes import Nodes
from moyai.client.proofs import hashes
from moyai.client.settings import ClientSettings
from moyai.client.transport import Node
from moyai.client.trust import CertifiedHeader, EpochEnd, TrustedChain, header_codec
from moyai.primitives.block import Header
from moyai.primitives.errors import MoyaiError
from moyai.primitives.ids import Height, PublicKey, parse_hex


class Session:
    """A trusted chain, the nodes that extend it, and the file that remembers it."""

    def __init__(
        self,
        chain: TrustedChain,
        nodes: Nodes,
        settings: ClientSettings,
        head_file: HeadFile | None,
    ) -> None:
        self.chain = chain
        self.nodes = nodes
        self.settings = settings
        self._head_file = head_file
        self._moving = asyncio.Lock()
        self._saved_height = chain.head.height
        self._saved_ms = settings.now_ms()

    async def refresh(self) -> CertifiedHeader:
        """Move to the newest certified header that a node has, and return the head.

        Raises `ForkError`, `NoNodeAnsweredError` when no node is as new as the head.
        """
        return await self.nodes.ask(self._refresh_from)

    async def believe(
        self, node: Node, answer: CertifiedAnswer, known: Height, path: Hashes | None
    ) -> CertifiedHeader:
        """Return the certified header of an answer, after it was linked to the head.

        `known` is the height of the head when the question was asked, `path` the node's proof that
        the block there is an ancestor. Raises `LyingNodeError`, `StaleNodeError`, `ForkError`.
        """
        epoch = _decoded_epoch(answer)
        while not self.chain.knows_epoch(epoch):
            await self._learn_epoch(node, epoch)
        certified = self.chain.verify(answer.header, answer.certificate)
        if certified.height < known:
            raise StaleNodeError(
                f"answers as of block {certified.height}, block {known} is known to be final",
                what=node.url,
                next="wait until it caught up, or ask another node",
            )
        if not self.chain.is_linked(certified):
            async with self._moving:
                await self._link(node, certified, known, path)
                self._save(now=False)
        return certified

    def close(self) -> None:
        """Keep the head."""
        self._save(now=True)

    async def _refresh_from(self, node: Node) -> CertifiedHeader:
        known = self.chain.head.height
        try:
            answer = await node.call(
                "chain_certificate", {"known_height": known}, CertificateAnswer
            )
        except NodeRefusalError as error:
            if error.name in {"not_found", "not_yet_provable"} and known == 0:
                return self.chain.head  # nothing has happened in this city yet
            raise
        await self.believe(node, answer.certified, known, answer.known_path)
        return self.chain.head

    async def _link(
        self, node: Node, certified: CertifiedHeader, known: Height, path: Hashes | None
    ) -> None:
        if self.chain.is_linked(certified):
            return
        head = self.chain.head
        if path is not None and head.height == known and self._try_link(certified, path):
            return
        low, high = sorted((head.height, certified.height))
        question = {"height": low, "in_height": high}
        try:
            answer = await node.call("chain_prove", question, BlockProofAnswer)
        except NodePrunedError:
            if self.chain.begin(certified):
                return
            raise
        except NodeRefusalError as error:
            raise LyingNodeError(
                f"does not prove that its chain is ours ({error.reason})",
                what=node.url,
                next="ask another node",
            ) from None
        proof = answer.log_path or ()
        if self._try_link(certified, proof):
            return
        self.chain.check_fork(certified, _decoded(answer.header), hashes(proof))

    def _try_link(self, certified: CertifiedHeader, path: Hashes) -> bool:
        try:
            return self.chain.link(certified, hashes(path))
        except MoyaiError:
            return False

    async def _learn_epoch(self, node: Node, wanted: int) -> None:
        following = self.chain.epoch + 1
        if wanted < following:
            raise LyingNodeError(f"epoch {wanted} has ended", what=node.url, next="ask another")
        answer = await node.call("validators_get", {"epoch": following}, ValidatorsAnswer)
        end = answer.epoch_end
        if end is None or following > wanted:
            raise LyingNodeError(
                f"does not prove the validators of epoch {following}",
                what=node.url,
                next="ask another node",
            )
        keys = tuple(PublicKey(parse_hex(key, bytes_exact=32, what="key")) for key in answer.keys)
        self.chain.add_epoch(EpochEnd(end.header, end.fillers, end.certificate, keys))

    def _save(self, *, now: bool) -> None:
        head, time_ms = self.chain.head, self.settings.now_ms()
        due = now or time_ms - self._saved_ms >= self.settings.head_save_interval_ms
        if self._head_file is None or head.height == self._saved_height or not due:
            return
        self._head_file.save(self.chain)
        self._saved_height, self._saved_ms = head.height, time_ms


def _decoded_epoch(answer: CertifiedAnswer) -> int:
    return _decoded(answer.header).epoch


def _decoded(header: bytes) -> Header:
    try:
        return header_codec.decode(header)
    except MoyaiError as error:
        raise LyingNodeError(error.reason, what="header", next="ask another node") from None
