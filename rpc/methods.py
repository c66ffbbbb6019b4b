"""What a method is: name, shapes, handler, cost, and when in a request it runs.

Not here: the table of methods (`routes`).
"""

import inspect
from collections.abc import Callable
from enum import Enum
from typing import Any

import msgspec

from moyai.rpc.limits import PAGE_ITEMS_MAX
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
    """One row of the table.

    A call costs `cost`, and `page_cost` more for a page of the largest size; both in units of about
    50 µs of this node's time.
    """

    turn: Turn
    params: type[Params]
    result: Any
    handler: Callable[..., Any]
    cost: int = 1
    page_cost: int = 0

    def cost_of(self, params: Params) -> int:
        """Return what one call costs."""
        limit = getattr(params, "limit", 0) if self.page_cost else 0
        return self.cost + self.page_cost * limit // PAGE_ITEMS_MAX

    @property
    def summary(self) -> str:
        """Return what the method does, in one line."""
        return inspect.getdoc(self.handler) or ""
