"""`moyai run`: opens what one node owns, in the order that keeps a second process out, and runs it.

Not here: the parts of a running node and how they are joined (`assembly`).
"""

import asyncio
import gc
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import structlog
import uvloop

from moyai.node.assembly import Node, Stores
from moyai.node.beginning import Beginning
from moyai.node.config import NodeConfig
from moyai.node.founding import genesis_root
from moyai.node.genesis_file import check_state_root, read_genesis
from moyai.node.halt import first_of
from moyai.node.horizon import BelowHorizonError
from moyai.node.identity import OwnIdentity, load_identity, named
from moyai.node.key_file import key_lock
from moyai.node.logs import configure_logs
from moyai.node.next_keys import change_keys
from moyai.primitives.genesis import Genesis, genesis_digest
from moyai.primitives.signature_edges import check_signature_library
from moyai.storage.chain import ChainStore
from moyai.storage.journal import Journal

DATA_FILE = "data.mdb"


def run(config: NodeConfig) -> None:
    """Run a node until SIGTERM or SIGINT.

    Raises what keeps it from starting, and what made it stop: `NodeHalted`, `CommitFailed`.
    """
    check_signature_library()
    genesis = read_genesis(Path(config.genesis_file))
    check_state_root(genesis, genesis_root)
    configure_logs(config.log, node=load_identity(config, genesis).name)
    key_path = config.key_file if config.mode == "validator" else config.network_key_file
    with key_lock(Path(key_path)):
        while _run_once(config, genesis):
            pass


def _run_once(config: NodeConfig, genesis: Genesis) -> bool:
    """Run with the keys that are in force; return whether others have come into force."""
    if change_keys(config, genesis):
        structlog.get_logger().warning("new_keys", next="back up the key files and the journal")
    identity = load_identity(config, genesis)
    factory = uvloop.new_event_loop if config.loop == "uvloop" else asyncio.new_event_loop
    check_journal(config, genesis, identity)
    beginning = Beginning(config, genesis, identity)

    @contextmanager
    def made() -> Iterator[Node]:
        with open_stores(config, genesis, identity) as stores:
            yield Node(config, genesis, named(identity, stores.chain), stores)

    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(live(beginning, made, _keep_out_of_collections))


async def live(
    beginning: Beginning,
    made: Callable[[], AbstractContextManager[Node]],
    complete: Callable[[], None] = lambda: None,
) -> bool:
    """Take over a state if need be, and be a node, which `made` makes over the open stores.

    Again, when the others no longer have the blocks that come next. `complete` is called when every
    part of the node is there. Returns whether other keys have come into force.
    """
    while await beginning.prepare():
        with made() as node:
            try:
                await node.serve(complete)
            except BaseExceptionGroup as group:
                error = first_of(group)
                if not isinstance(error, BelowHorizonError) or not beginning.may_take_over:
                    raise error from group
                structlog.get_logger().warning("left_behind", reason=str(error))
                beginning.left_behind()
            else:
                return node.goes_on
    return False


def check_journal(config: NodeConfig, genesis: Genesis, identity: OwnIdentity) -> None:
    """Refuse a missing journal, or that of another key, before anything is taken over."""
    open_journal(config, genesis, identity).close()


def open_journal(config: NodeConfig, genesis: Genesis, identity: OwnIdentity) -> Journal:
    """Open the journal, which is never made here."""
    network, map_bytes = genesis_digest(genesis), config.storage.journal_map_bytes
    return Journal.open(config.journal_path, identity.journal_key, network, map_bytes=map_bytes)


@contextmanager
def open_stores(config: NodeConfig, genesis: Genesis, identity: OwnIdentity) -> Iterator[Stores]:
    """Open both stores; the chain store is made at the first start, the journal never is."""
    journal = open_journal(config, genesis, identity)
    try:
        present = (config.chain_path / DATA_FILE).exists()
        make = ChainStore.open if present else ChainStore.create
        chain = make(config.chain_path, genesis, map_bytes=config.storage.chain_map_bytes)
        try:
            yield Stores(chain, journal)
        finally:
            chain.close()
    finally:
        journal.close()


def _keep_out_of_collections() -> None:
    """Spare the garbage collector what lives as long as the process."""
    gc.collect()
    gc.freeze()
