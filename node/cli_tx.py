"""`moyai tx`: build, sign, send, wait. Each step reads and writes one JSON document.

    moyai tx build … | moyai tx sign --key mine.key | moyai tx send

Signing needs no network, so keys can stay on a machine that has none.
"""

import asyncio
import base64
import binascii
import re
import secrets
import sys
import time
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from moyai.client import Client, Draft, draft_transaction, load_key_file
from moyai.client.builder import Terms
from moyai.client.proofs import FinalReceipt
from moyai.node.cli_connection import (
    CityOption,
    GenesisOption,
    NodeOption,
    ask,
    connection,
    genesis_file_of,
    node_urls,
    with_client,
)
from moyai.node.cli_output import Answer, ExitCode, JsonOption, print_fields, print_json
from moyai.node.cli_receipt import print_receipt
from moyai.node.errors import ConfigError, OperationTextError
from moyai.node.genesis_file import read_genesis
from moyai.node.given import given_bytes, given_text
from moyai.node.key_file import KeyKind, read_key_file
from moyai.node.operation_text import parse_operations
from moyai.node.passphrase import passphrase_for
from moyai.primitives.codec import UNDECODABLE
from moyai.primitives.ids import DIGEST_BYTES, Digest, parse_hex
from moyai.primitives.limits import TRANSACTION_NONCE_BYTES
from moyai.primitives.transaction import Scheme, Signer
from moyai.rpc.limits import WAIT_MS_MAX
from moyai.rpc.readable import readable_operation

tx = typer.Typer(help="Build, sign, send and await transactions.", no_args_is_help=True)

VALID_FOR_HELP = (
    "Seconds. A node takes it only when less than the tx window (`moyai params`) is left."
)
KEY_HELP = "The key file of each signer, or its public key in hexadecimal; may be repeated."
UNKNOWN_PAUSE_SECONDS = 0.2
"""Between two questions to a node that has not heard of the transaction yet."""

PUBLIC_KEY_TEXT = re.compile("[0-9a-f]{64}")

_OPEN = frozenset({"pending", "unknown"})
_EXIT_CODES = {"final": ExitCode.OK, "refused": ExitCode.REFUSED, "expired": ExitCode.REFUSED}


class DraftText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A transaction on its way from `build` to `send`: the body, and signatures by public key."""

    id: str
    body: str
    signatures: dict[str, str] = {}


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.add_typer(tx, name="tx")


@tx.command()
def build(  # noqa: PLR0913 - every option of a command is a parameter
    operations: Annotated[
        str, typer.Argument(help="JSON: one operation or an array; @FILE reads a file.")
    ],
    account: Annotated[str, typer.Option(help="The account that acts, moyai1….")],
    key: Annotated[list[str], typer.Option(help=KEY_HELP)],
    valid_for: Annotated[int, typer.Option(min=1, max=3600, help=VALID_FOR_HELP)] = 60,
    memo: Annotated[str, typer.Option(help="A digest, hexadecimal.")] = "",
    city: CityOption = None,
    genesis: GenesisOption = None,
) -> None:
    """Build a transaction: fixes what is done, by whom, and who signs."""
    text = given_text(operations)
    public = [bytes.fromhex(_public_key(one)) for one in key]
    path = genesis_file_of(city, genesis)
    if path is None:
        raise ConfigError(
            "does not say for which city", what="moyai tx build", next="give --city or --genesis"
        )
    terms = Terms(
        chain_id=read_genesis(path).chain_id,
        valid_until_ms=time.time_ns() // 10**6 + valid_for * 1000,
        nonce=secrets.token_bytes(TRANSACTION_NONCE_BYTES),
        memo=Digest(parse_hex(memo, bytes_exact=DIGEST_BYTES, what="memo")) if memo else None,
    )
    signers = [Signer(Scheme.ED25519, one) for one in public]
    draft = draft_transaction(parse_operations(text), account=account, signers=signers, terms=terms)
    print_json(DraftText(draft.id.hex(), base64.b64encode(draft.to_bytes()).decode()))


@tx.command()
def sign(
    key: Annotated[list[Path], typer.Option(help="An account's key file; may be repeated.")],
    document: Annotated[str, typer.Argument(help="What `tx build` printed; - reads it.")] = "-",
) -> None:
    """Add signatures to a transaction. Shows on standard error what is signed."""
    text, draft = _read(document)
    shown = [readable_operation(operation) for operation in draft.body.operations]
    sys.stderr.write(f"signing {draft.id.hex()}: {msgspec.json.encode(shown).decode()}\n")
    signatures = dict(text.signatures)
    for path in key:
        signer = load_key_file(path, passphrase=passphrase_for(path, KeyKind.ACCOUNT))
        signature = asyncio.run(draft.signature_by(signer))
        signatures[signer.name.public_key.hex()] = base64.b64encode(signature).decode()
    print_json(msgspec.structs.replace(text, signatures=signatures))


@tx.command()
def send(  # noqa: PLR0913 - every option of a command is a parameter
    document: Annotated[str, typer.Argument(help="What `tx sign` printed; - reads it.")] = "-",
    wait_for_it: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Wait until it is final and proven.")
    ] = True,
    city: CityOption = None,
    genesis: GenesisOption = None,
    node: NodeOption = None,
    json: JsonOption = False,
) -> None:
    """Send a signed transaction. The same bytes may be sent again: they have one effect."""
    text, draft = _read(document)
    raw = draft.assemble(
        {bytes.fromhex(name): _base64(value) for name, value in text.signatures.items()}
    )
    where = connection(city, genesis, node)
    if not wait_for_it:
        answer = ask(where.urls, "tx_submit", transaction=base64.b64encode(raw).decode())
        print_json(answer) if json else print_fields(answer)
        return

    async def deliver(client: Client) -> FinalReceipt:
        return await client.send(raw)

    print_receipt(with_client(where, deliver), as_json=json)


@tx.command()
def wait(
    transaction: Annotated[str, typer.Argument(help="The transaction's id, hexadecimal.")],
    seconds: Annotated[float, typer.Option(min=0.0, help="How long at most.")] = 30.0,
    city: CityOption = None,
    node: NodeOption = None,
    json: JsonOption = False,
) -> None:
    """Wait until a transaction has ended: final, refused or expired."""
    urls = node_urls(city, node)
    parse_hex(transaction, bytes_exact=DIGEST_BYTES, what="transaction id")
    deadline = time.monotonic() + seconds
    while True:
        left_ms = max(0, round((deadline - time.monotonic()) * 1000))
        answer = ask(urls, "tx_wait", id=transaction, timeout_ms=min(left_ms, WAIT_MS_MAX))
        if answer["status"] not in _OPEN or time.monotonic() >= deadline:
            break
        time.sleep(UNKNOWN_PAUSE_SECONDS if answer["status"] == "unknown" else 0)
    print_json(answer) if json else print_fields(answer)
    code = _EXIT_CODES.get(answer["status"], ExitCode.NOT_FINAL)
    if code is not ExitCode.OK:
        raise Answer(code)


def _public_key(key: str) -> str:
    """Return the public key that was named: a colleague's, or that of a file."""
    if PUBLIC_KEY_TEXT.fullmatch(key):
        return key
    return read_key_file(Path(key), KeyKind.ACCOUNT).public_key


def _read(document: str) -> tuple[DraftText, Draft]:
    data = given_bytes(document)
    if not data.strip():
        raise OperationTextError(
            "nothing came in",
            what="transaction",
            next="pipe in what `moyai tx build` prints; if it printed an error, see that first",
        )
    try:
        text = msgspec.json.decode(data, type=DraftText)
    except UNDECODABLE as error:
        raise OperationTextError(
            f"is not what `moyai tx build` prints: {error}",
            what="transaction",
            next="pipe its output in, or name a file that holds it",
        ) from None
    draft = Draft.from_bytes(_base64(text.body))
    if draft.id.hex() != text.id:
        raise OperationTextError(
            f"its body has the id {draft.id.hex()}",
            what=f"transaction {text.id}",
            next="somebody changed it on the way: build it again",
        )
    return text, draft


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise OperationTextError(
            "is not base64", what="transaction", next="build it again"
        ) from None
