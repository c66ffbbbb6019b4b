"""What the operator may ask of a running node."""

import io

import pytest
import structlog

from moyai.node.config import LogConfig
from moyai.node.logs import configure_logs
from moyai.node.operator_actions import OperatorActions


def test_stopping_is_passed_on() -> None:
    stopped: list[bool] = []
    OperatorActions(lambda: stopped.append(True)).stop()
    assert stopped == [True]


def test_the_log_level_holds_from_then_on(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    monkeypatch.setattr("sys.stdout", written)
    monkeypatch.setattr("sys.stderr", written)
    before = structlog.get_config()
    actions = OperatorActions(lambda: None)
    try:
        configure_logs(LogConfig(format="json"), node="hall")
        long_lived = structlog.get_logger()
        long_lived.info("first")
        actions.set_log_level("warning")
        long_lived.info("second")
        structlog.get_logger().info("third")
        actions.set_log_level("debug")
        long_lived.info("fourth")
        structlog.get_logger().debug("fifth")
    finally:
        structlog.configure(**before)
    told = written.getvalue()
    assert [word in told for word in ("first", "second", "third", "fourth", "fifth")] == [
        *(True, False, False, True, True)
    ]
