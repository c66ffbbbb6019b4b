"""What only the operator may ask of a running node, over its own socket."""

import logging
from collections.abc import Callable

import structlog


class OperatorActions:
    """What only the operator may ask for."""

    def __init__(self, stop: Callable[[], None]) -> None:
        self._stop = stop

    def stop(self) -> None:
        """Stop the node cleanly."""
        self._stop()

    def set_log_level(self, level: str) -> None:
        """Log from `level` on."""
        number = logging.getLevelNamesMapping()[level.upper()]
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(number))
