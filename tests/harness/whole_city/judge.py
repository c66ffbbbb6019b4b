"""The judgement of a history: what every node has on its disk, against what customers were told."""

from collections.abc import Sequence
from itertools import zip_longest

from harness.simulator.level import Violation
from harness.whole_city.customers import Told
from harness.whole_city.hosted_node import HostedNode
from moyai.primitives.block import header_digest
from moyai.primitives.ids import Height
from moyai.storage.blocks import TransactionPlace
from moyai.storage.snapshot import ChainSnapshot

EVENTS_PER_PAGE = 1_000


def judge(nodes: Sequence[HostedNode], told: Told) -> None:
    """Compare the stores of running nodes, and hold them to every promise. Raises `Violation`."""
    chains = [node.stores.chain for node in nodes if node.stores is not None]
    chains.sort(key=lambda chain: (chain.base, -chain.committed_height))
    with chains[0].snapshot() as first:
        _promises_are_kept(first, told)
        _subscriptions_are_whole(first, told)
        for chain in chains[1:]:
            with chain.snapshot() as other:
                _are_equal(first, other)


def _are_equal(first: ChainSnapshot, other: ChainSnapshot) -> None:
    for height in range(other.base, other.height + 1):
        if first.header(height) != other.header(height):
            raise Violation(f"two nodes have different blocks: height {height}")
        if first.executed(height) != other.executed(height):
            raise Violation(f"two nodes have different roots: height {height}")


def _promises_are_kept(chain: ChainSnapshot, told: Told) -> None:
    for height, digest in told.blocks.items():
        if height <= chain.height and header_digest(chain.require_header(height)).hex() != digest:
            raise Violation(f"a block that was read is not in the chain: height {height}")
    where: dict[str, tuple[int, int]] = {}
    for height in range(1, chain.height + 1):
        for index, identity in enumerate(chain.transaction_ids(height)):
            if identity.hex() in where:
                raise Violation(f"a transaction was applied twice: {identity.hex()}")
            where[identity.hex()] = (height, index)
    for name, promise in told.promises.items():
        place = where.get(name)
        if promise.ended == "expired" and place is not None:
            raise Violation(f"a transaction that was called expired is final: {name}")
        if promise.place is not None and promise.place != place:
            raise Violation(f"a transaction is not where it was final: {name}, {place}")


def _subscriptions_are_whole(chain: ChainSnapshot, told: Told) -> None:
    everything: list[str] = []
    start = TransactionPlace(Height(0), 0)
    while start.height <= chain.height:
        page = chain.events(start, limit=EVENTS_PER_PAGE)
        everything += [
            f"{row.place.height} {row.transaction.hex()} {row.event.kind}" for row in page.rows
        ]
        start = page.next
    for seen in told.events:
        if not seen:
            continue
        first = everything.index(seen[0]) if seen[0] in everything else len(everything)
        so = everything[first : first + len(seen)]
        if so != seen:
            pairs = zip_longest(seen, so)
            told, is_so = next((heard, there) for heard, there in pairs if heard != there)
            raise Violation(f"a subscription lost or repeated an event: told {told}, not {is_so}")
