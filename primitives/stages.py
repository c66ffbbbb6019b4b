"""Where the processor time of a node goes: one clock, split by the stage of the work it is at.

A stage begins where it is entered and lasts until another one is; whoever enters one goes back to
the one before. So all time of a thread belongs to exactly one stage and nothing counts twice. Not
here: which clock that is (the node's), and the names of the metrics (`rpc.metrics`).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum


class Stage(IntEnum):
    """What a node spends its time on."""

    LOOP = 0  # the event loop, sockets, HTTP, waking and collecting garbage: all that has no name
    RPC = 1  # calls of applications: parsing, reading, writing the answers
    FRAMES = 2  # encryption of the links
    DECODE = 3  # parsing transactions and what peers say
    VERIFY = 4  # signatures of transactions
    POOL = 5  # taking transactions in, and forgetting them
    SPREAD = 6  # sending transactions to the validators
    CONSENSUS = 7  # votes, certificates, views
    PROPOSAL = 8  # building blocks and checking those of others
    JOURNAL = 9  # making votes and bodies durable
    EXECUTE = 10  # the rules of the ledger
    STATE = 11  # the Merkle trie and the roots
    STORE = 12  # writing blocks, in a thread of its own
    NEWS = 13  # telling what has become final


class StageClock:
    """The time of one thread by stage; `add` takes that of another thread."""

    __slots__ = ("_clock", "_since", "_stage", "seconds")

    def __init__(self, clock: Callable[[], float] = lambda: 0.0) -> None:
        self.seconds = [0.0] * len(Stage)
        self._clock = clock
        self._stage = Stage.LOOP
        self._since = clock()

    def enter(self, stage: Stage) -> Stage:
        """Begin a stage and return the one that it interrupts; never wait inside."""
        now = self._clock()
        before = self._stage
        self.seconds[before] += now - self._since
        self._since = now
        self._stage = stage
        return before

    @contextmanager
    def at(self, stage: Stage) -> Iterator[None]:
        """Be at a stage, whatever ends it; never wait inside."""
        before = self.enter(stage)
        try:
            yield
        finally:
            self.enter(before)

    def add(self, stage: Stage, seconds: float) -> None:
        """Note what another thread has spent."""
        self.seconds[stage] += seconds
