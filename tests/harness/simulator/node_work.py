"""What clients of level 2 want: documents, money to and fro, too much of it, and changes.

Not here: who submits it to whom (`node_city`).
"""

from collections import Counter
from random import Random

from harness.ledger_city import FREE_POLICY
from harness.simulator.node_judge import TOKEN, Judge
from harness.simulator.node_site import Site
from moyai.primitives.genesis import Member
from moyai.primitives.ids import ZERO_DIGEST, AccountId, TransactionId
from moyai.primitives.operations import Operation
from moyai.primitives.operations_documents import RegisterDocument
from moyai.primitives.operations_governance import (
    AddMember,
    ApproveChange,
    Change,
    ParameterSetting,
    ProposeChange,
    RemoveMember,
    SetParameters,
)
from moyai.primitives.operations_tokens import CreateTokenClass, MintToken, TransferToken
from moyai.primitives.transaction import parse_transaction

MINTED = 100
SMALLEST = 4
AGAIN_MS = 2_000
ROUNDS_MAX = 4
"""A change may have become impossible by another one: then its proposal stays open."""


class Work:
    """Transactions to be, and which of them a node has accepted."""

    def __init__(self, site: Site, judge: Judge, seed: int) -> None:
        self._site = site
        self._judge = judge
        self._random = Random(seed ^ 0x3017)
        self._number = 0
        self._approved: dict[int, int] = {}
        self._rounds: Counter[int] = Counter()
        self._planned: list[tuple[int, Operation]] = [
            (0, CreateTokenClass(TOKEN, "コイン", "coin", FREE_POLICY, ())),
            *((0, MintToken(TOKEN, site.account(member), MINTED)) for member in range(4)),
        ]
        self.accepted: dict[TransactionId, bytes] = {}

    def transaction(self, wall_ms: int) -> bytes:
        """Return the next transaction: what was planned, or anything."""
        if self._planned:
            return self._made(*self._planned.pop(0), wall_ms)
        if self._random.random() < 0.5:
            return self.document(wall_ms)
        giver, taker = self._random.sample(range(4), 2)
        amount = self._random.choice((1, 5, 3 * MINTED))
        transfer = TransferToken(TOKEN, self._site.account(taker), amount)
        return self._made(giver, transfer, wall_ms)

    def document(self, wall_ms: int) -> bytes:
        """Return a transaction that nothing can be wrong with."""
        series = f"series-{self._number}"
        return self._made(self._number % 4, RegisterDocument(series, ZERO_DIGEST, 1), wall_ms)

    def proposal(self, wall_ms: int) -> bytes:
        """Return a proposal: someone leaves, or comes back, or a parameter is another."""
        members = self._judge.ledger.s["members"]
        away = [one for one in self._site.genesis.members if one.account not in members]
        change: Change
        if away:
            change = _back(away[0])
        elif len(members) > SMALLEST and self._random.random() < 0.7:
            change = RemoveMember(AccountId(self._random.choice(sorted(members))))
        else:
            delta_ms = self._random.randrange(100, 250)
            change = SetParameters((ParameterSetting("delta_ms", delta_ms),))
        return self._by(AccountId(min(members)), ProposeChange(change), wall_ms)

    def approvals(self, wall_ms: int) -> list[bytes]:
        """Return approvals by all members of every proposal that is open, now and then again."""
        members = sorted(self._judge.ledger.s["members"])
        made = []
        for number in self._open():
            if wall_ms >= self._approved.get(number, 0) + AGAIN_MS:
                self._approved[number] = wall_ms
                self._rounds[number] += 1
                approval = ApproveChange(number)
                made += [self._by(AccountId(one), approval, wall_ms) for one in members[1:]]
        return made

    @property
    def is_deciding(self) -> bool:
        """Return whether a change is under way, or waits for approvals that may bring it there."""
        return self._judge.ledger.s["chain"]["slot"] is not None or bool(self._open())

    def _open(self) -> list[int]:
        proposals = self._judge.ledger.s["proposal"]
        return [
            number
            for number, each in proposals.items()
            if each["stage"] == "open" and self._rounds[number] < ROUNDS_MAX
        ]

    def said(self, raws: list[bytes], accepted: list[bool]) -> None:
        """Note what a node has answered."""
        for raw, good in zip(raws, accepted, strict=True):
            if good:
                self.accepted[parse_transaction(raw).id] = raw

    def _made(self, member: int, operation: Operation, wall_ms: int) -> bytes:
        return self._by(self._site.account(member), operation, wall_ms)

    def _by(self, account: AccountId, operation: Operation, wall_ms: int) -> bytes:
        self._number += 1
        return self._site.transaction(self._number, account, operation, wall_ms)


def _back(member: Member) -> AddMember:
    return AddMember(
        name=member.name,
        account=member.account,
        validator_key=member.validator_key,
        network_key=member.network_key,
        endpoint=member.endpoint,
        roles=member.roles,
    )
