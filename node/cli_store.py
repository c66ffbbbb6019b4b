"""`moyai backup`, `restore`, `compact`, `reindex`, `snapshot`: the stores of a stopped node."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from moyai.node.cli_node import DEFAULT_CONFIG, ConfigOption
from moyai.node.cli_output import JsonOption, print_fields, print_json, print_table, progress, say
from moyai.node.config import NodeConfig, load_config
from moyai.node.founding import journal_key
from moyai.node.genesis_file import read_genesis
from moyai.node.replay import execute_again
from moyai.primitives.errors import ProofError
from moyai.primitives.genesis import genesis_digest
from moyai.storage import backup as stores
from moyai.storage.chain import ChainStore
from moyai.storage.journal import Journal
from moyai.storage.reindex import reindex as rebuild
from moyai.storage.snapshot_maker import make_snapshot, newest_attested
from moyai.storage.state_snapshots import SnapshotFolder, StoredSnapshot


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(backup)
    app.command()(restore)
    app.command()(compact)
    app.command()(reindex)
    app.command()(snapshot)


def backup(
    target: Annotated[Path, typer.Argument(help="A new folder.")],
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Copy both stores of a stopped node into a new folder, checked value by value."""
    loaded = load_config(config)
    owner = owner_of(loaded)
    with _long_work("copying and checking"), open_stores(loaded, owner) as (chain, journal):
        report = stores.backup(chain, journal, target, owner)
    _print(report, {"folder": str(target)}, as_json=json)


def restore(
    source: Annotated[Path, typer.Argument(help="The folder that `moyai backup` made.")],
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Put a backup in the place of lost stores; the node votes again once it is safe."""
    loaded = load_config(config)
    with _long_work("copying and checking"):
        report = stores.restore(source, Path(loaded.data_dir), owner_of(loaded))
    _print(report, {"folder": loaded.data_dir}, as_json=json)


def compact(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Rewrite both stores of a stopped node without the space they no longer use."""
    loaded = load_config(config)
    with _long_work("rewriting"):
        report = stores.compact(Path(loaded.data_dir), owner_of(loaded))
    saved = report.bytes_before - report.bytes_after
    _print(report, {"bytes_saved": saved}, as_json=json)


def reindex(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Rebuild the indexes of a stopped node from its blocks."""
    loaded = load_config(config)
    owner = owner_of(loaded)
    with open_stores(loaded, owner) as (chain, _), progress() as bar:
        task = bar.add_task("executing blocks again", total=chain.committed_height)
        rebuild(
            chain,
            execute_again,
            lambda done, total: bar.update(task, completed=done, total=total),
        )
        height = chain.committed_height
    fields = {"blocks": height}
    print_json(fields) if json else print_fields(fields)


def snapshot(
    config: ConfigOption = DEFAULT_CONFIG,
    make: Annotated[bool, typer.Option("--make", help="Make one first.")] = False,
    json: JsonOption = False,
) -> None:
    """List a node's state snapshots; with --make, of a stopped one, its newest state too."""
    loaded = load_config(config)
    folder = SnapshotFolder(loaded.snapshots_path)
    if make:
        with (
            open_stores(loaded, owner_of(loaded)) as (chain, _),
            _long_work("writing the state"),
        ):
            _make(chain, folder)
    kept = [_described(one) for one in folder.all()]
    if json:
        print_json({"snapshots": kept})
        return
    if kept:
        print_table(
            tuple(name.replace("_", " ") for name in kept[0]), [tuple(one.values()) for one in kept]
        )
    else:
        say(
            "No snapshot yet. `storage.snapshot_blocks` says how often a node makes one; or --make."
        )


def _make(chain: ChainStore, folder: SnapshotFolder) -> None:
    with chain.snapshot() as view:
        wanted = newest_attested(view)
    if wanted is None:
        raise ProofError(
            "no header carries a state root yet", what="chain", next="try again after a few blocks"
        )
    make_snapshot(chain, folder, wanted)


def _described(snapshot: StoredSnapshot) -> dict[str, object]:
    description = snapshot.description
    return {
        "height": description.header.height,
        "state_root": description.attesting.executed.state_root.hex(),
        "parts": 1 << description.depth,
        "bytes": snapshot.bytes_on_disk,
    }


def owner_of(config: NodeConfig) -> stores.Owner:
    """Return whose stores the configuration names. Raises what its files' readers do."""
    return stores.Owner(
        genesis=read_genesis(Path(config.genesis_file)),
        key=journal_key(config),
        journal_map_bytes=config.storage.journal_map_bytes,
        chain_map_bytes=config.storage.chain_map_bytes,
    )


@contextmanager
def open_stores(config: NodeConfig, owner: stores.Owner) -> Iterator[tuple[ChainStore, Journal]]:
    """Open both stores of a node that does not run. Raises the errors of `storage.errors`."""
    digest = genesis_digest(owner.genesis)
    path, map_bytes = config.journal_path, owner.journal_map_bytes
    with (
        closing(Journal.open(path, owner.key, digest, map_bytes=map_bytes)) as journal,
        closing(
            ChainStore.open(config.chain_path, owner.genesis, map_bytes=owner.chain_map_bytes)
        ) as chain,
    ):
        yield chain, journal


@contextmanager
def _long_work(what: str) -> Iterator[None]:
    with progress() as bar:
        bar.add_task(what, total=None)
        yield


def _print(report: msgspec.Struct, more: dict[str, object], *, as_json: bool) -> None:
    fields = {**msgspec.structs.asdict(report), **more}
    print_json(fields) if as_json else print_fields(fields)
