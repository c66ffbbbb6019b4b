"""The news that a block was committed, for everyone who follows the chain."""

import asyncio


class BlockSignal:
    """Whoever waits is woken by the next committed block, once."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def tell(self) -> None:
        """Wake all who wait now."""
        told, self._next = self._next, asyncio.Event()
        told.set()

    def listen(self) -> asyncio.Event:
        """Return what the next block sets; take it before reading, so that no block is missed."""
        return self._next
