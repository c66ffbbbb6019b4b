"""`moyai init`, `moyai genesis`, `moyai testnet`: from nothing to folders that can be started."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from moyai.node.cli_output import JsonOption, print_fields, print_json, print_table, program, say
from moyai.node.config import NodeConfig, load_config
from moyai.node.errors import ConfigError
from moyai.node.founding import (
    FULL_NODE_NAME,
    MEMBER_NAME,
    create_journal,
    genesis_root,
    join,
    make_full_node_folder,
    make_node_folder,
)
from moyai.node.genesis_file import (
    make_genesis,
    read_full_node,
    read_genesis,
    read_member,
    write_genesis,
)
from moyai.node.testnet import (
    CONFIG_NAME,
    GENESIS_NAME,
    City,
    CityPlan,
    default_ports,
    make_city,
)
from moyai.primitives.genesis import Genesis, Role, genesis_digest
from moyai.primitives.ids import TimeMs
from moyai.primitives.limits import VALIDATORS_MAX


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(init)
    app.command()(genesis)
    app.command("testnet")(make_testnet)


def init(  # noqa: PLR0913 - every option of a command is a parameter
    directory: Annotated[Path, typer.Argument(help="The node's folder.")],
    name: Annotated[str, typer.Option(help="The name of your organisation.")] = "",
    endpoint: Annotated[str, typer.Option(help="HOST:PORT where peers reach this node.")] = "",
    role: Annotated[list[str] | None, typer.Option(help="A role; may be repeated.")] = None,
    full: Annotated[
        bool, typer.Option("--full", help="A node that follows and serves, and does not vote.")
    ] = False,
    genesis_file: Annotated[
        Path | None, typer.Option("--genesis", help="The genesis file of the city.")
    ] = None,
    lost_journal: Annotated[
        bool, typer.Option("--lost-journal", help="This key's journal is lost: follow first.")
    ] = False,
    joining: Annotated[
        bool, typer.Option("--joining", help="Members are to add this key to a running city.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Prepare one node, in two steps.

    First with --name and --endpoint: makes keys, a configuration, and member.json to hand in
    (full-node.json with --full).
    Then, once all members agreed on a genesis file, with --genesis: makes the journal.
    """
    if genesis_file is not None:
        _second_step(directory, genesis_file, lost_journal=lost_journal, joining=joining, json=json)
        return
    if not name or not endpoint:
        raise ConfigError(
            "says neither who the node is nor where it is reached",
            what="moyai init",
            next="give --name and --endpoint, or --genesis for the second step",
        )
    if full and role:
        raise ConfigError(
            "gives a role to a node that is no member", what="moyai init", next="leave out --role"
        )
    made = (
        make_full_node_folder(directory, name, endpoint)
        if full
        else make_node_folder(directory, name, endpoint, tuple(role or ()))
    )
    if json:
        print_json(made)
        return
    handed_in = directory / (FULL_NODE_NAME if full else MEMBER_NAME)
    print_fields(msgspec.structs.asdict(made), title=f"Made {directory}")
    say(f"\nHand in {handed_in}. When the genesis file has come back, run:")
    say(f"  {program()} init {directory} --genesis {GENESIS_NAME}")
    say("To join a city that runs already, take its genesis file and add --joining.")


def _second_step(
    directory: Path, genesis_file: Path, *, lost_journal: bool, joining: bool, json: bool
) -> None:
    if joining and lost_journal:
        raise ConfigError(
            "a key that joins has no journal to lose",
            what="moyai init",
            next="give --joining, or --lost-journal alone for a key that has voted",
        )
    config = load_config(directory / CONFIG_NAME)
    document = _genesis_of(config, genesis_file)
    name = join(config, document, lost_journal=lost_journal, joining=joining)
    _show_joined(directory, name, document, as_json=json)


def _genesis_of(config: NodeConfig, genesis_file: Path) -> Genesis:
    """Return the document, and put it where the configuration looks for it."""
    document = read_genesis(genesis_file)
    place = Path(config.genesis_file)
    if not place.exists() or read_genesis(place) != document:
        write_genesis(place, document)
    return document


def _show_joined(directory: Path, name: str, document: Genesis, *, as_json: bool) -> None:
    config_file = directory / CONFIG_NAME
    fields = {
        "name": name,
        "chain_id": document.chain_id,
        "digest": genesis_digest(document).hex(),
        "config": str(config_file),
    }
    if as_json:
        print_json(fields)
        return
    print_fields(fields)
    say(
        f"\nCompare the digest with the other members, then: {program()} run --config {config_file}"
    )


def genesis(  # noqa: PLR0913 - every option of a command is a parameter
    members: Annotated[list[Path], typer.Argument(help="The member.json of each member.")],
    chain_id: Annotated[str, typer.Option(help="The name of the chain, like yuzawa-1.")],
    full_node: Annotated[
        list[Path] | None, typer.Option(help="The full-node.json of a node that follows.")
    ] = None,
    output: Annotated[Path, typer.Option(help="Where to write it.")] = Path(GENESIS_NAME),
    start: Annotated[str, typer.Option("--time", help="RFC 3339; now if left out.")] = "",
    json: JsonOption = False,
) -> None:
    """Make the genesis file of a new chain from what its members handed in."""
    texts = tuple(read_member(path) for path in members)
    followers = tuple(read_full_node(path) for path in full_node or ())
    document = make_genesis(chain_id, start or _now(), texts, genesis_root, followers)
    write_genesis(output, document)
    fields = {"file": str(output), "digest": genesis_digest(document).hex()}
    if json:
        print_json(fields)
        return
    print_table(
        ("member", "endpoint", "roles"),
        [
            (member.name, member.endpoint, ", ".join(_role_names(member.roles)))
            for member in document.members
        ],
        title=f"Genesis of {document.chain_id}",
    )
    print_fields(fields)


def make_testnet(
    directory: Annotated[Path, typer.Option(help="A new folder.")] = Path("city"),
    validators: Annotated[int, typer.Option(min=1, max=VALIDATORS_MAX)] = 4,
    chain_id: Annotated[str, typer.Option(help="The name of the chain.")] = "city-1",
    json: JsonOption = False,
) -> None:
    """Make a whole city on this machine: genesis, and keys and configuration of each node."""
    plan = CityPlan(directory, chain_id, TimeMs(time.time_ns() // 10**6), default_ports(validators))
    city = make_city(plan, genesis_root, create_journal)
    if json:
        print_json(_city_fields(city))
        return
    print_table(
        ("node", "folder", "JSON-RPC", "peers", "metrics"),
        [
            (node.name, str(node.folder), node.url, str(node.ports.p2p), str(node.ports.metrics))
            for node in city.nodes
        ],
        title=f"City {chain_id} in {directory}",
    )
    say(f"\nStart each node:  {program()} run --config {city.nodes[0].config_file}")
    say(f"Then ask one:     {program()} status --city {directory}")


def _city_fields(city: City) -> dict[str, object]:
    return {
        "directory": str(city.directory),
        "genesis": str(city.genesis_file),
        "digest": genesis_digest(city.genesis).hex(),
        "nodes": [
            {
                "name": node.name,
                "config": str(node.config_file),
                "url": node.url,
                "ports": node.ports,
                "officer_keys": [str(path) for path in node.officer_files],
            }
            for node in city.nodes
        ],
    }


def _role_names(roles: tuple[Role, ...]) -> list[str]:
    return [role.name.lower() for role in roles]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
