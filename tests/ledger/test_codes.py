"""Scenarios of the catalogue: every code explained in two languages, and reached by a scenario."""

import re
from pathlib import Path

import pytest

from moyai.ledger.codes import CATALOGUE, Code, Refusal

HERE = Path(__file__).parent


@pytest.mark.parametrize("code", list(Code), ids=lambda code: code.name)
def test_every_code_has_a_reason_and_advice_in_both_languages(code: Code) -> None:
    text = CATALOGUE[code]
    assert text.reason_en
    assert text.reason_ja
    assert code is Code.OK or (text.next_en and text.next_ja)
    assert text.reason_en.isascii()
    assert not text.reason_ja.isascii()


def test_the_catalogue_is_in_the_order_of_its_numbers() -> None:
    assert list(CATALOGUE) == sorted(Code)


def test_every_code_is_reached_by_a_scenario_of_the_rules() -> None:
    scenarios = "".join(path.read_text(encoding="utf-8") for path in HERE.glob("test_rules_*.py"))
    reached = set(re.findall(r"Code\.([A-Z_0-9]+)\b", scenarios))
    assert {code.name for code in Code} <= reached


def test_a_refusal_names_its_object() -> None:
    refusal = Refusal(Code.TOKEN_UNKNOWN, "coin")
    assert (refusal.code, refusal.subject, str(refusal)) == (
        Code.TOKEN_UNKNOWN,
        "coin",
        "TOKEN_UNKNOWN",
    )
