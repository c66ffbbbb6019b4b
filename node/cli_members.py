"""`moyai members`: who runs the city, and how its members change that together.

    moyai members propose '{"type": "remove_member", "account": "moyai1…"}' --account … --key …

Not here: what a change leads to (the ledger), and the node that says by itself that it is ready.
"""

import json as plain_json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from moyai.client import Client, KeySigner, TransactionSigner, load_key_file
from moyai.client.proofs import FinalReceipt
from moyai.node.cli_connection import (
    CityOption,
    GenesisOption,
    NodeOption,
    ask,
    ask_each,
    connection,
    node_urls,
    with_client,
)
from moyai.node.cli_node import DEFAULT_CONFIG, ConfigOption
from moyai.node.cli_output import (
    Answer,
    ExitCode,
    JsonOption,
    print_fields,
    print_json,
    print_table,
    say,
)
from moyai.node.cli_receipt import print_receipt
from moyai.node.config import load_config
from moyai.node.errors import ConfigError
from moyai.node.genesis_file import read_genesis
from moyai.node.given import given_text
from moyai.node.key_file import KeyKind, load_signing_key
from moyai.node.next_keys import prepare_next
from moyai.node.operation_text import parse_change, parse_operation
from moyai.node.passphrase import new_passphrase, passphrase_for
from moyai.node.reachability import why_unreachable
from moyai.primitives.errors import MoyaiError
from moyai.primitives.ids import DIGEST_BYTES, Digest, parse_hex
from moyai.primitives.operations import Operation
from moyai.primitives.operations_governance import ApproveChange, MembersReady, ProposeChange

members = typer.Typer(
    help="Who runs the city, and how its members change that.", no_args_is_help=True
)

AccountOption = Annotated[str, typer.Option(help="The member's account that acts, moyai1….")]
KeyOption = Annotated[
    list[Path], typer.Option(help="The key file of each officer who signs; may be repeated.")
]
ProposalOption = Annotated[
    int | None, typer.Option("--proposal", min=1, help="The one under way if left out.")
]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.add_typer(members, name="members")


@members.command("list")
def list_members(
    city: CityOption = None, node: NodeOption = None, json: JsonOption = False
) -> None:
    """Show the members, the nodes that follow without voting, and what is proposed."""
    urls = node_urls(city, node)
    answer = ask(urls, "members_list")
    changes = ask(urls, "changes_list")
    if json:
        print_json({**answer, "under_way": changes["under_way"], "changes": changes["changes"]})
        return
    print_table(
        ("validator", "member", "endpoint", "roles", "account", "evidence"),
        [
            (
                str(one["validator"]),
                one["name"],
                one["endpoint"],
                ", ".join(one["roles"]),
                one["account"],
                _on_record(one["evidence_height"]),
            )
            for one in answer["members"]
        ],
        title=f"Members in epoch {answer['epoch']}",
        unbroken=True,
    )
    if answer["full_nodes"]:
        print_table(
            ("follows without a vote", "endpoint"),
            [(one["name"], one["endpoint"]) for one in answer["full_nodes"]],
        )
    if changes["changes"]:
        print_table(
            ("proposal", "stage", "change", "approvals", "ready", "until"),
            [
                _change_row(
                    one, {member["account"]: member["name"] for member in answer["members"]}
                )
                for one in changes["changes"]
            ],
        )


@members.command()
def propose(  # noqa: PLR0913 - every option of a command is a parameter
    change: Annotated[str, typer.Argument(help="JSON with a type; @FILE reads a file.")],
    account: AccountOption,
    key: KeyOption,
    city: CityOption = None,
    genesis: GenesisOption = None,
    node: NodeOption = None,
    json: JsonOption = False,
) -> None:
    """Propose a change as a member; that is its first approval, too."""
    operation = ProposeChange(parse_change(given_text(change)))
    signers = _officers(key)
    _deliver((city, genesis, node), operation, account, signers, as_json=json)


@members.command()
def approve(  # noqa: PLR0913 - every option of a command is a parameter
    proposal: Annotated[int, typer.Argument(min=1, help="The proposal's number.")],
    account: AccountOption,
    key: KeyOption,
    city: CityOption = None,
    genesis: GenesisOption = None,
    node: NodeOption = None,
    json: JsonOption = False,
) -> None:
    """Approve a proposal as a member. Look at it first: `moyai members check`."""
    signers = _officers(key)
    _deliver((city, genesis, node), ApproveChange(proposal), account, signers, as_json=json)


@members.command()
def evidence(  # noqa: PLR0913 - every option of a command is a parameter
    account: Annotated[
        str | None, typer.Option(help="Put what is not yet on record there, as this account.")
    ] = None,
    key: Annotated[
        list[Path] | None, typer.Option(help="The key file of who signs for it; may be repeated.")
    ] = None,
    city: CityOption = None,
    genesis: GenesisOption = None,
    node: NodeOption = None,
    json: JsonOption = False,
) -> None:
    """Show what nodes hold against validators; with an account, put it on record."""
    held = _evidence_of(node_urls(city, node))
    if account is not None:
        signers = _officers(key or [])
        for operation in _unrecorded(held):
            _deliver((city, genesis, node), operation, account, signers, as_json=json)
    elif json:
        print_json({"evidence": held})
    elif not held:
        say("These nodes hold no evidence against any validator.")
    else:
        print_table(
            ("validator key", "epoch", "view", "signed", "on record"),
            [
                (
                    one["validator_key"],
                    str(one["epoch"]),
                    str(one["view"]),
                    one["kind"],
                    one["recorded"],
                )
                for one in held
            ],
            title="Evidence that these nodes hold",
            unbroken=True,
        )


@members.command("next-key")
def next_key(
    account: Annotated[str, typer.Option(help="The member's account, moyai1….")],
    kind: Annotated[KeyKind, typer.Option(help="validator or network")] = KeyKind.VALIDATOR,
    encrypt: Annotated[bool, typer.Option("--encrypt", help="Seal it by a passphrase.")] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Make the next key of this node beside the present one, and print the change to propose.

    The node may go on running: it changes to the key by itself when the change is in force.
    """
    if kind is KeyKind.ACCOUNT:
        raise ConfigError(
            "are changed by the account itself, or by recover_officers",
            what="officers' keys",
            next="give --kind validator or --kind network",
        )
    loaded = load_config(config)
    passphrase = new_passphrase(Path(loaded.key_file)) if encrypt else None
    made = prepare_next(loaded, read_genesis(Path(loaded.genesis_file)), kind, passphrase)
    change = {
        "type": f"rotate_{kind.value}_key",
        "account": account,
        f"{kind.value}_key": made.public_key,
    }
    if json:
        print_json(change)
    else:
        sys.stdout.write(plain_json.dumps(change) + "\n")
        say("Propose this, and leave the node running.")


@members.command()
def ready(
    key: Annotated[Path, typer.Option(help="The validator key file of the next set.")],
    city: CityOption = None,
    genesis: GenesisOption = None,
    node: NodeOption = None,
    json: JsonOption = False,
) -> None:
    """Say that a validator of the next set is ready. Its node says so by itself when it runs."""
    signing = load_signing_key(key, KeyKind.VALIDATOR, passphrase_for(key, KeyKind.VALIDATOR))
    change = _change(node_urls(city, node), None)
    own = [one for one in change["next_members"] if one["validator_key"] == signing.public.hex()]
    if not own:
        raise ConfigError(
            f"is no validator of the set that proposal {change['proposal']} leads to",
            what=f"key file {key}",
            next="look at `moyai members check`",
        )
    digest = parse_hex(change["next_set"], bytes_exact=DIGEST_BYTES, what="next set")
    operation, signer = MembersReady(Digest(digest)), KeySigner(signing)
    account = own[0]["account"]
    _deliver((city, genesis, node), operation, account, [signer], as_json=json)


@members.command()
def check(
    proposal: ProposalOption = None,
    city: CityOption = None,
    node: NodeOption = None,
    json: JsonOption = False,
) -> None:
    """Try to reach every member of the next set, and show who is ready: before you approve."""
    change = _change(node_urls(city, node), proposal)
    reasons = [why_unreachable(one["endpoint"]) for one in change["next_members"]]
    reached, needed = reasons.count(""), change["ready_needed"]
    if json:
        shown = [
            {**one, "unreachable": reason}
            for one, reason in zip(change["next_members"], reasons, strict=True)
        ]
        print_json({**change, "next_members": shown, "reached": reached})
    else:
        print_fields(change["change"], title=f"Proposal {change['proposal']}, {change['stage']}")
        print_table(
            ("next member", "endpoint", "reached from here", "ready"),
            [
                (one["name"], one["endpoint"], reason or "yes", one["is_ready"])
                for one, reason in zip(change["next_members"], reasons, strict=True)
            ],
        )
        say(f"{reached} of {len(reasons)} answer; the next set needs {needed}.")
    if reached < needed:
        raise Answer(ExitCode.REFUSED)


def _change(urls: tuple[str, ...], number: int | None) -> dict[str, Any]:
    """Return an undecided proposal: the one named, the one under way, or the newest."""
    answer = ask(urls, "changes_list")
    wanted = number or answer["under_way"]
    if wanted is not None:
        answer = ask(urls, "changes_list", up_to=wanted, limit=1)
    for change in answer["changes"]:
        if change["next_members"] and wanted in (None, change["proposal"]):
            found: dict[str, Any] = change
            return found
    raise ConfigError(
        "is not open, or could not come into force as things stand",
        what="a change" if wanted is None else f"proposal {wanted}",
        next="look at `moyai members list`",
    )


def _evidence_of(urls: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return what the nodes that answer hold, each piece once.

    Raises what the last node answered when none answers.
    """
    held: dict[str, dict[str, Any]] = {}
    answers = [answer for _, answer in ask_each(urls, "evidence_list")]
    for answer in answers:
        if not isinstance(answer, MoyaiError):
            held |= {one["evidence"]: one for one in answer["evidence"]}
    silent = [answer for answer in answers if isinstance(answer, MoyaiError)]
    if len(silent) == len(answers):
        raise silent[-1]
    return list(held.values())


def _unrecorded(held: list[dict[str, Any]]) -> list[Operation]:
    """Return what puts evidence on record, one piece a validator key."""
    new = {one["validator_key"]: one["operation"] for one in held if not one["recorded"]}
    if not new:
        raise ConfigError(
            "is not held by these nodes, or is on record already",
            what="evidence",
            next="look at `moyai members list`",
        )
    return [parse_operation(one) for one in new.values()]


def _on_record(height: int | None) -> str:
    return "" if height is None else f"on record at {height}"


def _change_row(change: dict[str, Any], names: dict[str, str]) -> tuple[Any, ...]:
    ready = sum(one["is_ready"] for one in change["next_members"])
    return (
        str(change["proposal"]),
        change["stage"],
        _in_short(change["change"], names),
        f"{len(change['approvals'])}/{change['approvals_needed']}",
        f"{ready}/{change['ready_needed']}" if change["next_members"] else "",
        change["until"] if change["next_members"] else "",
    )


def _in_short(change: dict[str, Any], names: dict[str, str]) -> str:
    """Return what a change does and to whom; `moyai members check` shows all of it."""
    whom = change.get("name") or names.get(change.get("account", ""), change.get("account", ""))
    settings = ", ".join(f"{one['name']} {one['number']}" for one in change.get("settings", ()))
    return " ".join(word for word in (change["type"], whom, settings) if word)


def _officers(files: Sequence[Path]) -> list[TransactionSigner]:
    return [load_key_file(path, passphrase=passphrase_for(path, KeyKind.ACCOUNT)) for path in files]


def _deliver(
    options: tuple[Path | None, Path | None, list[str] | None],
    operation: Operation,
    account: str,
    signers: Sequence[TransactionSigner],
    *,
    as_json: bool,
) -> None:
    """Send one operation, wait until it is final, and show its proven receipt."""

    async def submitted(client: Client) -> FinalReceipt:
        return await client.submit([operation], account=account, signer=signers)

    print_receipt(with_client(connection(*options), submitted), as_json=as_json)
