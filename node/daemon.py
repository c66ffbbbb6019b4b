"""`moyai run`: opens what one node owns, in the order that keeps a second process out, and runs it.

Not here: the parts of a running node and how they are joined (`assembly`).
"""

import asyncio
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog
import uvloop

from moyai.node.assembly import Node, Stores
from moyai.node.config import NodeConfig
from moyai.node.founding import genesis_root
from moyai.node.genesis_file import check_state_root, read_genesis
from moyai.node.identity import OwnIdentity, load_identity, named
from moyai.node.key_file import key_lock
from moyai.node.logs import configure_logs
from moyai.node.next_keys import change_keys
from moyai.primitives.genesis import Genesis, genesis_digest
from moyai.storage.chain import ChainStore
from moyai.storage.journal import Journal

DATA_FILE = "data.mdb"


def run(config: NodeConfig) -> None:
    """Run a node until SIGTERM or SIGINT.

    Raises what keeps it from starting, and what made it stop: `NodeHalted`, `CommitFailed`.
    """
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
    with (
        open_stores(config, genesis, identity) as stores,
        asyncio.Runner(loop_factory=factory) as runner,
    ):
        node = Node(config, genesis, named(identity, stores.chain), stores)
        try:
            runner.run(node.serve(_keep_out_of_collections))
        except BaseExceptionGroup as group:
            raise _first(group) from group
        return node.goes_on


@contextmanager
def open_stores(config: NodeConfig, genesis: Genesis, identity: OwnIdentity) -> Iterator[Stores]:
    """Open both stores; the chain store is made at the first start, the journal never is."""
    network = genesis_digest(genesis)
    limits = config.storage
    journal = Journal.open(
        config.journal_path, identity.journal_key, network, map_bytes=limits.journal_map_bytes
    )
    try:
        present = (config.chain_path / DATA_FILE).exists()
        make = ChainStore.open if present else ChainStore.create
        chain = make(config.chain_path, genesis, map_bytes=limits.chain_map_bytes)
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


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the error that ended the node; the others only followed from it."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
