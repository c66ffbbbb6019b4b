"""Fixtures shared by the scenarios of the ledger."""

import pytest

from harness.ledger_city import LedgerCity


@pytest.fixture
def city() -> LedgerCity:
    """A fresh city at height 0."""
    return LedgerCity()
