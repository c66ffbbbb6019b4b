"""Measures the state trie and the chain store alone and prints one line of JSON.

A store is filled with keys, opened again as after a restart, and loaded with blocks that change
keys at random. Times are of the processor. Bytes written are all that went to the kernel, page
copies of LMDB included.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from moyai.ledger.apply import BlockOutcome
from moyai.ledger.genesis import genesis_state
from moyai.primitives.block import Executed, Header, header_digest
from moyai.primitives.codec import encode
from moyai.primitives.genesis import Genesis, Member, Role, genesis_header
from moyai.primitives.ids import ZERO_DIGEST, AccountId, NetworkKey, TimeMs
from moyai.primitives.keys import SigningKey
from moyai.primitives.parameters import Parameters
from moyai.primitives.state_snapshot import check_part
from moyai.storage.blocks import FinalBlock
from moyai.storage.chain import ChainStore
from moyai.storage.snapshot_import import SnapshotImport
from moyai.storage.snapshot_maker import SnapshotMaker, newest_attested
from moyai.storage.state_snapshots import SnapshotFolder
from moyai.storage.tree import state_root

FILL_BLOCK_KEYS = 20_000
BATCH_BLOCKS = 64
VALUE_BYTES = 48


def main() -> int:
    """Run the measurement that the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--changes", type=int, default=1_000, help="changed keys a block")
    parser.add_argument("--blocks", type=int, default=128)
    parser.add_argument("--directory", type=Path, help="a filled store from before, or a new one")
    parser.add_argument("--snapshot", action="store_true", help="make a snapshot and import it")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        directory = arguments.directory or Path(scratch) / "chain"
        genesis = small_genesis()
        if not directory.exists():
            fill(directory, genesis, arguments.keys)
        if arguments.snapshot:
            print(json.dumps(measure_snapshot(directory, genesis, Path(scratch))))
        else:
            print(json.dumps(measure(directory, genesis, arguments)))
    return 0


def small_genesis() -> Genesis:
    """Return a genesis of one member."""
    member = Member(
        name="bench",
        validator_key=SigningKey(bytes(31) + b"\x01").public,
        network_key=NetworkKey(b"\x05" * 32),
        endpoint="127.0.0.1:7000",
        account=AccountId(bytes(20)),
        officer_keys=(SigningKey(bytes(31) + b"\x02").public,),
        roles=(Role.SPONSOR, Role.REGISTRAR),
    )
    draft = Genesis("bench", TimeMs(1), Parameters(), (member,), (), ZERO_DIGEST)
    return msgspec.structs.replace(draft, state_root=state_root(genesis_state(draft)))


def fill(directory: Path, genesis: Genesis, keys: int) -> None:
    """Write a store with this many keys."""
    store = ChainStore.create(directory, genesis)
    header = genesis_header(genesis)
    for start in range(0, keys, FILL_BLOCK_KEYS):
        numbers = range(start, min(keys, start + FILL_BLOCK_KEYS))
        header = append(store, header, {key(number): value(number) for number in numbers})
        write(store)
        print(f"filled {numbers.stop} of {keys}", file=sys.stderr)
    store.close()


def measure(directory: Path, genesis: Genesis, arguments: argparse.Namespace) -> dict[str, object]:
    """Open the filled store and load it."""
    chance = random.Random(1)
    memory_before = resident_bytes()
    start = time.process_time()
    store = ChainStore.open(directory, genesis)
    opened = time.process_time() - start
    memory_open = resident_bytes() - memory_before
    header = store.tip_header
    height = store.height
    executing = writing = 0.0
    written_before = written_bytes()
    for number in range(1, arguments.blocks + 1):
        picked = [chance.randrange(arguments.keys) for _ in range(arguments.changes)]
        changes: dict[bytes, bytes | None] = {key(one): value(number) for one in picked}
        start = time.process_time()
        header = append(store, header, changes)
        executing += time.process_time() - start
        if number % BATCH_BLOCKS == 0:
            start = time.process_time()
            write(store)
            writing += time.process_time() - start
    changed = arguments.blocks * arguments.changes
    written = written_bytes() - written_before
    newest, proof_bytes = prove(store, range(200), store.height - 1)
    oldest, _ = prove(store, range(20), height + 2)
    result: dict[str, object] = {
        "keys": store.states.tree.leaf_count,
        "changes_a_block": arguments.changes,
        "apply_us_a_change": round(executing / changed * 1e6, 1),
        "write_us_a_change": round(writing / changed * 1e6, 1),
        "written_bytes_a_change": written // changed,
        "memory_mb_after_open": round(memory_open / 1e6, 1),
        "memory_mb_under_load": round((resident_bytes() - memory_before) / 1e6, 1),
        "open_s": round(opened, 2),
        "proof_bytes_max": proof_bytes,
        "proof_us": newest,
        "oldest_proof_us": oldest,
        "file_mb": round(store.environment.used_bytes / 1e6, 1),
    }
    store.close()
    return result


def measure_snapshot(directory: Path, genesis: Genesis, scratch: Path) -> dict[str, object]:
    """Make a state snapshot of the filled store, and import it into another."""
    store = ChainStore.open(directory, genesis)
    for _ in range(2):
        append_linked(store)
    with store.snapshot() as view:
        wanted = newest_attested(view)
    assert wanted is not None
    start = time.process_time()
    maker = SnapshotMaker(store, SnapshotFolder(scratch / "snapshots"), wanted)
    steps = [timed(maker.collect), timed(maker.write)]
    kept = maker.finish()
    made = time.process_time() - start
    keys = store.states.tree.leaf_count
    store.close()
    start = time.process_time()
    target = scratch / "imported"
    state = SnapshotImport.open(target, genesis, kept.description)
    for index in state.missing():
        leaves = kept.part(index)
        check_part(kept.description, index, leaves)
        state.add_part(index, leaves)
    state.finish((), ())
    imported = time.process_time() - start
    ChainStore.open(target, genesis).close()
    return {
        "keys": keys,
        "parts": 1 << kept.description.depth,
        "snapshot_mb": round(kept.bytes_on_disk / 1e6, 1),
        "make_s": round(made, 1),
        "longest_step_owner_ms": steps[0],
        "longest_step_writer_ms": steps[1],
        "import_s": round(imported, 1),
        "imported_mb": round((target / "data.mdb").stat().st_blocks * 512 / 1e6, 1),
    }


def timed(step: Callable[[], bool]) -> float:
    """Take steps until no more follow; return the milliseconds of the longest."""
    longest = 0.0
    more = True
    while more:
        start = time.process_time()
        more = step()
        longest = max(longest, time.process_time() - start)
    return round(longest * 1e3, 1)


def append_linked(store: ChainStore) -> None:
    """Write a block whose log is the true one, as a snapshot shows it."""
    parent = store.tip_header
    log = store.frontier(parent.height).append(header_digest(parent))
    append(store, msgspec.structs.replace(parent, log_root=log.root), {})
    write(store)


def prove(store: ChainStore, numbers: range, height: int) -> tuple[int, int]:
    """Return (microseconds a proof, bytes of the largest) of proofs under the root of a height."""
    start = time.process_time()
    with store.snapshot() as snapshot:
        proofs = [snapshot.prove_state(key(number), height)[0] for number in numbers]
    spent = time.process_time() - start
    return round(spent / len(proofs) * 1e6), max(len(encode(proof)) for proof in proofs)


def append(store: ChainStore, parent: Header, changes: dict[bytes, bytes | None]) -> Header:
    """Append an empty block that changes the state; return its header."""
    height = parent.height + 1
    roots = (store.states.height, store.states.root, store.receipts_frontier.root)
    header = msgspec.structs.replace(parent, height=height, executed=Executed(*roots))
    store.append(
        FinalBlock(
            header=header,
            digest=header_digest(header),
            certificate=None,
            transactions=(),
            outcome=BlockOutcome((), changes, (), ()),
        )
    )
    return header


def write(store: ChainStore) -> None:
    """Write what is pending."""
    batch = store.take_pending()
    if batch is not None:
        store.write(batch)


def key(number: int) -> bytes:
    """Return a key as long as an account's."""
    return b"account/" + number.to_bytes(20, "big")


def value(number: int) -> bytes:
    """Return a value as long as a balance's."""
    return number.to_bytes(VALUE_BYTES, "big")


def resident_bytes() -> int:
    """Return the memory of this process, without the pages of mapped files."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("RssAnon"))
    return int(line.split()[1]) * 1024


def written_bytes() -> int:
    """Return the bytes that this process has passed to the kernel for writing."""
    counters = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    return int(next(line for line in counters if line.startswith("wchar")).split()[1])


if __name__ == "__main__":
    sys.exit(main())
