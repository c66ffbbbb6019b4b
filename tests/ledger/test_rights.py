"""Every operation against every missing right: no signature, no weight, no role, no level, frozen.

Each row of the table is done once by who may; then again with one right taken away, and refused.
"""

from collections.abc import Callable
from typing import NamedTuple, get_args

import msgspec
import pytest

from harness.ledger_city import (
    CITY_HALL,
    DAY_MS,
    FREE_POLICY,
    NOBODY,
    OFFICER,
    SECOND_OFFICER,
    STRANGER,
    UTILITY,
    UTILITY_KEY,
    LedgerCity,
    canonical,
    key,
    owner,
    signed_vote,
)
from moyai.ledger.accounts import read_account
from moyai.ledger.codes import Code
from moyai.ledger.membership import next_validators
from moyai.primitives.codec import encode
from moyai.primitives.genesis import Role
from moyai.primitives.ids import AccountId, Digest, Epoch, TimeMs
from moyai.primitives.operations import Operation
from moyai.primitives.operations_accounts import (
    AccountKind,
    AddController,
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
    ApproveChange,
    MembersReady,
    ProposeChange,
    RotateValidatorKey,
    SetEndpoint,
)
from moyai.primitives.operations_identity import (
    BindIdentity,
    Level,
    RenewIdentity,
    RevokeIdentity,
    SuspendIdentity,
)
from moyai.primitives.operations_records import CreateCollection, ExpectRecord, PutRecord, Writers
from moyai.primitives.operations_tokens import (
    BurnToken,
    CreateTokenClass,
    MintToken,
    TransferToken,
)
from moyai.primitives.state_keys import account_key
from moyai.primitives.transaction import Scheme
from moyai.primitives.vote import VoteKind

ALICE, SPARE, HELPER = key(21), key(22), key(23)
SCHEMA = canonical({"type": "object", "additionalProperties": False})
POLICY = msgspec.structs.replace(
    FREE_POLICY, send_level=Level.E_RESIDENT, mint_level=Level.E_RESIDENT
)


class World:
    """A city in which one account, the actor, may do everything there is."""

    def __init__(self) -> None:
        self.city = LedgerCity()
        helper = msgspec.structs.replace(owner(HELPER, 9), role=ControllerRole.HELPER)
        weights = (owner(ALICE, 2), owner(SPARE, 1), helper)
        self.actor = self.city.open(*weights, thresholds=Thresholds(2, 2, 2))
        self.other = self.city.open(owner(key(31)))
        self.citizen = self.city.open(owner(key(32)))
        self.frozen = self.city.open(owner(key(33)))
        self.city.bind(self.actor, Level.E_RESIDENT)
        self.change(self.frozen, frozen=True)
        self.change(self.actor, roles=tuple(Role))
        self.city.mint("coin", POLICY, (self.actor, 10))
        writers = Writers((), (), Level.E_RESIDENT)
        lots = CreateCollection("lots", "l", "l", SCHEMA, (), writers)
        creation = CreateTokenClass("mine", "m", "m", POLICY, ())
        digest = Digest(bytes(32))
        prepared: tuple[Operation, ...] = (
            creation,
            BindIdentity(self.citizen, Level.FRIEND, self.later(), (), ""),
            RegisterDocument("bylaw", digest, 1),
        )
        self.city.must(CITY_HALL, lots, by=(OFFICER,))
        self.city.must(self.actor, *prepared, by=(ALICE,))

    def later(self) -> TimeMs:
        return TimeMs(self.city.time_ms + 90 * DAY_MS)

    def change(self, account: AccountId, **fields: object) -> None:
        found = read_account(self.city.state, account)
        assert found is not None
        changed = msgspec.structs.replace(found, **fields)
        self.city.state.apply(self.city.height, {account_key(account): encode(changed)})


def as_member(world: World, operation: Operation) -> Operation:
    """Let the actor act for a member; that its account is one is tried in the rules' own tests."""
    world.change(world.actor, member=True)
    return operation


def approval(world: World) -> Operation:
    proposal = ProposeChange(SetEndpoint(UTILITY, "utility.example:1"))
    world.city.must(CITY_HALL, proposal, by=(OFFICER, SECOND_OFFICER))
    return as_member(world, ApproveChange(1))


def readiness(world: World) -> Operation:
    """ALICE is the key with which the utility will vote."""
    change = RotateValidatorKey(UTILITY, ALICE)
    world.city.must(CITY_HALL, ProposeChange(change), by=(OFFICER, SECOND_OFFICER))
    world.city.must(UTILITY, ApproveChange(1), by=(UTILITY_KEY,))
    next_set = next_validators(world.city.state)
    assert next_set is not None
    return MembersReady(next_set.digest)


def evidence() -> Operation:
    """What the first validator signed twice."""
    votes = [(VoteKind.NULLIFY, bytes(32)), (VoteKind.FINALIZE, b"\x01" * 32)]
    number = 11 if key(11) < key(12) else 12
    first, second = (signed_vote(kind, digest, Epoch(0), 0, number) for kind, digest in votes)
    return SubmitEvidence(first, second)


class Row(NamedTuple):
    """An operation the actor may do, and which rights it stands on."""

    make: Callable[[World], Operation]
    role: Role | None = None
    level: Code | None = None
    helpers: bool = False


ROWS: dict[type[msgspec.Struct], Row] = {
    OpenAccount: Row(
        lambda _: OpenAccount(AccountKind.PERSON, (owner(key(41)),), Thresholds(1, 1, 1)),
        role=Role.SPONSOR,
        helpers=True,
    ),
    AddController: Row(lambda _: AddController(owner(key(42)))),
    RemoveController: Row(lambda _: RemoveController(SPARE)),
    RotateController: Row(lambda _: RotateController(SPARE, Scheme.ED25519, key(43), None)),
    FreezeAccount: Row(lambda w: FreezeAccount(w.other), role=Role.REGISTRAR, helpers=True),
    ThawAccount: Row(lambda w: ThawAccount(w.frozen), role=Role.REGISTRAR),
    BindIdentity: Row(
        lambda w: BindIdentity(w.other, Level.FRIEND, w.later(), (), ""), role=Role.REGISTRAR
    ),
    RenewIdentity: Row(lambda w: RenewIdentity(w.citizen, w.later()), role=Role.REGISTRAR),
    SuspendIdentity: Row(lambda w: SuspendIdentity(w.citizen), role=Role.REGISTRAR),
    RevokeIdentity: Row(lambda w: RevokeIdentity(w.citizen), role=Role.REGISTRAR),
    CreateTokenClass: Row(
        lambda _: CreateTokenClass("new", "n", "n", POLICY, ()), role=Role.ISSUER
    ),
    MintToken: Row(lambda w: MintToken("mine", w.other, 1), level=Code.LEVEL_TOO_LOW),
    TransferToken: Row(lambda w: TransferToken("coin", w.other, 1), level=Code.LEVEL_TOO_LOW),
    BurnToken: Row(lambda _: BurnToken("coin", 1)),
    CreateCollection: Row(
        lambda _: CreateCollection("new", "n", "n", SCHEMA, (), Writers((), (), None)),
        role=Role.RECORDS,
    ),
    PutRecord: Row(lambda _: PutRecord("lots", "a", b"{}"), level=Code.NOT_A_WRITER, helpers=True),
    ExpectRecord: Row(lambda _: ExpectRecord("lots", "a", 0), helpers=True),
    RegisterDocument: Row(
        lambda _: RegisterDocument("plan", Digest(bytes(32)), 1),
        level=Code.LEVEL_TOO_LOW,
        helpers=True,
    ),
    ReplaceDocument: Row(
        lambda _: ReplaceDocument("bylaw", Digest(bytes(32)), 1, 1),
        level=Code.LEVEL_TOO_LOW,
        helpers=True,
    ),
    RevokeDocument: Row(lambda _: RevokeDocument("bylaw", 1), helpers=True),
    ProposeChange: Row(
        lambda w: as_member(w, ProposeChange(SetEndpoint(UTILITY, "utility.example:1")))
    ),
    ApproveChange: Row(approval),
    MembersReady: Row(readiness),
    SubmitEvidence: Row(lambda _: evidence(), helpers=True),
}
every_operation = pytest.mark.parametrize("kind", ROWS, ids=lambda kind: kind.__name__)


def test_the_table_walks_every_operation() -> None:
    assert set(ROWS) == set(get_args(Operation))


@every_operation
def test_who_has_every_right_may(kind: type[msgspec.Struct]) -> None:
    world = World()
    world.city.must(world.actor, ROWS[kind].make(world), by=(ALICE,))


@every_operation
@pytest.mark.parametrize("signers", [(STRANGER,), (SPARE,), (OFFICER, SECOND_OFFICER)])
def test_without_the_signatures(kind: type[msgspec.Struct], signers: tuple[bytes, ...]) -> None:
    world = World()
    operation = ROWS[kind].make(world)
    assert world.city.code(world.actor, operation, by=signers) is Code.SIGNATURES_INSUFFICIENT


@every_operation
def test_a_helper_does_what_is_ordinary_and_no_more(kind: type[msgspec.Struct]) -> None:
    world, row = World(), ROWS[kind]
    expected = Code.OK if row.helpers else Code.SIGNATURES_INSUFFICIENT
    assert world.city.code(world.actor, row.make(world), by=(HELPER,)) is expected


@every_operation
def test_for_an_account_that_does_not_exist(kind: type[msgspec.Struct]) -> None:
    world = World()
    operation = ROWS[kind].make(world)
    assert world.city.code(NOBODY, operation, by=(ALICE,)) is Code.ACCOUNT_UNKNOWN


@every_operation
def test_for_a_frozen_account(kind: type[msgspec.Struct]) -> None:
    world = World()
    world.change(world.actor, frozen=True)
    operation = ROWS[kind].make(world)
    assert world.city.code(world.actor, operation, by=(ALICE,)) is Code.ACCOUNT_FROZEN


@every_operation
def test_without_the_role(kind: type[msgspec.Struct]) -> None:
    world, row = World(), ROWS[kind]
    world.change(world.actor, roles=tuple(role for role in Role if role is not row.role))
    expected = Code.OK if row.role is None else Code.ROLE_MISSING
    assert world.city.code(world.actor, row.make(world), by=(ALICE,)) is expected


@every_operation
def test_with_a_level_that_lapsed(kind: type[msgspec.Struct]) -> None:
    world, row = World(), ROWS[kind]
    world.city.time_ms = TimeMs(world.city.time_ms + 366 * DAY_MS)
    expected = Code.OK if row.level is None else row.level
    assert world.city.code(world.actor, row.make(world), by=(ALICE,)) is expected
