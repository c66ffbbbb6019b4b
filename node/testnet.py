"""Makes a whole city on one machine: genesis, and a folder with keys and configuration a member.

Every key is real and new. What `moyai init` does for one node of a city that exists already is here
as well. Not here: starting the nodes (`daemon`).
"""

from collections.abc import Callable
from pathlib import Path

import msgspec

from moyai.node.config import NodeConfig, address_parts, load_config
from moyai.node.errors import FolderError
from moyai.node.genesis_file import StateRoot, read_genesis, with_state_root, write_genesis
from moyai.node.joined import mark_joined
from moyai.node.key_file import (
    KeyKind,
    make_key_file,
    new_secret,
    write_key_file,
)
from moyai.primitives.genesis import FullNode, Genesis, Member, Role, check_genesis
from moyai.primitives.hashing import Tag, tagged
from moyai.primitives.ids import (
    ACCOUNT_BYTES,
    ZERO_DIGEST,
    AccountId,
    NetworkKey,
    PublicKey,
    TimeMs,
)
from moyai.primitives.limits import VALIDATORS_MAX
from moyai.primitives.parameters import Parameters

ORGANISATIONS = (
    ("city hall", "city-hall", (Role.SPONSOR, Role.REGISTRAR, Role.ISSUER, Role.RECORDS)),
    ("utility", "utility", (Role.SPONSOR, Role.RECORDS)),
    ("hospital", "hospital", (Role.SPONSOR, Role.REGISTRAR, Role.RECORDS)),
    ("chamber of commerce", "chamber", (Role.SPONSOR, Role.ISSUER)),
    ("bank", "bank", (Role.SPONSOR,)),
    ("university", "university", (Role.SPONSOR, Role.RECORDS)),
    ("fire brigade", "fire-brigade", (Role.RECORDS,)),
)
OFFICERS = 2
"""Officers of each member: two of a registrar must sign for the levels 3 and 4."""

KEY_NAME = "validator.key"
NETWORK_KEY_NAME = "network.key"
CONFIG_NAME = "config.toml"
GENESIS_NAME = "genesis.json"
DATA_NAME = "data"

CreateJournal = Callable[[Path, PublicKey, Genesis], None]
"""Creates the unused journal in a folder, for this key and this network."""


class Ports(msgspec.Struct, frozen=True):
    """The three ports of one node on the loopback interface."""

    p2p: int
    rpc: int
    metrics: int


class CityPlan(msgspec.Struct, frozen=True):
    """What to make: where, called what, how many validators, since when, on which ports."""

    directory: Path
    chain_id: str
    time_ms: TimeMs
    ports: tuple[Ports, ...]
    parameters: Parameters = Parameters()
    log_format: str = "console"
    full_nodes: tuple[FullNode, ...] = ()


class MemberKeys(msgspec.Struct, frozen=True):
    """The public halves of the keys of one member."""

    validator: PublicKey
    network: NetworkKey
    officers: tuple[PublicKey, ...]


class CityNode(msgspec.Struct, frozen=True):
    """One member of a city that was made: its folder, its addresses, its account and officers."""

    name: str
    slug: str
    folder: Path
    ports: Ports
    account: AccountId
    officer_files: tuple[Path, ...]

    @property
    def config_file(self) -> Path:
        """The node's configuration."""
        return self.folder / CONFIG_NAME

    @property
    def url(self) -> str:
        """Where the node answers JSON-RPC."""
        return f"http://127.0.0.1:{self.ports.rpc}"


class City(msgspec.Struct, frozen=True):
    """A city that was made, ready to start."""

    directory: Path
    genesis: Genesis
    nodes: tuple[CityNode, ...]

    @property
    def genesis_file(self) -> Path:
        """The document that every node and every client starts from."""
        return self.directory / GENESIS_NAME


def default_ports(count: int) -> tuple[Ports, ...]:
    """Return the documented ports of a city: 7001…, 8545…, 9464…."""
    return tuple(Ports(7001 + place, 8545 + place, 9464 + place) for place in range(count))


def organisation(place: int) -> tuple[str, str, tuple[Role, ...]]:
    """Return name, folder name and roles of the member at `place`."""
    if place < len(ORGANISATIONS):
        return ORGANISATIONS[place]
    return f"member {place + 1}", f"member-{place + 1}", (Role.SPONSOR,)


def make_city(plan: CityPlan, state_root: StateRoot, create_journal: CreateJournal) -> City:
    """Write a city into a new or empty folder and return it.

    Raises `FolderError` when the folder holds something already.
    """
    count = len(plan.ports)
    assert 1 <= count <= VALIDATORS_MAX
    make_empty_folder(plan.directory)
    members, nodes = [], []
    for place, ports in enumerate(plan.ports):
        member, node = _make_member(plan.directory, place, ports)
        members.append(member)
        nodes.append(node)
    draft = Genesis(
        chain_id=plan.chain_id,
        time_ms=plan.time_ms,
        parameters=plan.parameters,
        members=tuple(members),
        full_nodes=plan.full_nodes,
        state_root=ZERO_DIGEST,
    )
    genesis = with_state_root(draft, state_root)
    check_genesis(genesis)
    write_genesis(plan.directory / GENESIS_NAME, genesis)
    for node, member in zip(nodes, members, strict=True):
        write_config(node, mode="validator", log_format=plan.log_format)
        journal = node.folder / DATA_NAME / "journal"
        journal.mkdir(parents=True)
        mark_joined(node.folder / KEY_NAME, genesis)
        create_journal(journal, member.validator_key, genesis)
    return City(plan.directory, genesis, tuple(nodes))


def _make_member(directory: Path, place: int, ports: Ports) -> tuple[Member, CityNode]:
    name, slug, roles = organisation(place)
    folder = directory / slug
    folder.mkdir(mode=0o700)
    keys = make_keys(folder)
    account = member_account(keys.validator)
    member = Member(
        name=name,
        validator_key=keys.validator,
        network_key=keys.network,
        endpoint=f"127.0.0.1:{ports.p2p}",
        account=account,
        officer_keys=keys.officers,
        roles=roles,
    )
    return member, CityNode(name, slug, folder, ports, account, officer_files(folder))


def make_keys(folder: Path) -> MemberKeys:
    """Write the new key files of one member into `folder`."""
    validator = _new_key(folder / KEY_NAME, KeyKind.VALIDATOR)
    network = make_network_key(folder)
    officers = [_new_key(path, KeyKind.ACCOUNT) for path in officer_files(folder)]
    return MemberKeys(PublicKey(validator), network, tuple(PublicKey(key) for key in officers))


def make_network_key(folder: Path) -> NetworkKey:
    """Write a new network key file into `folder` and return its public half."""
    return NetworkKey(_new_key(folder / NETWORK_KEY_NAME, KeyKind.NETWORK))


def officer_files(folder: Path) -> tuple[Path, ...]:
    """Return the key files of a member's officers."""
    return tuple(folder / f"officer-{number}.key" for number in range(1, OFFICERS + 1))


def member_account(validator_key: PublicKey) -> AccountId:
    """Return the id of the account that a founding member acts with."""
    return AccountId(tagged(Tag.ACCOUNT, validator_key)[:ACCOUNT_BYTES])


def _new_key(path: Path, kind: KeyKind) -> bytes:
    content = make_key_file(kind, new_secret())
    write_key_file(path, content)
    return bytes.fromhex(content.public_key)


def make_empty_folder(folder: Path) -> None:
    """Make `folder`, or take an empty one. Raises `FolderError`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        occupied = next(folder.iterdir(), None)
    except OSError as error:
        raise FolderError(
            f"cannot be made: {error.strerror}", what=f"folder {folder}", next="choose another one"
        ) from None
    if occupied is not None:
        raise FolderError(
            f"is not empty (it holds {occupied.name})",
            what=f"folder {folder}",
            next="choose a new folder; nothing is ever overwritten",
        )


def write_config(node: CityNode, *, mode: str, log_format: str) -> None:
    """Write the configuration of one node beside its keys, the genesis file one folder above."""
    text = CONFIG_TEMPLATE.format(
        name=node.name, mode=mode, ports=node.ports, log_format=log_format, genesis=GENESIS_NAME
    )
    node.config_file.write_text(text, encoding="utf-8")


def load_city(directory: Path) -> City:
    """Return the city that `make_city` wrote into `directory`. Raises `FolderError`."""
    genesis = read_genesis(directory / GENESIS_NAME)
    nodes = []
    for place, member in enumerate(genesis.members):
        name, slug, _ = organisation(place)
        folder = directory / slug
        if name != member.name or not (folder / CONFIG_NAME).is_file():
            raise FolderError(
                f"holds no folder of {member.name}",
                what=f"city {directory}",
                next="name a folder that `moyai testnet` made",
            )
        config = load_config(folder / CONFIG_NAME, {})
        nodes.append(
            CityNode(
                name=name,
                slug=slug,
                folder=folder,
                ports=_ports_of(config),
                account=member.account,
                officer_files=officer_files(folder),
            )
        )
    return City(directory, genesis, tuple(nodes))


def _ports_of(config: NodeConfig) -> Ports:
    return Ports(
        p2p=address_parts(config.p2p.listen)[1],
        rpc=address_parts(config.rpc.listen)[1],
        metrics=address_parts(config.metrics.listen)[1] if config.metrics.listen else 0,
    )


CONFIG_TEMPLATE = """\
# The node of {name}. Every key and its default: docs/operations.md
data_dir = "data"
key_file = "validator.key"
network_key_file = "network.key"
genesis_file = "../{genesis}"
mode = "{mode}"

[p2p]
listen = "127.0.0.1:{ports.p2p}"

[rpc]
listen = "127.0.0.1:{ports.rpc}"

[metrics]
listen = "127.0.0.1:{ports.metrics}"

[log]
format = "{log_format}"
"""
