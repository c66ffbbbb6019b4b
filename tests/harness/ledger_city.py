"""A small city for scenarios of the ledger: two members, a clock, and blocks of one transaction.

Signatures are taken as checked; everything else is the shipped code. Not here: networks, storage.
"""

import msgspec

from moyai.ledger.apply import BlockContext, BlockOutcome, apply_block
from moyai.ledger.codes import Code
from moyai.ledger.genesis import genesis_state
from moyai.ledger.membership import read_governance, read_pending_set
from moyai.ledger.state import StateEntry
from moyai.primitives.codec import encode
from moyai.primitives.genesis import Genesis, Member, Role
from moyai.primitives.ids import (
    ZERO_DIGEST,
    AccountId,
    Digest,
    Epoch,
    Height,
    NetworkKey,
    PublicKey,
    TimeMs,
    ValidatorIndex,
    View,
)
from moyai.primitives.keys import SigningKey
from moyai.primitives.operations import Operation
from moyai.primitives.operations_accounts import (
    AccountKind,
    Controller,
    ControllerRole,
    OpenAccount,
    Thresholds,
)
from moyai.primitives.operations_identity import BindIdentity, Level
from moyai.primitives.operations_tokens import CreateTokenClass, MintToken, TokenPolicy
from moyai.primitives.parameters import Parameters
from moyai.primitives.receipt import Receipt
from moyai.primitives.transaction import (
    Body,
    CheckedTransaction,
    Scheme,
    Signer,
    assemble,
    checked_before,
    opened_account,
    parse_transaction,
)
from moyai.primitives.vote import Vote, VoteKind, vote_message

CHAIN_ID = "test-city"
START_MS = 1_700_000_000_000
DAY_MS = 86_400_000
CITY_HALL = AccountId(b"\x01" * 20)
UTILITY = AccountId(b"\x02" * 20)
NOBODY = AccountId(b"\x09" * 20)
FREE_POLICY = TokenPolicy(Level.GUEST, Level.GUEST, Level.GUEST, 1_000_000, transferable=True)


def key(number: int) -> PublicKey:
    """Return the public key of test key `number`."""
    return SigningKey(number.to_bytes(32, "big")).public


OFFICER, SECOND_OFFICER, UTILITY_KEY, STRANGER = key(1), key(2), key(3), key(99)


def owner(public_key: bytes, weight: int = 1, expires_ms: TimeMs | None = None) -> Controller:
    """Return an Ed25519 owner."""
    return Controller(Scheme.ED25519, public_key, ControllerRole.OWNER, weight, expires_ms)


def signed_vote(
    kind: VoteKind, digest: bytes, epoch: Epoch, signer: int, number: int, view: int = 3
) -> Vote:
    """Return a vote in the slot of a validator, signed with test key `number`."""
    message = vote_message(CHAIN_ID, epoch, view, kind, digest)
    signature = SigningKey(number.to_bytes(32, "big")).sign(message)
    return Vote(epoch, View(view), kind, Digest(digest), ValidatorIndex(signer), signature)


def small_genesis() -> Genesis:
    """Return a city hall with every role and two officers, and a utility that is only a sponsor."""
    city_hall = Member(
        name="city hall",
        validator_key=key(11),
        network_key=NetworkKey(b"\x05" * 32),
        endpoint="127.0.0.1:7000",
        account=CITY_HALL,
        officer_keys=(OFFICER, SECOND_OFFICER),
        roles=tuple(Role),
    )
    utility = Member(
        name="utility",
        validator_key=key(12),
        network_key=NetworkKey(b"\x06" * 32),
        endpoint="127.0.0.1:7001",
        account=UTILITY,
        officer_keys=(UTILITY_KEY,),
        roles=(Role.SPONSOR,),
    )
    members = (city_hall, utility)
    return Genesis(CHAIN_ID, TimeMs(START_MS), Parameters(), members, (), ZERO_DIGEST)


def make_transaction(
    account: AccountId,
    operations: tuple[Operation, ...],
    signers: tuple[bytes, ...],
    *,
    number: int = 0,
    valid_until_ms: int = START_MS + 60_000,
) -> CheckedTransaction:
    """Return a transaction whose signatures count as checked."""
    body = Body(
        chain_id=CHAIN_ID,
        account=account,
        signers=tuple(Signer(Scheme.ED25519, one) for one in signers),
        operations=operations,
        valid_until_ms=TimeMs(valid_until_ms),
        nonce=number.to_bytes(8, "big"),
        memo=None,
    )
    signatures = tuple(bytes(64) for _ in signers)
    return checked_before(parse_transaction(assemble(body, signatures)))


class MemoryState:
    """A state reader over a dictionary, that blocks are applied to."""

    def __init__(self, values: dict[bytes, bytes]) -> None:
        self.entries = {name: StateEntry(value, 1, Height(0)) for name, value in values.items()}

    def get(self, key: bytes) -> StateEntry | None:
        return self.entries.get(key)

    def value(self, key: bytes) -> bytes | None:
        entry = self.entries.get(key)
        return None if entry is None else entry.value

    def apply(self, height: Height, changes: dict[bytes, bytes | None]) -> None:
        for name, value in changes.items():
            if value is None:
                self.entries.pop(name, None)
                continue
            old = self.entries.get(name)
            self.entries[name] = StateEntry(value, 1 + (old.version if old else 0), height)


class LedgerCity:
    """The ledger of a city and its clock; every transaction is a block of its own."""

    def __init__(self) -> None:
        self.state = MemoryState(genesis_state(small_genesis()))
        self.height = Height(0)
        self.time_ms = TimeMs(START_MS)
        self.transactions = 0
        self.outcome: BlockOutcome | None = None

    def transaction(
        self, account: AccountId, operations: tuple[Operation, ...], signers: tuple[bytes, ...]
    ) -> CheckedTransaction:
        """Return a transaction with a nonce of its own."""
        self.transactions += 1
        return make_transaction(account, operations, signers, number=self.transactions)

    def block(
        self, *transactions: CheckedTransaction, epoch_end: Digest | None = None
    ) -> BlockOutcome:
        """Execute one block a second after the last one."""
        self.height = Height(self.height + 1)
        self.time_ms = TimeMs(self.time_ms + 1_000)
        context = BlockContext(
            self.height, self.time_ms, read_governance(self.state).epoch, epoch_end
        )
        outcome = apply_block(self.state, context, transactions)
        self.state.apply(self.height, outcome.changes)
        self.outcome = outcome
        return outcome

    def end_epoch(self) -> None:
        """Execute an empty block that ends the epoch for the pending set."""
        pending = read_pending_set(self.state)
        assert pending is not None, "no change is pending"
        self.block(epoch_end=pending.digest)

    def do(self, account: AccountId, *operations: Operation, by: tuple[bytes, ...]) -> Receipt:
        """Execute one transaction in a block of its own."""
        return self.block(self.transaction(account, operations, by)).receipts[0]

    def must(self, account: AccountId, *operations: Operation, by: tuple[bytes, ...]) -> Receipt:
        """Execute one transaction that is accepted."""
        receipt = self.do(account, *operations, by=by)
        assert receipt.code == Code.OK, f"{Code(receipt.code).name} {receipt.subject}"
        return receipt

    def code(self, account: AccountId, *operations: Operation, by: tuple[bytes, ...]) -> Code:
        """Execute one transaction and return its code; a refused one changes nothing."""
        before = dict(self.state.entries)
        receipt = self.do(account, *operations, by=by)
        if receipt.code != Code.OK:
            assert self.state.entries == before, "a refused transaction changed the state"
            assert receipt.events == ()
        return Code(receipt.code)

    def open(
        self,
        *controllers: Controller,
        thresholds: Thresholds | None = None,
        level: Level = Level.GUEST,
    ) -> AccountId:
        """Open a person's account under the city hall, and bind it to a level."""
        opening = OpenAccount(AccountKind.PERSON, controllers, thresholds or Thresholds(1, 1, 1))
        receipt = self.must(CITY_HALL, opening, by=(OFFICER,))
        account = opened_account(receipt.transaction, 0)
        if level:
            self.bind(account, level)
        return account

    def bind(self, account: AccountId, level: Level, *, days: int = 365) -> None:
        """Bind an account to a level by two officers."""
        expires_ms = TimeMs(self.time_ms + days * DAY_MS)
        binding = BindIdentity(account, level, expires_ms, (), "")
        self.must(CITY_HALL, binding, by=(OFFICER, SECOND_OFFICER))

    def mint(
        self,
        name: str,
        policy: TokenPolicy = FREE_POLICY,
        *grants: tuple[AccountId, int],
    ) -> None:
        """Create a token class of the city hall and mint some of it."""
        creation = CreateTokenClass(name, "コイン", "coin", policy, ())
        self.must(CITY_HALL, creation, by=(OFFICER,))
        for account, amount in grants:
            self.must(CITY_HALL, MintToken(name, account, amount), by=(OFFICER,))


def canonical(value: object) -> bytes:
    """Return a value as canonical JSON."""
    return msgspec.json.encode(value, order="sorted")


def state_bytes(outcome: BlockOutcome) -> bytes:
    """Return everything a block does as bytes, to compare executions."""
    indexes = [(one.index, one.value, one.key, one.added) for one in outcome.indexes]
    changes = list(outcome.changes.items())
    return encode((outcome.receipts, changes, indexes, outcome.touched))
