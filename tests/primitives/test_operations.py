"""Scenarios of operations as bytes: numbers never move, and nothing out of bounds is decoded."""

from typing import get_args

import msgspec
import pytest

from moyai.primitives.codec import encode
from moyai.primitives.genesis import Role
from moyai.primitives.ids import (
    AccountId,
    Digest,
    Epoch,
    NetworkKey,
    PublicKey,
    TimeMs,
    ValidatorIndex,
    View,
)
from moyai.primitives.limits import AMOUNT_MAX
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
from moyai.primitives.vote import Vote, VoteKind

decoder = msgspec.msgpack.Decoder(Operation)

KEY = bytes(31) + b"\x01"
ALICE = AccountId(b"\xaa" * 20)
DIGEST = Digest(b"\xdd" * 32)
OWNER = Controller(1, KEY, ControllerRole.OWNER, 1, None)
KEY_HEX = "c420" + "00" * 31 + "01"
VOTE_HEX = "96000c%02xc420" + "dd" * 32 + "01c440" + "ee" * 64
ALICE_HEX = "c414" + "aa" * 20
DIGEST_HEX = "c420" + "dd" * 32


def vote(kind: VoteKind) -> Vote:
    return Vote(Epoch(0), View(12), kind, DIGEST, ValidatorIndex(1), b"\xee" * 64)


PINNED: list[tuple[Operation, str]] = [
    (
        OpenAccount(AccountKind.PERSON, (OWNER,), Thresholds(1, 1, 1)),
        "9401019195" + "01" + KEY_HEX + "0101c0" + "93010101",
    ),
    (AddController(OWNER), "9202" + "9501" + KEY_HEX + "0101c0"),
    (RemoveController(KEY), "9203" + KEY_HEX),
    (RotateController(KEY, 1, KEY, TimeMs(5)), "9504" + KEY_HEX + "01" + KEY_HEX + "05"),
    (FreezeAccount(ALICE), "9205" + ALICE_HEX),
    (ThawAccount(ALICE), "9206" + ALICE_HEX),
    (
        BindIdentity(ALICE, Level.FRIEND, TimeMs(5), (ProgrammeNullifier("bus", DIGEST),), "xn"),
        "9614" + ALICE_HEX + "0105" + "9192a3627573" + DIGEST_HEX + "a2786e",
    ),
    (RenewIdentity(ALICE, TimeMs(5)), "9315" + ALICE_HEX + "05"),
    (SuspendIdentity(ALICE), "9216" + ALICE_HEX),
    (RevokeIdentity(ALICE), "9217" + ALICE_HEX),
    (
        CreateTokenClass(
            "coin", "c", "c", TokenPolicy(Level.GUEST, Level.FRIEND, Level.RESIDENT, 9, True), ()
        ),
        "961ea4636f696ea163a163" + "9500010409c3" + "90",
    ),
    (MintToken("coin", ALICE, 1), "941fa4636f696e" + ALICE_HEX + "01"),
    (TransferToken("coin", ALICE, AMOUNT_MAX), "9420a4636f696e" + ALICE_HEX + "cf7f" + "ff" * 7),
    (BurnToken("coin", 1), "9321a4636f696e01"),
    (
        CreateCollection("lots", "l", "l", b"{}", ("n",), Writers((ALICE,), (), Level.FRIEND)),
        "9728a46c6f7473a16ca16c" + "c4027b7d" + "91a16e" + "9391" + ALICE_HEX + "9001",
    ),
    (PutRecord("lots", "a", b"{}"), "9429a46c6f7473a161c4027b7d"),
    (ExpectRecord("lots", "a", 0), "942aa46c6f7473a16100"),
    (RegisterDocument("s", DIGEST, 7), "9432a173" + DIGEST_HEX + "07"),
    (ReplaceDocument("s", DIGEST, 7, 1), "9533a173" + DIGEST_HEX + "0701"),
    (RevokeDocument("s", 1), "9334a17301"),
    (ProposeChange(RemoveMember(ALICE)), "923c" + "9202" + ALICE_HEX),
    (ApproveChange(7), "923d07"),
    (MembersReady(DIGEST), "923e" + DIGEST_HEX),
    (
        SubmitEvidence(vote(VoteKind.NULLIFY), vote(VoteKind.FINALIZE)),
        "933f" + VOTE_HEX % 2 + VOTE_HEX % 3,
    ),
]

CHANGES: list[tuple[Change, str]] = [
    (
        AddMember("h", ALICE, PublicKey(KEY), NetworkKey(KEY), "h:1", (Role.SPONSOR,)),
        "9701a168" + ALICE_HEX + KEY_HEX + KEY_HEX + "a3683a31" + "9101",
    ),
    (RemoveMember(ALICE), "9202" + ALICE_HEX),
    (RotateValidatorKey(ALICE, PublicKey(KEY)), "9303" + ALICE_HEX + KEY_HEX),
    (RotateNetworkKey(ALICE, NetworkKey(KEY)), "9304" + ALICE_HEX + KEY_HEX),
    (SetEndpoint(ALICE, "h:1"), "9305" + ALICE_HEX + "a3683a31"),
    (SetParameters((ParameterSetting("delta_ms", 9),)), "92069192a864656c74615f6d7309"),
    (AddFullNode("l", NetworkKey(KEY), "l:1"), "9407a16c" + KEY_HEX + "a36c3a31"),
    (RemoveFullNode("l"), "9208a16c"),
    (RecoverOfficers(ALICE, (PublicKey(KEY),)), "9309" + ALICE_HEX + "91" + KEY_HEX),
]


@pytest.mark.parametrize(("operation", "pinned"), PINNED, ids=lambda one: type(one).__name__)
def test_the_bytes_of_an_operation_are_pinned(operation: Operation, pinned: str) -> None:
    assert encode(operation).hex() == pinned
    assert decoder.decode(bytes.fromhex(pinned)) == operation


@pytest.mark.parametrize(("change", "pinned"), CHANGES, ids=lambda one: type(one).__name__)
def test_the_bytes_of_a_change_are_pinned(change: Change, pinned: str) -> None:
    assert encode(ProposeChange(change)).hex() == "923c" + pinned
    assert decoder.decode(bytes.fromhex("923c" + pinned)) == ProposeChange(change)


def test_every_change_is_pinned() -> None:
    assert {type(change) for change, _ in CHANGES} == set(get_args(Change))


def test_every_operation_is_pinned_and_has_a_number_of_its_own() -> None:
    kinds = get_args(Operation)
    assert {type(operation) for operation, _ in PINNED} == set(kinds)
    assert len({encode(operation)[1] for operation, _ in PINNED}) == len(kinds)


@pytest.mark.parametrize(
    "fields",
    [
        [99, "coin"],
        [33, "coin", 0],
        [33, "coin", AMOUNT_MAX + 1],
        [33, "coin", -1],
        [33, "coin", 1.0],
        [33, "Coin", 1],
        [33, "coin\n", 1],
        [33, "", 1],
        [33, "x" * 33, 1],
        [32, "coin", bytes(19), 1],
        [20, ALICE, 5, 5, [], ""],
        [20, ALICE, 1, 2**53, [], ""],
        [20, ALICE, 1, 5, [], "XN"],
        [1, 7, [[1, KEY, 1, 1, None]], [1, 1, 1]],
        [1, 1, [], [1, 1, 1]],
        [1, 1, [[1, KEY, 1, 0, None]], [1, 1, 1]],
        [1, 1, [[3, KEY, 1, 1, None]], [1, 1, 1]],
        [1, 1, [[1, KEY[1:], 1, 1, None]], [1, 1, 1]],
        [41, "lots", "", b"{}"],
        [41, "lots", "a", b"{" + b" " * 16_384],
        [42, "lots", "a", -1],
        [50, "s", bytes(31), 1],
        [52, "s", 0],
        [60, [10, ALICE]],
        [60, [9, ALICE, []]],
        [60, [2, bytes(19)]],
        [60, [5, ALICE, "no port"]],
        [60, [5, ALICE, "h:123456"]],
        [60, [6, []]],
        [60, [6, [["delta_ms", -1]]]],
        [61, 0],
        [62, bytes(31)],
    ],
)
def test_what_is_out_of_bounds_is_never_decoded(fields: list[object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        decoder.decode(msgspec.msgpack.encode(fields))
