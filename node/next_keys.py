"""Keys that a node changes to by itself when the epoch begins that brings them into force.

A new key lies beside the old one: `validator.key.next` with its own unused journal `journal.next`,
`network.key.next`. The old key and its journal are kept under `.retired-` and the old key's first
digits; nothing is ever signed with them again. Not here: the decision of the members (ledger), and
when a running node looks (`assembly`).
"""

import os
from collections.abc import Collection
from pathlib import Path

import msgspec

from moyai.ledger.membership import read_consortium, read_validators
from moyai.ledger.state import Values
from moyai.node.config import NodeConfig
from moyai.node.errors import ConfigError, KeyFileError
from moyai.node.key_file import (
    KeyFile,
    KeyKind,
    make_key_file,
    new_secret,
    read_key_file,
    write_key_file,
)
from moyai.node.tip import epoch_after
from moyai.primitives.genesis import Genesis, genesis_digest
from moyai.primitives.ids import NetworkKey, PublicKey
from moyai.storage.chain import ChainStore
from moyai.storage.environment import DATA_FILE
from moyai.storage.journal import Journal

NEXT_SUFFIX = ".next"
RETIRED_SUFFIX = ".retired-"
RETIRED_DIGITS = 8


class NextKeys(msgspec.Struct, frozen=True):
    """The public halves of the keys that lie ready; none where there is none."""

    validator: PublicKey | None
    network: NetworkKey | None

    def is_in_force(
        self, validators: Collection[PublicKey], network_keys: Collection[NetworkKey]
    ) -> bool:
        """Return whether the validators or the registry of an epoch name one of them."""
        return self.validator in validators or self.network in network_keys


def next_path(path: str) -> Path:
    """Return where the successor of a key file, or of a journal, lies."""
    return Path(path + NEXT_SUFFIX)


def prepare_next(
    config: NodeConfig, genesis: Genesis, kind: KeyKind, passphrase: str | None
) -> KeyFile:
    """Make the next key of the node, with its journal, and return its content.

    Raises `KeyFileError` when there is one already, `ConfigError` for a node without a vote.
    """
    if config.mode == "full":
        raise ConfigError(
            "changes its key by leaving and joining anew",
            what="a node without a vote",
            next="propose add_full_node under another name, then remove_full_node",
        )
    if kind is KeyKind.NETWORK:
        path = next_path(config.network_key_file)
    else:
        assert kind is KeyKind.VALIDATOR, "officers' keys are their account's"
        path = next_path(config.key_file)
    content = make_key_file(kind, new_secret(), passphrase)
    if path.exists():
        raise KeyFileError(
            "lies ready already",
            what=f"key file {path}",
            next="propose that key (`moyai keys show` tells it); "
            "or remove it, and its journal, if the members never will",
        )
    if kind is KeyKind.VALIDATOR:
        # First the journal: a journal without its key is no danger, and can be removed.
        journal = next_path(str(config.journal_path))
        if (journal / DATA_FILE).exists():
            raise KeyFileError(
                "is that of another key", what=f"journal {journal}", next="remove it first"
            )
        journal.mkdir(parents=True, exist_ok=True)
        key = PublicKey(bytes.fromhex(content.public_key))
        Journal.create(journal, key, genesis_digest(genesis)).close()
    write_key_file(path, content)
    return content


def read_next(config: NodeConfig) -> NextKeys:
    """Return the keys that lie ready. Raises `KeyFileError` for a damaged file."""
    validator, network = next_path(config.key_file), next_path(config.network_key_file)
    return NextKeys(
        PublicKey(_public(validator, KeyKind.VALIDATOR)) if validator.exists() else None,
        NetworkKey(_public(network, KeyKind.NETWORK)) if network.exists() else None,
    )


def change_keys(config: NodeConfig, genesis: Genesis) -> bool:
    """Change to the keys that are in force as the stopped node's store has it; return whether.

    Every step may be the last one before a crash: the next start goes on.
    """
    ready = read_next(config)
    if ready == NextKeys(None, None) or config.mode == "full":
        return False
    if not (config.chain_path / DATA_FILE).exists():
        return False
    chain = ChainStore.open(config.chain_path, genesis, map_bytes=config.storage.chain_map_bytes)
    try:
        state = Values(chain.states)
        validators = read_validators(state, epoch_after(chain.tip_header)).keys
        network_keys = dict(read_consortium(state).network_keys())
    finally:
        chain.close()
    changed = False
    if ready.validator in validators:
        _change_journal(config)
        _change_file(Path(config.key_file), KeyKind.VALIDATOR)
        changed = True
    if ready.network in network_keys:
        _change_file(Path(config.network_key_file), KeyKind.NETWORK)
        changed = True
    return changed


def _change_journal(config: NodeConfig) -> None:
    journal, following = config.journal_path, next_path(str(config.journal_path))
    old = _public(Path(config.key_file), KeyKind.VALIDATOR)
    retired = _retired(journal, old)
    if following.exists():
        if journal.exists():
            journal.rename(retired)
        following.rename(journal)
        _sync(journal.parent)
    elif not retired.exists():
        raise KeyFileError(
            f"is in force and has lost its journal {following}",
            what=f"key file {next_path(config.key_file)}",
            next="restore that folder; or put the key in the place of the old one by hand, and "
            "run `moyai init node --genesis genesis.json --lost-journal`",
        )


def _change_file(path: Path, kind: KeyKind) -> None:
    retired = _retired(path, _public(path, kind))
    if not retired.exists():
        os.link(path, retired)
    next_path(str(path)).replace(path)
    _sync(path.parent)


def _retired(path: Path, old: bytes) -> Path:
    return path.with_name(f"{path.name}{RETIRED_SUFFIX}{old.hex()[:RETIRED_DIGITS]}")


def _public(path: Path, kind: KeyKind) -> bytes:
    return bytes.fromhex(read_key_file(path, kind).public_key)


def _sync(folder: Path) -> None:
    directory = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
