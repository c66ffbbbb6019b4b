"""Logs: one event a line, secrets kept out by their type, libraries in the same form."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from moyai.node.config import LogConfig
from moyai.node.key_file import KeyKind, NetworkSecret, make_key_file
from moyai.node.logs import REDACTED, TEXT_CHARACTERS_MAX, clean_values, configure_logs
from moyai.primitives.keys import SigningKey

SEED = bytes(range(32))


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    root = logging.getLogger()
    before = (root.handlers, root.level)
    yield
    root.handlers, root.level = before[0], before[1]
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def last_line(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    event: dict[str, object] = json.loads(capsys.readouterr().err.splitlines()[-1])
    return event


def test_an_event_is_one_json_line_that_names_the_node(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(LogConfig(format="json"), node="hospital")
    structlog.get_logger().info("block final", height=7, digest=b"\x01\xff")
    event = last_line(capsys)
    assert event["event"] == "block final"
    assert (event["node"], event["height"], event["digest"]) == ("hospital", 7, "01ff")
    assert event["level"] == "info"
    assert str(event["timestamp"]).endswith("Z")


def test_events_below_the_level_are_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(LogConfig(format="json", level="warning"), node="n")
    structlog.get_logger().info("unheard")
    assert capsys.readouterr().err == ""


def test_libraries_log_in_the_same_form(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(LogConfig(format="json"), node="n")
    logging.getLogger("aiohttp.server").error("bad request from %s", "10.0.0.9")
    assert last_line(capsys)["event"] == "bad request from 10.0.0.9"


def test_people_get_text(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(LogConfig(), node="n")
    structlog.get_logger().info("started", height=3)
    assert "started" in capsys.readouterr().err


@pytest.mark.parametrize(
    "secret",
    [SigningKey(SEED), NetworkSecret(SEED), make_key_file(KeyKind.VALIDATOR, SEED)],
    ids=["signing key", "network secret", "key file"],
)
def test_a_secret_is_kept_out_wherever_it_stands(secret: object) -> None:
    event = {"direct": secret, "inside": [{"deep": secret}]}
    cleaned = clean_values(None, "info", event)
    assert cleaned == {"direct": REDACTED, "inside": [{"deep": REDACTED}]}


def test_what_is_too_long_is_cut() -> None:
    cleaned = clean_values(None, "info", {"text": "x" * 10_000, "data": bytes(10_000)})
    assert len(cleaned["text"]) == TEXT_CHARACTERS_MAX + 1
    assert len(cleaned["data"]) == TEXT_CHARACTERS_MAX
