"""What must hold at level 2 after every commit, message and written block of honest nodes.

Beside the rules of votes and certificates: what is served never goes back, and every block does to
the ledger what a second ledger and a second tree, written for the eye, say that it does.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from harness.consensus.invariants import Invariants
from harness.consensus.keys import City
from harness.reference_ledger import ReferenceLedger
from harness.reference_tree import ReferenceTree
from harness.simulator.level import Violation
from harness.simulator.node_site import Site
from moyai.consensus.messages import CertificateMessage, Evidence, Proposal, VoteMessage
from moyai.consensus.records import (
    AbstainRecord,
    CertificateRecord,
    JournalRecord,
    Recovered,
    VoteRecord,
)
from moyai.ledger.codes import Code
from moyai.ledger.genesis import genesis_state
from moyai.ledger.state import Values
from moyai.ledger.tokens import read_balance
from moyai.p2p.messages import WireMessage
from moyai.primitives.block import Executed, Header
from moyai.primitives.genesis import genesis_block_digest, genesis_header
from moyai.primitives.ids import Digest, Epoch, NetworkKey, TransactionId
from moyai.primitives.operations_tokens import MintToken
from moyai.primitives.vote import Vote, VoteKind
from moyai.storage.chain import ChainStore

OVERHEARD = 2
NOBODY = -1
TOKEN = "coin"


class Final:
    """A block as the first node wrote it."""

    def __init__(self, header: Header, digest: Digest, executed: Executed) -> None:
        self.header = header
        self.digest = digest
        self.executed = executed


class Judge(Invariants):
    """Sees everything of one history and forgets nothing."""

    def __init__(self, site: Site, traitors: set[int]) -> None:
        super().__init__(City(len(site.identities)), ())
        self._site = site
        self.traitors = traitors
        self.final = {0: genesis_block_digest(site.genesis)}
        self.blocks: list[Final] = []
        self.placed: dict[TransactionId, int] = {}
        self.views: dict[int, int] = {}
        self.marks: dict[str, None] = {}
        self.served = [0] * len(site.identities)
        self._sent: list[dict[Vote, None]] = [{} for _ in site.identities]
        self._votes: list[set[Vote]] = [set() for _ in site.identities]
        self._kinds: dict[tuple[int, int, int, VoteKind], Digest] = {}
        members = {one.account: (one.officer_keys, one.roles) for one in site.genesis.members}
        self.ledger = ReferenceLedger(members)  # type: ignore[arg-type] # keys and roles are numbers
        for one in site.genesis.members:
            keys = (one.validator_key, one.network_key)
            self.ledger.found(one.account, one.name, *keys, one.endpoint)
        self._minted = 0
        self._records: list[list[VoteRecord]] = [[] for _ in site.identities]
        self._tree = ReferenceTree()
        self._tree.apply(dict(genesis_state(site.genesis)), 0)

    def name(self, peer: NetworkKey) -> str:
        keys = [identity.network_key for identity in self._site.identities]
        return f"v{keys.index(peer)}"

    def signer(self, vote: Vote) -> int:
        """Return who it is that has the index of a vote, as the reference ledger has the set."""
        keys = self.ledger.s["voters"].get(vote.epoch, ())
        places = [identity.journal_key for identity in self._site.identities]
        return places.index(keys[vote.signer]) if vote.signer < len(keys) else NOBODY

    # -- votes and certificates

    def begins(self, place: int, height: int, epoch: Epoch, recovered: Recovered) -> None:
        """See what a node starts with: what it has served, and what it has said, is there."""
        floor = recovered.floor.certificate if recovered.floor is not None else None
        above = floor.view if floor is not None and floor.epoch == epoch else 0
        for vote in self._sent[place]:
            if vote.epoch == epoch and vote.view > above and vote not in recovered.votes:
                raise Violation(f"a {vote.kind.name} that was sent is forgotten")
        if height < self.served[place]:
            raise Violation(f"member-{place} has lost heights: {height} of {self.served[place]}")

    def forgets(self, place: int) -> None:
        """Let a node that lost its disk begin again."""
        self.served[place] = 0
        self._sent[place] = {}

    def committed(self, place: int, records: Iterable[JournalRecord]) -> None:
        """See what is durable now."""
        for record in records:
            match record:
                case VoteRecord(vote=vote):
                    self._votes[place].add(vote)
                    self._records[place].append(record)
                    self.views[vote.epoch] = max(vote.view, self.views.get(vote.epoch, 0))
                    if place not in self.traitors:
                        self._signs_once(place, vote)
                case CertificateRecord(certificate=certificate) if place not in self.traitors:
                    self._certified(certificate)
                case AbstainRecord(abstaining=abstaining):
                    self.marks["abstained" if abstaining else "abstained and came back"] = None
                case _:
                    pass

    def _signs_once(self, place: int, vote: Vote) -> None:
        key = (place, vote.epoch, vote.view)
        if self._kinds.setdefault((*key, vote.kind), vote.digest) != vote.digest:
            raise Violation(f"two votes of one kind in view {vote.view}")
        kinds = [kind for kind in VoteKind if (*key, kind) in self._kinds]
        if VoteKind.NULLIFY in kinds and VoteKind.FINALIZE in kinds:
            raise Violation(f"nullify and finalize in view {vote.view}")
        if vote.kind is VoteKind.NULLIFY and VoteKind.NOTARIZE in kinds:
            self.marks["nullified what it had notarized"] = None

    def said(self, place: int, message: WireMessage) -> None:
        """See what leaves a node."""
        if place in self.traitors:
            return
        match message:
            case VoteMessage(vote=vote) | Proposal(vote=vote):
                if self.signer(vote) == place and vote not in self._votes[place]:
                    raise Violation(f"a {vote.kind.name} on the wire that a crash would lose")
                if self.signer(vote) == place:
                    self._sent[place][vote] = None
            case CertificateMessage(certificate=certificate):
                self._certified(certificate)
                if self.notarized.keys() & self.nullified:
                    self.marks["a view with both certificates"] = None
            case _:
                pass

    def convicted(self, evidence: Evidence) -> None:
        """See whom evidence names."""
        if self.signer(evidence.first) not in self.traitors:
            raise Violation("evidence names an honest key")

    def reported(self, peer: NetworkKey, reason: str) -> None:
        """See whom a node blames."""
        if int(self.name(peer)[1:]) not in self.traitors:
            raise Violation(f"an honest peer is blamed: {reason}")

    # -- blocks

    def written(self, place: int, applied: Sequence[Any]) -> None:
        """See blocks on a disk: from now on they may be served."""
        for each in applied:
            height = each.block.header.height
            if height > len(self.blocks):
                self._first(each)
            known = self.blocks[height - 1]
            if known.digest != each.block.digest:
                raise Violation(f"two final blocks at height {height}")
            if known.executed != each.executed:
                raise Violation(f"two results of height {height}")
            self.served[place] = height

    def _first(self, applied: Any) -> None:
        block = applied.block
        header = block.header
        self._is_final(header)
        self.blocks.append(Final(header, block.digest, applied.executed))
        self._tree.apply(block.outcome.changes, header.height)
        for transaction, receipt in zip(block.transactions, block.outcome.receipts, strict=True):
            if transaction.id in self.placed:
                raise Violation("a transaction became final twice")
            self.placed[transaction.id] = header.height
            expected = self.ledger.execute(transaction, header.time_ms, header.height)
            if expected == "OK":
                minting = (one for one in transaction.body.operations if isinstance(one, MintToken))
                self._minted += sum(one.amount for one in minting)
            if expected != Code(receipt.code).name:
                raise Violation(f"the ledger says {Code(receipt.code).name}, not {expected}")
            self.marks["the ledger refused" if expected != "OK" else "the ledger did it"] = None
        if header.epoch_end is not None:
            self.ledger.end_epoch()

    def chain_of(self, place: int) -> list[Final]:
        """Return what a node has on disk, genesis included."""
        header = genesis_header(self._site.genesis)
        genesis = Final(header, self.final[0], header.executed)
        return [genesis, *self.blocks[: self.served[place]]]

    def records_of(self, place: int) -> list[VoteRecord]:
        """Return the last votes of a node."""
        return self._records[place][-OVERHEARD:]

    def judge_end(self) -> None:
        """Compare the state after everything."""
        if self.blocks:
            last = self.blocks[-1]
            if self._tree.root(last.header.height) != last.executed.state_root:
                raise Violation("the reference tree has another root")

    def judge_balances(self, chain: ChainStore) -> None:
        """Count the money that a node says is there."""
        held = self.ledger.s["token"].get(TOKEN, {}).get("held", {})
        if sum(held.values()) != self._minted:
            raise Violation(f"money was made or lost: {sum(held.values())} of {self._minted}")
        for account, amount in held.items():
            if read_balance(Values(chain.states), TOKEN, account) != amount:
                raise Violation("a balance is not what the reference ledger says")
