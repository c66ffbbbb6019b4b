"""The ledger against a second one written for the eye: any blocks of operations, same outcome."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.ledger_city import (
    CITY_HALL,
    DAY_MS,
    NOBODY,
    OFFICER,
    SECOND_OFFICER,
    UTILITY,
    UTILITY_KEY,
    LedgerCity,
    canonical,
    key,
    signed_vote,
    small_genesis,
)
from harness.reference_ledger import ReferenceLedger
from moyai.ledger.accounts import read_account
from moyai.ledger.codes import Code
from moyai.ledger.documents import version_in_force
from moyai.ledger.identity import level_of
from moyai.ledger.membership import (
    next_validators,
    read_full_nodes,
    read_governance,
    read_members,
    read_parameters,
    read_pending_set,
    read_validators,
)
from moyai.ledger.misconduct import read_misconduct
from moyai.ledger.tokens import read_balance, read_supply
from moyai.primitives.genesis import Role
from moyai.primitives.ids import AccountId, Digest, Epoch, NetworkKey, TimeMs
from moyai.primitives.operations import Operation
from moyai.primitives.operations_accounts import (
    AccountKind,
    AddController,
    Controller,
    ControllerRole,
    FreezeAccount,
    OpenAccount,
    RemoveController,
    RotateController,
    ThawAccount,
    Thresholds,
)
from moyai.primitives.operations_documents import (
    RegisterDocument,
    ReplaceDocument,
    RevokeDocument,
)
from moyai.primitives.operations_evidence import SubmitEvidence
from moyai.primitives.operations_governance import (
    AddFullNode,
    AddMember,
    ApproveChange,
    Change,
    MembersReady,
    ParameterSetting,
    ProposeChange,
    RecoverOfficers,
    RemoveFullNode,
    RemoveMember,
    RotateNetworkKey,
    RotateValidatorKey,
    SetEndpoint,
    SetParameters,
)
from moyai.primitives.operations_identity import (
    BindIdentity,
    Level,
    ProgrammeNullifier,
    RenewIdentity,
    RevokeIdentity,
    SuspendIdentity,
)
from moyai.primitives.operations_records import CreateCollection, ExpectRecord, PutRecord, Writers
from moyai.primitives.operations_tokens import (
    BurnToken,
    CreateTokenClass,
    MintToken,
    TokenPolicy,
    TransferToken,
)
from moyai.primitives.state_keys import record_key
from moyai.primitives.transaction import CheckedTransaction, Scheme, opened_account
from moyai.primitives.vote import VoteKind

KEYS = [OFFICER, SECOND_OFFICER, UTILITY_KEY, *(key(30 + number) for number in range(4))]
SCHEMA = canonical(
    {
        "type": "object",
        "additionalProperties": False,
        "required": ["n"],
        "properties": {"n": {"type": "integer", "minimum": 0, "maximum": 9}},
    }
)
VALIDATORS = [key(11), key(12), key(13), key(14)]
SERIES, CLASSES, COLLECTIONS = ["bylaw", "plan"], ["coin", "thanks", "mark"], ["a", "b"]
ACCOUNTS_MAX = 7
BLOCKS = 200
UNREACHED = {  # what this city's clean keys, texts and schemas cannot cause
    Code.KEY_INVALID,
    Code.SCHEMA_INVALID,
    Code.INDEX_INVALID,
    Code.TEXT_INVALID,
    Code.NAME_TOO_LONG,
    Code.CONTROLLERS_TOO_MANY,
    Code.MEMBERS_TOO_MANY,
    Code.FULL_NODES_TOO_MANY,
}


class TwoLedgers:
    """A city whose blocks both ledgers execute, and the chance that fills them."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        self.city = LedgerCity()
        members = {one.account: (one.officer_keys, one.roles) for one in small_genesis().members}
        self.reference = ReferenceLedger(members)  # type: ignore[arg-type]
        for one in small_genesis().members:
            keys = (one.validator_key, one.network_key)
            self.reference.found(one.account, one.name, *keys, one.endpoint)
        self.accounts = [CITY_HALL, UTILITY, NOBODY]
        self.reached: set[Code] = set()
        self.epochs = 0

    def block(self) -> None:
        """Execute one to three transactions, mostly signed by who should."""
        if self.chance.random() < 0.1:
            self.city.time_ms = TimeMs(self.city.time_ms + self.chance.choice([1, 40]) * DAY_MS)
        made = [self.transaction() for _ in range(self.chance.randint(1, 3))]
        outcome = self.city.block(*made)
        for transaction, receipt in zip(made, outcome.receipts, strict=True):
            expected = self.reference.execute(transaction, self.city.time_ms, self.city.height)
            assert Code(receipt.code).name == expected, transaction.body
            self.reached.add(Code(receipt.code))
            for place, operation in enumerate(transaction.body.operations):
                if expected == "OK" and isinstance(operation, OpenAccount):
                    self.accounts.append(opened_account(transaction.id, place))
        if read_pending_set(self.city.state) is not None and self.chance.random() < 0.5:
            self.city.end_epoch()
            self.reference.end_epoch()
            self.epochs += 1

    def transaction(self) -> CheckedTransaction:
        if self.chance.random() < 0.15:
            return self.decision()
        account = self.chance.choice([*self.accounts, CITY_HALL, CITY_HALL])
        found = self.reference.s["account"].get(account)
        signers = list(found["keys"]) if found and self.chance.random() < 0.9 else KEYS
        if self.chance.random() < 0.3:
            signers = self.chance.sample(signers, self.chance.randint(1, len(signers)))
        count = self.chance.choice([1, 1, 1, 2, 3])
        operations = tuple(self.operation(account) for _ in range(count))
        return self.city.transaction(account, operations, tuple(signers))

    def decision(self) -> CheckedTransaction:
        """Return a transaction of a member, signed by its owners and some validators."""
        account = self.chance.choice(list(self.reference.s["members"]))
        owners = list(self.reference.s["account"][account]["keys"])
        validators = self.chance.sample(VALIDATORS, self.chance.randint(0, 3))
        signers = [*owners, *(one for one in validators if one not in owners)]
        return self.city.transaction(account, (self.on_governance(account),), tuple(signers))

    def operation(self, actor: AccountId) -> Operation:
        pick = self.chance.choice
        topic = pick([self.on_accounts, self.on_identity, self.on_tokens, self.on_records])
        return pick([topic, topic, topic, self.on_documents, self.on_governance])(actor)

    def some_account(self) -> AccountId:
        return self.chance.choice(self.accounts)

    def some_time(self) -> TimeMs:
        return TimeMs(self.city.time_ms + self.chance.choice([0, 10, 30, 60, 90]) * DAY_MS)

    def some_controller(self) -> Controller:
        pick = self.chance.choice
        expires_ms = pick([None, None, None, self.some_time()])
        role = pick([ControllerRole.OWNER, ControllerRole.OWNER, *ControllerRole])
        return Controller(Scheme.ED25519, pick(KEYS), role, pick([1, 2]), expires_ms)

    def on_accounts(self, actor: AccountId) -> Operation:
        pick = self.chance.choice
        target = pick([actor, self.some_account()])
        kinds = 7 if len(self.accounts) < ACCOUNTS_MAX else 5
        match self.chance.randrange(kinds):
            case 0:
                return AddController(self.some_controller())
            case 1:
                return RemoveController(pick(KEYS))
            case 2:
                expires_ms = pick([None, self.some_time()])
                return RotateController(pick(KEYS), Scheme.ED25519, pick(KEYS), expires_ms)
            case 3:
                return FreezeAccount(target)
            case 4:
                return ThawAccount(target)
            case _:
                controllers = tuple(self.some_controller() for _ in range(pick([1, 2, 3])))
                thresholds = Thresholds(1, pick([1, 2]), pick([1, 2, 3]))
                kind = pick([AccountKind.PERSON, AccountKind.ORGANISATION])
                return OpenAccount(kind, controllers, thresholds)

    def on_identity(self, _actor: AccountId) -> Operation:
        pick = self.chance.choice
        target = self.some_account()
        match self.chance.randrange(6):
            case 0:
                return RenewIdentity(target, self.some_time())
            case 1:
                return SuspendIdentity(target)
            case 2:
                return RevokeIdentity(target)
            case _:
                person = Digest(bytes([pick([1, 2])]) * 32)
                nullifiers = pick([(), (ProgrammeNullifier(pick(["bus", "snow"]), person),)])
                return BindIdentity(target, pick(list(Level)), self.some_time(), nullifiers, "")

    def on_tokens(self, actor: AccountId) -> Operation:
        pick = self.chance.choice
        name, amount = pick(CLASSES), pick([1, 2, 9])
        match self.chance.randrange(9):
            case 0:
                levels = [Level.GUEST, Level.GUEST, Level.FRIEND]
                policy = TokenPolicy(
                    pick(levels), pick(levels), pick(levels), pick([9, 40]), pick([True, False])
                )
                return CreateTokenClass(name, "t", "t", policy, pick([(), (actor,)]))
            case 1:
                return BurnToken(name, amount)
            case 2 | 3 | 4:
                return TransferToken(name, self.some_account(), amount)
            case _:
                return MintToken(name, self.some_account(), amount)

    def on_records(self, _actor: AccountId) -> Operation:
        pick = self.chance.choice
        name = pick(COLLECTIONS)
        match self.chance.randrange(6):
            case 0:
                writers = Writers((), pick([(), (Role.ISSUER,)]), pick([None, *Level]))
                return CreateCollection(name, "c", "c", SCHEMA, ("n",), writers)
            case 1 | 2:
                return ExpectRecord(name, "x", pick([0, 1, 2, 3]))
            case _:
                return PutRecord(name, "x", canonical({"n": self.chance.randrange(11)}))

    def on_documents(self, _actor: AccountId) -> Operation:
        pick = self.chance.choice
        series, digest = pick(SERIES), Digest(b"\x05" * 32)
        match self.chance.randrange(3):
            case 0:
                return RegisterDocument(series, digest, 1)
            case 1:
                return ReplaceDocument(series, digest, 1, pick([1, 2, 3]))
            case _:
                return RevokeDocument(series, pick([1, 2, 3]))

    def on_governance(self, _actor: AccountId) -> Operation:
        pick = self.chance.choice
        next_set = next_validators(self.city.state)
        match self.chance.randrange(8):
            case 7:
                return self.some_evidence()
            case 0 | 1:
                return ProposeChange(self.some_change())
            case 2 | 3 | 4 if next_set is None or self.chance.random() < 0.4:
                latest = read_governance(self.city.state).proposals
                return ApproveChange(max(1, latest - pick([-1, 0, 0, 0, 1])))
            case _ if next_set is not None:
                return MembersReady(next_set.digest)
            case _:
                return MembersReady(Digest(b"\x06" * 32))

    def some_evidence(self) -> SubmitEvidence:
        """Return two votes of a validator, or of somebody who signs in its place."""
        pick = self.chance.choice
        epoch = Epoch(pick([0, 0, read_governance(self.city.state).epoch, 99]))
        kinds = pick([(VoteKind.NULLIFY, VoteKind.FINALIZE), (VoteKind.NOTARIZE,) * 2])
        digests = pick([(b"\x00", b"\x01"), (b"\x00", b"\x01"), (b"\x01", b"\x00")])
        signer, number = pick([(0, 11), (0, 12), (1, 11), (1, 12), (7, 11)])
        first, second = (
            signed_vote(kind, digest * 32, epoch, signer, number)
            for kind, digest in zip(kinds, digests, strict=True)
        )
        return SubmitEvidence(first, second)

    def some_change(self) -> Change:
        pick = self.chance.choice
        account, vote = self.some_account(), pick(VALIDATORS)
        network = NetworkKey(bytes([pick([5, 6, 7, 8])]) * 32)
        match self.chance.randrange(11):
            case 8:
                return AddFullNode(pick(["library", "bank"]), network, "d:4")
            case 9:
                return RemoveFullNode(pick(["library", "bank"]))
            case 10:
                return RecoverOfficers(account, (pick(KEYS), pick(KEYS)))
            case 0:
                return RemoveMember(account)
            case 1:
                return RotateValidatorKey(account, vote)
            case 2:
                return RotateNetworkKey(account, network)
            case 3:
                return SetEndpoint(account, pick(["a:1", "b:2"]))
            case 4:
                name = pick(["delta_ms", "delta_ms", "nothing"])
                return SetParameters((ParameterSetting(name, pick([9, 250, 300])),))
            case _:
                name = pick(["hospital", "bank", "utility"])
                roles = pick([(), (Role.SPONSOR, Role.REGISTRAR)])
                return AddMember(name, account, vote, network, "c:3", roles)

    def compare_members(self) -> None:
        """Check who runs the chain, and who would run it next."""
        state, known = self.city.state, self.reference.s
        told = {
            one.account: [one.name, one.validator_key, one.network_key, one.endpoint]
            for one in read_members(state)
        }
        assert told == known["members"]
        assert list(told) == list(known["members"])
        nodes = {one.name: one.network_key for one in read_full_nodes(state)}
        assert list(nodes.items()) == list(known["node"].items())
        for voter in VALIDATORS:
            misconduct = read_misconduct(state, voter)
            told_by = None if misconduct is None else misconduct.submitter
            assert told_by == known["convicted"].get(voter)
        governance = read_governance(state)
        assert governance.epoch == known["chain"]["epoch"]
        keys = sorted(entry[1] for entry in told.values())
        assert list(read_validators(state, governance.epoch).keys) == keys
        assert read_parameters(state).delta_ms == known["parameter"].get("delta_ms", 250)
        pending = read_pending_set(state)
        assert (pending is not None) == known["chain"]["pending"]
        if pending is not None:
            assert list(pending.keys) == self.reference.next_keys()

    def compare(self) -> None:
        """Check that every reader tells what the reference knows."""
        state, now, known = self.city.state, self.city.time_ms, self.reference.s
        self.reference.now = now
        self.compare_members()
        for name in self.accounts:
            found = read_account(state, name)
            assert (found is not None) == (name in known["account"])
            if found is None:
                continue
            keys = {c.public_key: (c.role, c.weight, c.expires_ms) for c in found.controllers}
            assert keys == known["account"][name]["keys"]
            assert found.frozen == known["account"][name]["frozen"]
            assert level_of(state, name, found, now) == self.reference.level(name)
        for name, token in known["token"].items():
            held = {one: read_balance(state, name, one) for one in self.accounts}
            assert held == {one: token["held"].get(one, 0) for one in self.accounts}
            assert read_supply(state, name) == sum(held.values()), "supply is conserved"
        for (collection, name), (value, heights) in known["record"].items():
            entry = state.get(record_key(collection, name))
            assert entry is not None
            assert (entry.value, entry.version, entry.height) == (value, len(heights), heights[-1])
        for name, (_, versions) in known["series"].items():
            spans = enumerate(versions, 1)
            in_force = [
                number for number, (_, replaced, revoked) in spans if not (replaced or revoked)
            ]
            told = version_in_force(state, name, now)
            assert ([] if told is None else [told[0]]) == in_force


def run(seed: int, blocks: int = BLOCKS) -> TwoLedgers:
    ledgers = TwoLedgers(seed)
    for number in range(blocks):
        ledgers.block()
        if number % 10 == 0:
            ledgers.compare()
    ledgers.compare()
    return ledgers


@settings(max_examples=8, deadline=None, derandomize=True)
@given(st.integers(0, 2**32))
def test_both_ledgers_agree_on_every_block(seed: int) -> None:
    run(seed)


def test_the_chance_that_fills_the_blocks_reaches_nearly_every_rule() -> None:
    runs = [run(seed) for seed in range(40)]
    reached = set[Code]().union(*(one.reached for one in runs))
    assert set(Code) - reached - UNREACHED <= {Code.NOT_THE_REGISTRAR}
    assert sum(one.epochs for one in runs) > 0, "some epoch ended"
