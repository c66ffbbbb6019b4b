"""Where the processor time of a node goes: one clock, split by the stage of the work it is at.

A stage begins where it is entered and lasts until another one is; whoever enters one goes back to
the one before. So all time of a thread belongs to exactly one stage and nothing counts twice. Not
here: which clock that is (the node's), and the names of the metrics (`rpc.metrics`).
"""

from collections.abc import Callable
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

    __slots__ = ("_clock", "_interrupted", "_since", "_stage", "_visits", "seconds")

    def __init__(self, clock: Callable[[], float] = lambda: 0.0) -> None:
        self.seconds = [0.0] * len(Stage)
        self._clock = clock
        self._stage = Stage.LOOP
        self._since = clock()
        self._interrupted: list[Stage] = []
        self._visits = tuple(_Visit(self, stage) for stage in Stage)

    def enter(self, stage: Stage) -> Stage:
        """Begin a stage and return the one that it interrupts; never wait inside."""
        now = self._clock()
        before = self._stage
        self.seconds[before] += now - self._since
        self._since = now
        self._stage = stage
        return before

    def at(self, stage: Stage) -> "_Visit":
        """Return what makes a `with` block a stage, whatever ends it; never wait inside."""
        return self._visits[stage]

    def interrupt(self, stage: Stage) -> None:
        """Begin a stage from which `resume` goes back."""
        self._interrupted.append(self.enter(stage))

    def resume(self) -> None:
        """Go on with the stage interrupted last."""
        self.enter(self._interrupted.pop())

    def add(self, stage: Stage, seconds: float) -> None:
        """Note what another thread has spent."""
        self.seconds[stage] += seconds


class _Visit:
    """One stage as a context; one for all its visits, since entering is done often."""

    __slots__ = ("_clock", "_stage")

    def __init__(self, clock: StageClock, stage: Stage) -> None:
        self._clock = clock
        self._stage = stage

    def __enter__(self) -> None:
        self._clock.interrupt(self._stage)

    def __exit__(self, *_: object) -> None:
        self._clock.resume()
