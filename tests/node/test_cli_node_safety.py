"""`moyai node assume-safe`: only for a silent validator, only when said to be agreed, and noted."""

import json
from pathlib import Path

import pytest

from harness.command_line import Run
from moyai.node.config import load_config
from moyai.node.founding import create_journal, genesis_root, journal_key
from moyai.node.testnet import CityPlan, default_ports, make_city
from moyai.primitives.genesis import genesis_digest
from moyai.primitives.ids import TimeMs
from moyai.storage.journal import Journal


class Silent:
    """A validator whose journal was restored."""

    def __init__(self, folder: Path) -> None:
        plan = CityPlan(folder, "city-1", TimeMs(1_800_000_000_000), default_ports(1))
        city = make_city(plan, genesis_root, create_journal)
        self.network = genesis_digest(city.genesis)
        self.path = city.nodes[0].config_file
        self.config = load_config(self.path, {})

    def journal(self) -> Journal:
        key = journal_key(self.config)
        return Journal.open(self.config.journal_path, key, self.network)

    def abstains(self) -> bool:
        journal = self.journal()
        try:
            record = journal.load().abstain
        finally:
            journal.close()
        return record is not None and record.abstaining


@pytest.fixture
def silent(tmp_path: Path) -> Silent:
    made = Silent(tmp_path / "city")
    journal = made.journal()
    journal.mark_abstaining()
    journal.close()
    return made


def test_without_agreement_nothing_changes(silent: Silent, moyai: Run) -> None:
    code, _, told = moyai("node", "assume-safe", "--config", silent.path)
    assert code == 1
    assert "--agreed" in told
    assert silent.abstains()


def test_agreed_it_ends_the_silence_and_is_noted(silent: Silent, moyai: Run) -> None:
    code, answer, _ = moyai("node", "assume-safe", "--agreed", "--json", "--config", silent.path)
    assert code == 0
    assert not silent.abstains()
    fields = json.loads(answer)
    assert fields["key"] in Path(fields["noted_in"]).read_text(encoding="utf-8")


def test_a_validator_that_is_not_silent_is_left_alone(silent: Silent, moyai: Run) -> None:
    command = ("node", "assume-safe", "--agreed", "--config", silent.path)
    assert moyai(*command)[0] == 0
    code, _, told = moyai(*command)
    assert code == 1
    assert "does not abstain" in told
