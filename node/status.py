"""What the node says about itself: to `node_status`, the health pages and the metrics."""

from importlib.metadata import version
from typing import Literal

from moyai.consensus.messages import Evidence
from moyai.consensus.status import MachineStatus
from moyai.node.clock import SystemClock
from moyai.node.core import Core
from moyai.node.identity import OwnIdentity
from moyai.p2p.hub import Hub
from moyai.primitives.codec import encode
from moyai.rpc.ports import (
    DiskStatus,
    EvidenceFound,
    LinkStatus,
    Mode,
    NodeStatus,
    PoolStatus,
    QuorumStatus,
)
from moyai.storage.chain import ChainStore
from moyai.storage.environment import FillLevel

STALLED_MS = 10_000
_LEVELS: dict[FillLevel, Literal["good", "alarm", "no new transactions", "stopping"]] = {
    FillLevel.NORMAL: "good",
    FillLevel.ALARM: "alarm",
    FillLevel.NO_NEW_TRANSACTIONS: "no new transactions",
    FillLevel.STOP: "stopping",
}


class StatusReporter:
    """Puts together, on request, what operators and the health pages are told."""

    def __init__(
        self,
        *,
        identity: OwnIdentity,
        core: Core,
        chain: ChainStore,
        hub: Hub,
        clock: SystemClock | None = None,
    ) -> None:
        self.retention = "archive"
        self._identity = identity
        self._core = core
        self._chain = chain
        self._hub = hub
        self._version = version("moyai")
        self._clock = clock or SystemClock()
        self._started_ms = self._clock.mono_ms()
        self._final_ms: int | None = None
        self._waiting_since_ms: int | None = None

    def committed(self) -> None:
        """A block became final and is on disk."""
        self._final_ms = self._clock.mono_ms()

    def watch(self) -> None:
        """Take note, every second or so, since when a block is awaited."""
        if not (len(self._core.mempool) or self._core.machine.status().reason):
            self._waiting_since_ms = None
        elif self._waiting_since_ms is None:
            self._waiting_since_ms = self._clock.mono_ms()

    def status(self) -> NodeStatus:
        """Return the status of this moment."""
        now_ms = self._clock.mono_ms()
        machine = self._core.machine.status()
        mode = self._mode(abstaining=machine.abstaining, catching_up=machine.catching_up)
        quorum = self._quorum(machine)
        problem = self._problem(mode, quorum, now_ms)
        return NodeStatus(
            name=self._identity.name,
            mode=mode,
            version=self._version,
            epoch=machine.epoch,
            view=machine.view,
            final=machine.final_height,
            executed=self._chain.height,
            committed=self._chain.committed_height,
            final_age_ms=None if self._final_ms is None else now_ms - self._final_ms,
            uptime_ms=now_ms - self._started_ms,
            links=self._links(),
            quorum=quorum,
            pool=PoolStatus(
                self._core.ingest.backlog, len(self._core.mempool), self._core.mempool.bytes
            ),
            disk=self._disk(),
            is_ready=not problem,
            not_ready_because=problem,
            waits_for=machine.waits_for,
            retention=self.retention,
        )

    def evidence(self) -> list[EvidenceFound]:
        """Return the proofs of misconduct held here."""
        return [_shown(evidence) for evidence in self._core.performer.evidence]

    def _mode(self, *, abstaining: bool, catching_up: bool) -> Mode:
        if catching_up:
            return "catching up"
        if self._core.config.index is None:
            return "full" if self._identity.signing is None else "no vote"
        return "abstaining" if abstaining else "validator"

    def _links(self) -> tuple[LinkStatus, ...]:
        return tuple(
            LinkStatus(
                name=peer.contact.name,
                is_validator=peer.contact.validator is not None,
                is_linked=peer.connected,
                height=self._core.peer_heights.get(peer.contact.key),
            )
            for peer in self._hub.peers()
            if peer.connected or peer.contact.endpoint  # nobody waits for a former key
        )

    def _quorum(self, machine: MachineStatus) -> QuorumStatus:
        """Return who could vote now: linked, and not silent for the sake of a lost journal."""
        validators = self._core.config.validators
        peers = [peer for peer in self._hub.peers() if peer.contact.validator is not None]
        silent = machine.abstaining_validators
        votes = sum(peer.connected and peer.contact.validator not in silent for peer in peers)
        own = self._core.config.index is not None and not machine.abstaining
        absent = [peer.contact.name for peer in peers if not peer.connected]
        absent += [
            f"{peer.contact.name} (abstains)"
            for peer in peers
            if peer.connected and peer.contact.validator in silent
        ]
        return QuorumStatus(votes + own, validators.quorum, len(validators), tuple(sorted(absent)))

    def _disk(self) -> DiskStatus:
        environment = self._chain.environment
        percent = environment.used_bytes * 100 // environment.capacity_bytes
        return DiskStatus(_LEVELS[self._chain.fill_level], percent)

    def _problem(self, mode: Mode, quorum: QuorumStatus, now_ms: int) -> str:
        if mode == "catching up":
            return "catching up"
        if quorum.reached < quorum.needed:
            missing = ", ".join(quorum.missing)
            return f"quorum {quorum.reached}/{quorum.validators}, missing {missing}"
        if self._chain.fill_level >= FillLevel.NO_NEW_TRANSACTIONS:
            return "the disk is nearly full"
        since_ms = self._waiting_since_ms
        if since_ms is not None and now_ms - max(since_ms, self._final_ms or 0) > STALLED_MS:
            waits_for = self._core.machine.status().waits_for
            stalled = f"nothing became final for {STALLED_MS // 1000} s although a block is awaited"
            return f"{stalled}: it waits for {waits_for}"
        return ""


def _shown(evidence: Evidence) -> EvidenceFound:
    return EvidenceFound(evidence.first, evidence.second, encode(evidence))
