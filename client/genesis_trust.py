"""From what a caller trusts to the genesis document: the document, its digest, or its file.

A digest is enough: the document is fetched from a node and must have it.
"""

from pathlib import Path

import msgspec

from moyai.client.answers import GenesisAnswer
from moyai.client.errors import LyingNodeError, SettingsError
from moyai.client.nodes import Nodes
from moyai.client.transport import Node
from moyai.primitives.codec import UNDECODABLE, Codec
from moyai.primitives.errors import IdentifierError, MoyaiError
from moyai.primitives.genesis import Genesis, check_genesis, genesis_digest
from moyai.primitives.ids import DIGEST_BYTES, Digest, parse_hex

Trust = Genesis | bytes | str | Path
"""The genesis document, its digest (32 bytes or hexadecimal), or the path of a genesis file."""

GENESIS_FILE_BYTES_MAX = 1024 * 1024

genesis_codec = Codec(Genesis, name="genesis")


class _GenesisFile(msgspec.Struct, frozen=True):
    digest: str


async def trusted_genesis(trust: Trust, nodes: Nodes) -> Genesis:
    """Return the document that `trust` stands for.

    Raises `SettingsError`, or `NoNodeAnsweredError` when no node serves this network.
    """
    if isinstance(trust, Genesis):
        return trust
    digest = trusted_digest(trust)

    async def question(node: Node) -> Genesis:
        answer = await node.call("chain_genesis", {}, GenesisAnswer)
        try:
            genesis = genesis_codec.decode(answer.document)
            check_genesis(genesis)
        except MoyaiError as error:
            raise _other_network(node, error.reason) from None
        if genesis_digest(genesis) != digest:
            raise _other_network(node, f"its genesis digest is {genesis_digest(genesis).hex()}")
        return genesis

    return await nodes.ask(question)


def trusted_digest(trust: bytes | str | Path) -> Digest:
    """Return the digest of the network. Raises `SettingsError` or `IdentifierError`."""
    if isinstance(trust, bytes):
        if len(trust) != DIGEST_BYTES:
            raise SettingsError("a genesis digest has 32 bytes", what="trust", next=_ADVICE)
        return Digest(trust)
    text = str(trust)
    if isinstance(trust, str) and len(text) == 2 * DIGEST_BYTES and "/" not in text:
        return Digest(parse_hex(text, bytes_exact=DIGEST_BYTES, what="genesis digest"))
    return _digest_in_file(Path(trust))


def _digest_in_file(path: Path) -> Digest:
    try:
        with path.open("rb") as source:
            data = source.read(GENESIS_FILE_BYTES_MAX)
        digest = msgspec.json.decode(data, type=_GenesisFile).digest
        return Digest(parse_hex(digest, bytes_exact=DIGEST_BYTES, what="genesis digest"))
    except (OSError, IdentifierError, *UNDECODABLE) as error:
        raise SettingsError(
            f"names no genesis digest ({type(error).__name__})", what=path.name, next=_ADVICE
        ) from None


_ADVICE = "give the genesis file of the city, or the digest it ends with"


def _other_network(node: Node, reason: str) -> LyingNodeError:
    return LyingNodeError(
        f"is of another network: {reason}", what=node.url, next="check address and genesis"
    )
