"""`moyai prove` writes what `moyai verify` accepts, and asks the nodes for the right key."""

import json
from pathlib import Path

import pytest

from harness.command_line import Run
from harness.real_city import RealCity
from moyai.client import opening_of_bytes
from moyai.node.cli_evidence import KINDS, read_opening, state_key
from moyai.node.errors import ConfigError
from moyai.primitives.ids import AccountId, format_account
from moyai.primitives.operations_documents import RegisterDocument

ADDRESS = format_account(AccountId(bytes(range(20))))
NAMES = {
    "account": [ADDRESS],
    "balance": ["coin", ADDRESS],
    "document": ["plan", "1"],
    "identity": [ADDRESS],
    "key": ["70"],
    "record": ["roads", "r1"],
}


def test_every_kind_has_a_key_of_its_own() -> None:
    keys = {state_key(kind, names) for kind, names in NAMES.items()}
    assert len(keys) == len(KINDS) - 1  # a transaction is no key of the state


def test_a_document_and_its_file_are_proven(
    live_city: RealCity, moyai: Run, tmp_path: Path
) -> None:
    file = tmp_path / "plan.txt"
    file.write_bytes(b"two lanes")
    opening = opening_of_bytes(b"two lanes")
    kept = tmp_path / "plan.opening.json"
    fields = {
        "salt": opening.salt.hex(),
        "file_sha256": opening.file_sha256.hex(),
        "size_bytes": opening.size_bytes,
    }
    kept.write_text(json.dumps(fields))
    assert read_opening(kept) == opening
    register = RegisterDocument("proven plan", opening.digest, opening.size_bytes)
    transaction_id, raw = live_city.sign((register,))
    live_city.submit(live_city.nodes[0].node, raw)
    live_city.wait_final(live_city.nodes[0].node, transaction_id, 5.0)
    city, evidence = live_city.city.directory, tmp_path / "plan.moyai"
    code, _, told = moyai(
        *("prove", "document", "proven plan", 1, "--opening", kept),
        *("--output", evidence, "--city", city),
    )
    assert code == 0, told
    code, answer, _ = moyai("verify", evidence, "--file", file, "--city", city)
    assert code == 0, answer
    file.write_bytes(b"six lanes")
    assert moyai("verify", evidence, "--file", file, "--city", city)[0] == 4


def test_a_transaction_is_proven_in_json_as_well(
    live_city: RealCity, moyai: Run, tmp_path: Path
) -> None:
    transaction_id = live_city.make_final(live_city.nodes[1].node, "proven transaction")
    city, evidence = live_city.city.directory, tmp_path / "transaction.json"
    code, answer, _ = moyai(
        *("prove", "transaction", transaction_id.hex(), "--output", evidence),
        *("--city", city, "--json"),
    )
    assert code == 0
    assert json.loads(answer)["file"] == str(evidence)
    assert json.loads(evidence.read_text())["kind"] == "transaction"
    assert moyai("verify", evidence, "--city", city)[0] == 0


def test_what_is_not_there_is_proven_absent(
    live_city: RealCity, moyai: Run, tmp_path: Path
) -> None:
    city, evidence = live_city.city.directory, tmp_path / "absent.moyai"
    assert moyai("prove", "record", "no", "no", "--output", evidence, "--city", city)[0] == 0
    assert moyai("verify", evidence, "--city", city)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (("documents", "x"), "did you mean document?"),
        (("document", "plan"), "write: moyai prove document SERIES VERSION"),
        (("document", "plan", "zero"), "versions count from 1"),
        (("transaction", "12"), "hexadecimal"),
    ],
)
def test_a_mistake_is_named(
    arguments: tuple[str, ...], advice: str, live_city: RealCity, moyai: Run, tmp_path: Path
) -> None:
    where = ("--output", tmp_path / "e", "--city", live_city.city.directory)
    code, _, told = moyai("prove", *arguments, *where)
    assert code == 1
    assert advice in told


def test_no_file_is_overwritten(live_city: RealCity, moyai: Run, tmp_path: Path) -> None:
    taken = tmp_path / "mine"
    taken.write_text("mine")
    where = ("--output", taken, "--city", live_city.city.directory)
    assert moyai("prove", "document", "document 0", 1, *where)[0] == 1
    assert taken.read_text() == "mine"


def test_a_file_without_an_opening_is_named(tmp_path: Path) -> None:
    path = tmp_path / "opening.json"
    path.write_text('{"salt": 1}')
    with pytest.raises(ConfigError, match="holds no opening"):
        read_opening(path)
