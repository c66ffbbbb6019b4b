"""What the node tells its operator: one event a line, as text for people or JSON for machines.

Secrets are kept out by their type, wherever in an event they stand. Not here: metrics
(`rpc.metrics`) and events of the ledger.
"""

import logging
import sys
from collections.abc import Mapping
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from moyai.node.config import LogConfig
from moyai.node.key_file import KeyFile, NetworkSecret, Sealed
from moyai.primitives.keys import SigningKey

REDACTED = "[secret]"
SECRET_TYPES = (SigningKey, NetworkSecret, KeyFile, Sealed)
TEXT_CHARACTERS_MAX = 2048
DEPTH_MAX = 4

_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


def configure_logs(config: LogConfig, *, node: str) -> None:
    """Send every event of this process to standard error, each naming `node`."""
    level = _LEVELS[config.level]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        clean_values,
    ]
    renderer: Processor
    if config.format == "json":
        shared.append(structlog.processors.dict_tracebacks)
        renderer = structlog.processors.JSONRenderer()
    else:
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(node=node)
    _adopt_library_logs(max(level, logging.WARNING), shared, renderer)


def clean_values(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace secrets by a mark, show bytes as hexadecimal, and cut what is too long."""
    return {key: _clean(value, DEPTH_MAX) for key, value in event.items()}


def _clean(value: Any, depth: int) -> Any:
    match value:
        case str():
            return value if len(value) <= TEXT_CHARACTERS_MAX else value[:TEXT_CHARACTERS_MAX] + "…"
        case None | bool() | int() | float():
            return value
        case bytes() | bytearray() | memoryview():
            return bytes(value[: TEXT_CHARACTERS_MAX // 2]).hex()
        case Mapping() if depth:
            return {str(key): _clean(inner, depth - 1) for key, inner in value.items()}
        case list() | tuple() if depth:
            return [_clean(inner, depth - 1) for inner in value]
        case _ if isinstance(value, SECRET_TYPES):
            return REDACTED
        case _:
            return value if isinstance(value, BaseException) else str(value)[:TEXT_CHARACTERS_MAX]


def _adopt_library_logs(level: int, shared: list[Processor], renderer: Processor) -> None:
    """Give what the libraries log through `logging` the same form."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
