"""Founding a chain with the real tree and the real journal; and a node's own folder for one.

Not here: the files themselves (`key_file`, `genesis_file`), and a whole city at once (`testnet`).
"""

from collections.abc import Mapping
from pathlib import Path

from moyai.node.config import NodeConfig, address_parts
from moyai.node.errors import ConfigError, FolderError, GenesisFileError
from moyai.node.genesis_file import FullNodeText, MemberText, check_state_root, write_member
from moyai.node.joined import mark_joined
from moyai.node.key_file import KeyKind, read_key_file
from moyai.node.testnet import (
    CONFIG_NAME,
    GENESIS_NAME,
    make_empty_folder,
    make_keys,
    make_network_key,
    member_account,
)
from moyai.primitives.genesis import Genesis, Role, genesis_digest
from moyai.primitives.ids import Digest, PublicKey, format_account
from moyai.storage.journal import Journal
from moyai.storage.tree import StateTree

MEMBER_NAME = "member.json"
FULL_NODE_NAME = "full-node.json"
JOINING_NAME = "a member to be"
UNNAMED = "not named in the genesis"


def genesis_root(entries: Mapping[bytes, bytes]) -> Digest:
    """Return the root of the state that holds exactly `entries` at height 0."""
    tree = StateTree(roots_kept=1, height=-1, next_sequence=0)
    tree.apply(dict(entries), 0)
    return tree.root


def create_journal(path: Path, key: PublicKey, genesis: Genesis) -> None:
    """Create the unused journal of a new key, which may vote at once."""
    Journal.create(path, key, genesis_digest(genesis)).close()


def make_node_folder(folder: Path, name: str, endpoint: str, roles: tuple[str, ...]) -> MemberText:
    """Make keys, configuration and member.json of one node in a new folder; return the member.

    Raises `FolderError`, `GenesisFileError` or `ConfigError`.
    """
    port = address_parts(endpoint)[1]
    known = [role.name.lower() for role in Role]
    for role in roles:
        if role not in known:
            raise ConfigError(
                "no such role", what=f"role {role}", next=f"use one of: {', '.join(known)}"
            )
    make_empty_folder(folder)
    folder.chmod(0o700)
    keys = make_keys(folder)
    member = MemberText(
        name=name,
        validator_key=keys.validator.hex(),
        network_key=keys.network.hex(),
        endpoint=endpoint,
        account=format_account(member_account(keys.validator)),
        officer_keys=tuple(key.hex() for key in keys.officers),
        roles=roles,
    )
    _write_config(folder, name, port, "validator")
    write_member(folder / MEMBER_NAME, member)
    return member


def make_full_node_folder(folder: Path, name: str, endpoint: str) -> FullNodeText:
    """Make key, configuration and full-node.json of a node that follows; return its entry.

    Raises `FolderError` or `ConfigError`.
    """
    port = address_parts(endpoint)[1]
    make_empty_folder(folder)
    folder.chmod(0o700)
    node = FullNodeText(name, make_network_key(folder).hex(), endpoint)
    _write_config(folder, name, port, "full")
    write_member(folder / FULL_NODE_NAME, node)
    return node


def join(
    config: NodeConfig, genesis: Genesis, *, lost_journal: bool = False, joining: bool = False
) -> str:
    """Create the journal of the configured key and return the node's name in `genesis`.

    Once in the life of a key: with a second unused journal it could vote against itself. For a key
    that has lost its journal, `lost_journal` makes one that follows until it is safe to vote.
    `joining` is for keys that the document does not name, since members add or rotate them later;
    with `lost_journal` the key may be one of those as well.
    Raises `GenesisFileError` when the key is not in the document, `FolderError` the second time.
    """
    check_state_root(genesis, genesis_root)
    name, key, key_path = _find(config, genesis, lost_journal=lost_journal, joining=joining)
    first = mark_joined(key_path, genesis)
    if not first and not lost_journal and config.mode == "validator":
        raise FolderError(
            "its journal was made before, and a second one could vote against the first",
            what=f"key file {key_path}",
            next="start with the data folder it has, restore a backup, or give --lost-journal",
        )
    config.journal_path.mkdir(parents=True, exist_ok=True)
    votes_at_once = first and not lost_journal
    create = Journal.create if votes_at_once else Journal.create_abstaining
    create(config.journal_path, key, genesis_digest(genesis)).close()
    return name


def journal_key(config: NodeConfig) -> PublicKey:
    """Return the key that the configured node's journal belongs to. Raises `KeyFileError`."""
    kind, path = KeyKind.VALIDATOR, config.key_file
    if config.mode == "full":
        kind, path = KeyKind.NETWORK, config.network_key_file
    return PublicKey(bytes.fromhex(read_key_file(Path(path), kind).public_key))


def _write_config(folder: Path, name: str, port: int, mode: str) -> None:
    text = NODE_CONFIG_TEMPLATE.format(name=name, port=port, genesis=GENESIS_NAME, mode=mode)
    (folder / CONFIG_NAME).write_text(text, encoding="utf-8")


def _find(
    config: NodeConfig, genesis: Genesis, *, lost_journal: bool, joining: bool
) -> tuple[str, PublicKey, Path]:
    """Return name, journal key and key file of the configured node."""
    if joining:
        return _find_joining(config)
    try:
        return _find_self(config, genesis)
    except GenesisFileError:
        if not lost_journal:
            raise
        return UNNAMED, *_find_joining(config)[1:]


def _find_self(config: NodeConfig, genesis: Genesis) -> tuple[str, PublicKey, Path]:
    """Return name, journal key and key file of the configured node; full nodes have no vote."""
    network_path = Path(config.network_key_file)
    network = read_key_file(network_path, KeyKind.NETWORK).public_key
    if config.mode == "full":
        for node in genesis.full_nodes:
            if node.network_key.hex() == network:
                return node.name, PublicKey(node.network_key), network_path
        raise _stranger(genesis, f"full node with network key {network[:16]}…")
    key_path = Path(config.key_file)
    public = read_key_file(key_path, KeyKind.VALIDATOR).public_key
    for member in genesis.members:
        if member.validator_key.hex() == public:
            if member.network_key.hex() != network:
                raise GenesisFileError(
                    f"has another network key for {member.name}",
                    what=f"genesis of {genesis.chain_id}",
                    next="use the network key that was handed in with the validator key",
                )
            return member.name, member.validator_key, key_path
    raise _stranger(genesis, f"member with validator key {public[:16]}…")


def _find_joining(config: NodeConfig) -> tuple[str, PublicKey, Path]:
    if config.mode == "full":
        network_path = Path(config.network_key_file)
        return "a node to be", journal_key(config), network_path
    key_path = Path(config.key_file)
    public = read_key_file(key_path, KeyKind.VALIDATOR).public_key
    return JOINING_NAME, PublicKey(bytes.fromhex(public)), key_path


def _stranger(genesis: Genesis, who: str) -> GenesisFileError:
    return GenesisFileError(
        f"has no {who}",
        what=f"genesis of {genesis.chain_id}",
        next="hand in member.json before the genesis file is made, use the right key, or give "
        "--joining when the members are to add this one and it never ran, else --lost-journal",
    )


NODE_CONFIG_TEMPLATE = """\
# The node of {name}. Every key and its default: docs/operations.md
data_dir = "data"
key_file = "validator.key"
network_key_file = "network.key"
genesis_file = "{genesis}"
mode = "{mode}"

[p2p]
listen = "0.0.0.0:{port}"

[rpc]
listen = "127.0.0.1:8545"

[metrics]
listen = "127.0.0.1:9464"

[log]
format = "json"
"""
