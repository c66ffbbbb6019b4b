"""What commands print: tables for people, JSON for scripts, one line for an error."""

import json
import sys

import pytest
from rich.console import Console

from moyai.node.cli_output import (
    Answer,
    ExitCode,
    print_error,
    print_fields,
    print_json,
    print_table,
    progress,
    say,
    show,
)
from moyai.primitives.errors import MoyaiError

Captured = pytest.CaptureFixture[str]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (True, "yes"),
        (12345, "12,345"),
        (0.25, "0.2"),
        ("a [b] c", "a [b] c"),
        ([1, {"a": None}], '[1,{"a":null}]'),
    ],
)
def test_a_value_as_people_read_it(value: object, text: str) -> None:
    assert show(value) == text


def test_tables_show_brackets_as_they_are(capsys: Captured) -> None:
    print_table(("name", "says"), [("a", "[red]not a colour[/red]")], title="T")
    assert "[red]not a colour[/red]" in capsys.readouterr().out


def test_what_people_copy_is_not_broken_where_the_terminal_is_narrow(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = "moyai1" + "q" * 38
    narrow = Console(file=sys.stdout, width=80)
    monkeypatch.setattr("moyai.node.cli_output.out", lambda: narrow)
    rows = [("city hall", "127.0.0.1:7001", "sponsor, registrar, issuer", "validator", account)]
    print_table(("member", "endpoint", "roles", "mode", "account"), rows, unbroken=True)
    assert account in capsys.readouterr().out


def test_fields_are_named_in_words(capsys: Captured) -> None:
    print_fields({"public_key": "00ff"})
    assert "public key" in capsys.readouterr().out


def test_a_list_of_objects_takes_a_line_each(capsys: Captured) -> None:
    keys = [{"role": "owner", "weight": 1, "expires": None}, {"role": "guardian", "weight": 2}]
    print_fields({"keys": keys, "roles": ["sponsor", "issuer"], "codes": [], "ids": ["0" * 64] * 2})
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert lines[0].endswith("role owner, weight 1, expires -")
    assert lines[1] == "role guardian, weight 2"
    assert lines[2].endswith("sponsor, issuer")
    assert lines[3].endswith("-")
    assert lines[5] == "0" * 64


def test_json_is_one_document(capsys: Captured) -> None:
    print_json({"a": [1, "é"]})
    assert json.loads(capsys.readouterr().out) == {"a": [1, "é"]}


def test_an_error_says_what_is_wrong_about_what_and_what_to_do(capsys: Captured) -> None:
    error = MoyaiError("is cold", what="the soup", next="warm it")
    print_error(error, as_json=False)
    assert capsys.readouterr().err == "error: the soup: is cold; warm it\n"
    print_error(error, as_json=True)
    told = json.loads(capsys.readouterr().err)["error"]
    assert told == {"code": "error", "reason": "is cold", "what": "the soup", "next": "warm it"}


def test_what_is_no_answer_goes_to_standard_error(capsys: Captured) -> None:
    say("starting")
    with progress() as bar:
        bar.add_task("working", total=None)
    assert capsys.readouterr().out == ""


def test_an_answer_carries_its_exit_code() -> None:
    assert Answer(ExitCode.NOT_PROVEN).exit_code == 4
