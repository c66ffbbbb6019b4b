"""The configuration of one node: a TOML file, overridden by `MOYAI_*` environment variables.

Every default lives here or in `rpc.settings`. A relative path is relative to the folder of the
file. Not here: what all nodes of a chain share (`primitives.parameters`).
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from moyai.node.config_domain import (
    check_keys,
    describe,
    failure,
    is_section,
    is_text,
    nearest,
)
from moyai.node.errors import ConfigError
from moyai.rpc.settings import ListenAddress, RpcConfig

ENVIRONMENT_PREFIX = "MOYAI_"
FOREIGN_VARIABLES = frozenset(
    {
        "MOYAI_CITY",
        "MOYAI_CONFIG",
        "MOYAI_GENESIS",
        "MOYAI_HYPOTHESIS_PROFILE",
        "MOYAI_KEY",
        "MOYAI_NODE",
        "MOYAI_PASSPHRASE",
        "MOYAI_PYTHON",
    }
)
"""Variables with the prefix that the command line, the scripts and the tests read."""

GIBIBYTE = 1024**3
CONFIG_FILE_BYTES_MAX = 256 * 1024

MetricsAddress = Annotated[
    str,
    Meta(pattern=r"^(\S+:[0-9]{1,5})?$", description='an address, host:port, or "" to turn it off'),
]
HexKey = Annotated[
    str, Meta(pattern=r"^[0-9a-f]{64}$", description="64 lower-case hexadecimal digits")
]
MapBytes = Annotated[int, Meta(ge=16 * 1024**2, le=16 * 1024**4)]
SnapshotBlocks = Annotated[int, Meta(ge=0, le=1_000_000_000)]
Retention = Annotated[
    str,
    Meta(
        pattern=r"^(archive|([6-9]|[1-9][0-9]{1,4})h|[1-9][0-9]{0,3}d)$",
        description='"archive", or how long blocks stay, as "90d" or "36h", of at least 6 hours',
    ),
]
HOUR_MS = 60 * 60 * 1_000
_UNITS_MS = {"h": HOUR_MS, "d": 24 * HOUR_MS}


class P2pConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where this node listens; `peers` overrides addresses of the registry by member name.

    `peer_keys` names network keys, by member name, that came into force while this node was away.
    """

    listen: ListenAddress = "0.0.0.0:7001"
    peers: dict[str, ListenAddress] = {}
    peer_keys: dict[str, HexKey] = {}


class MetricsConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where `/metrics` is served; an empty text turns it off."""

    listen: MetricsAddress = "127.0.0.1:9464"


class StorageConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The most the two stores may grow to; the files are sparse, so unused space costs nothing.

    After each `snapshot_blocks` a state snapshot is made, 0: never. What is older than `retention`
    goes once a snapshot stands above it.
    """

    journal_map_bytes: MapBytes = 4 * GIBIBYTE
    chain_map_bytes: MapBytes = 256 * GIBIBYTE
    snapshot_blocks: SnapshotBlocks = 10_000
    retention: Retention = "archive"

    @property
    def retention_ms(self) -> int | None:
        """Return how long blocks stay; none for ever."""
        if self.retention == "archive":
            return None
        return int(self.retention[:-1]) * _UNITS_MS[self.retention[-1]]


class LogConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the node tells what it does, on standard error."""

    format: Literal["console", "json"] = "console"
    level: Literal["debug", "info", "warning", "error"] = "info"


class NodeConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything one node is told by its operator; all paths are absolute once it is loaded."""

    data_dir: str = "data"
    key_file: str = "validator.key"
    network_key_file: str = "network.key"
    genesis_file: str = "genesis.json"
    mode: Literal["validator", "full"] = "validator"
    sync_from: Literal["genesis", "snapshot"] = "genesis"
    loop: Literal["uvloop", "asyncio"] = "uvloop"
    p2p: P2pConfig = P2pConfig()
    rpc: RpcConfig = RpcConfig()
    metrics: MetricsConfig = MetricsConfig()
    storage: StorageConfig = StorageConfig()
    log: LogConfig = LogConfig()

    @property
    def journal_path(self) -> Path:
        """The folder of what consensus must not forget."""
        return Path(self.data_dir) / "journal"

    @property
    def chain_path(self) -> Path:
        """The folder of blocks, state and history."""
        return Path(self.data_dir) / "chain"

    @property
    def snapshots_path(self) -> Path:
        """The folder of state snapshots."""
        return Path(self.data_dir) / "snapshots"


PATH_KEYS = ("data_dir", "key_file", "network_key_file", "genesis_file")
RPC_PATH_KEYS = ("admin_socket", "tls_certificate", "tls_key")


def load_config(path: Path, environment: Mapping[str, str] = os.environ) -> NodeConfig:
    """Return the configuration in `path` with what `environment` overrides.

    Raises `ConfigError`, naming the file or variable, the key, and what is allowed there.
    """
    values = _read(path)
    check_keys(values, NodeConfig, what=str(path))
    overridden = _override(values, environment)
    config = convert(values, what=str(path), overridden=overridden)
    _check_addresses(config)
    _check_retention(config.storage)
    folder = path.resolve().parent
    rpc = {key: _absolute(folder, getattr(config.rpc, key)) for key in RPC_PATH_KEYS}
    own = {key: str(folder / getattr(config, key)) for key in PATH_KEYS}
    return msgspec.structs.replace(config, rpc=msgspec.structs.replace(config.rpc, **rpc), **own)


def convert(
    values: dict[str, Any], *, what: str, overridden: Mapping[str, str] | None = None
) -> NodeConfig:
    """Return the configuration that plain `values` describe. Raises `ConfigError`."""
    try:
        return msgspec.convert(values, NodeConfig)
    except msgspec.ValidationError as error:
        key, reason = failure(str(error))
        source = (overridden or {}).get(key, what)
        advice = f"set it to {describe(key, NodeConfig)}"
        raise ConfigError(f"{key} {reason}", what=source, next=advice) from None


def address_parts(address: str) -> tuple[str, int]:
    """Return host and port of `host:port` or `[IPv6]:port`. Raises `ConfigError`."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise ConfigError(
            "not an address", what=address[:80], next="write host:port with a port up to 65535"
        )
    return host.strip("[]"), int(port)


def _check_addresses(config: NodeConfig) -> None:
    for address in (config.p2p.listen, config.rpc.listen, *config.p2p.peers.values()):
        address_parts(address)
    if config.metrics.listen:
        address_parts(config.metrics.listen)


def _check_retention(storage: StorageConfig) -> None:
    if storage.retention_ms is not None and storage.snapshot_blocks == 0:
        raise ConfigError(
            "forgets blocks while no snapshots are made, so that nobody could join",
            what="storage.retention",
            next="set storage.snapshot_blocks above 0, or storage.retention to archive",
        )


def _absolute(folder: Path, path: str) -> str:
    return str(folder / path) if path else ""


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as source:
            data = source.read(CONFIG_FILE_BYTES_MAX + 1)
    except OSError as error:
        raise ConfigError(
            f"cannot be read: {error.strerror}",
            what=str(path),
            next="name the file with --config, or make one with `moyai init` or `moyai testnet`",
        ) from None
    if len(data) > CONFIG_FILE_BYTES_MAX:
        raise ConfigError(
            f"is larger than {CONFIG_FILE_BYTES_MAX} bytes", what=str(path), next="shorten it"
        )
    try:
        return tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(
            f"is not TOML: {error}", what=str(path), next="correct the line it names"
        ) from None


def _override(values: dict[str, Any], environment: Mapping[str, str]) -> dict[str, str]:
    """Put the environment's values in their places; return key -> variable of what was put."""
    places = {variable_of(key): key for key in keys_of(NodeConfig)}
    overridden = {}
    for variable in sorted(environment):
        if not variable.startswith(ENVIRONMENT_PREFIX) or variable in FOREIGN_VARIABLES:
            continue
        if variable not in places:
            raise ConfigError(
                "no such setting",
                what=f"environment variable {variable}",
                next=nearest(variable, sorted(places)),
            )
        key = places[variable]
        *sections, name = key.split(".")
        section = values
        for part in sections:
            section = section.setdefault(part, {})
        section[name] = _plain(environment[variable], key)
        overridden[key] = f"environment variable {variable}"
    return overridden


def variable_of(key: str) -> str:
    """Return the environment variable that overrides `key`: p2p.listen is MOYAI_P2P_LISTEN."""
    return ENVIRONMENT_PREFIX + key.replace(".", "_").upper()


def keys_of(kind: type[msgspec.Struct], prefix: str = "") -> list[str]:
    """Return every key of a section and of the sections in it, as `section.key`."""
    keys = []
    for field in msgspec.structs.fields(kind):
        if is_section(field.type):
            keys += keys_of(field.type, f"{prefix}{field.encode_name}.")
        else:
            keys.append(prefix + field.encode_name)
    return keys


def _plain(text: str, key: str) -> Any:
    """Return a variable's value: a text as it stands where a text belongs, else as TOML has it."""
    if is_text(key, NodeConfig):
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
