"""From a state that was taken over to the block that certified it: fetched and executed, no votes.

Consensus starts above that block, since every later header then attests a state that is known here.
What is to be reached is noted before the state becomes the chain store, so a restart goes on.
"""

import os
from collections.abc import Collection
from hashlib import sha256
from pathlib import Path

import msgspec

from moyai.consensus.effects import CatchUp
from moyai.ledger.membership import read_parameters
from moyai.ledger.mempool import Mempool
from moyai.ledger.recent import RecentIds
from moyai.ledger.state import Values
from moyai.node.bodies import Bodies
from moyai.node.catchup import CatchUpRun
from moyai.node.executor import Executor
from moyai.node.ports import Transport
from moyai.node.tip import read_tip
from moyai.p2p.messages import SyncAnswer, TargetAnswer
from moyai.p2p.sync_checks import Target, check_target
from moyai.primitives.block import Header
from moyai.primitives.certificate import Certificate
from moyai.primitives.codec import Codec, encode
from moyai.primitives.ids import Height, NetworkKey
from moyai.storage.chain import ChainStore

NOTE_NAME = "catch-up-to"
_DIGEST_BYTES = 32


class Goal(msgspec.Struct, array_like=True, frozen=True):
    """A verified finalization, and the headers from its block down to the first of the chain."""

    certificate: Certificate
    headers: tuple[Header, ...]

    @property
    def target(self) -> Target:
        """Return the block to reach, behind its fillers."""
        digest = self.certificate.digest
        return check_target(digest, TargetAnswer(digest, self.headers))


def note_goal(folder: Path, goal: Goal) -> None:
    """Write durably what is to be reached, before there is a chain store that needs it."""
    data = encode(goal)
    partial = folder / f"{NOTE_NAME}.new"
    with partial.open("wb") as note:
        note.write(sha256(data).digest() + data)
        note.flush()
        os.fsync(note.fileno())
    partial.replace(folder / NOTE_NAME)


def read_goal(folder: Path) -> Goal | None:
    """Return what is still to be reached; none when nothing is, or the note is damaged."""
    try:
        data = (folder / NOTE_NAME).read_bytes()
    except FileNotFoundError:
        return None
    if sha256(data[_DIGEST_BYTES:]).digest() != data[:_DIGEST_BYTES]:
        return None
    return _goal.decode(data[_DIGEST_BYTES:])


def forget_goal(folder: Path) -> None:
    """It was reached."""
    (folder / NOTE_NAME).unlink(missing_ok=True)


class Gap:
    """One run from the tip of a chain store to a goal above it."""

    def __init__(
        self,
        chain: ChainStore,
        goal: Goal,
        transport: Transport,
        validators: tuple[NetworkKey, ...],
    ) -> None:
        self._chain = chain
        self._goal = goal
        self._validators = validators
        self._linked: tuple[NetworkKey, ...] = ()
        parameters = read_parameters(Values(chain.states))
        nothing = Bodies(
            parameters=parameters,
            pool=Mempool(parameters, lambda _: False),
            final_ids=RecentIds(parameters.tx_window_ms),
        )
        self._executor = Executor(chain, nothing, read_tip(chain))
        self._run = CatchUpRun(
            chain=chain,
            executor=self._executor,
            transport=transport,
            became_final=lambda *_: None,
            find_checked=lambda _: None,
        )

    @property
    def is_closed(self) -> bool:
        """Return whether the goal is reached, on disk."""
        return self._chain.committed_height >= self._goal.target.header.height

    def begin(self, linked: Collection[NetworkKey], now_ms: int) -> None:
        """Ask the first questions."""
        self._linked = tuple(linked)
        order = CatchUp(self._goal.certificate, self._linked)
        self._run.start(order, now_ms, self._goal.target)

    def links_changed(self, linked: Collection[NetworkKey], now_ms: int) -> None:
        """The set of linked peers is another."""
        gone = [peer for peer in self._linked if peer not in linked]
        self._linked = tuple(linked)
        for peer in gone:
            self._run.peer_gone(peer, now_ms)
        self._run.add_sources(linked, now_ms)

    def receive(self, peer: NetworkKey, answer: SyncAnswer, now_ms: int) -> None:
        """Take an answer of a peer."""
        self._run.receive(peer, answer, now_ms)

    def tick(self, now_ms: int) -> None:
        """Ask again what is overdue. Raises `BelowHorizonError`."""
        self._run.tick(now_ms, self._linked, self._validators)

    def work(self, now_ms: int) -> bool:
        """Check, execute and write a little; return whether there is more to do at once."""
        more = self._run.check_slice(now_ms)
        more = self._executor.execute_next() is not None or more
        batch = self._chain.take_pending()
        if batch is not None:
            self._chain.write(batch)
            self._run.committed(Height(self._chain.committed_height), now_ms)
        return more


_goal = Codec(Goal, name="note of what to catch up to")
