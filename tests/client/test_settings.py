"""Scenarios for the defaults: a clock that moves and nonces that differ."""

from moyai.client import ClientSettings
from moyai.client.settings import fresh_nonce, wall_clock_ms


def test_defaults() -> None:
    settings = ClientSettings()
    assert settings.now_ms() >= 1_767_225_600_000
    assert wall_clock_ms() <= wall_clock_ms()
    assert settings.valid_for_ms < 120_000


def test_nonces_differ() -> None:
    assert len(fresh_nonce()) == 8
    assert fresh_nonce() != fresh_nonce()
