"""What a method is: name, shapes, handler, cost, and when in a request it runs.

Not here: the table of methods (`routes`).
"""

import inspect
from collections.abc import Callable
from enum import Enum
from typing import Any

import msgspec

from moyai.rpc.schema_types import Params


class Turn(Enum):
    """When a method runs: all submits of a request as one, then reads, then those that wait."""

    SUBMIT = 1
    READ = 2
    WAIT = 3
    SOCKET = 4
    ADMIN = 5
    DISCOVER = 6


class Method(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table; `cost` is in units of about 50 µs of this node's time."""

    turn: Turn
    params: type[Params]
    result: Any
    handler: Callable[..., Any]
    cost: int = 1

    @property
    def summary(self) -> str:
        """Return what the method does, in one line."""
        return inspect.getdoc(self.handler) or ""
