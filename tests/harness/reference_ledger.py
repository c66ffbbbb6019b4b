"""A second ledger, written for the eye alone: plain dictionaries, copied whole for every attempt.

It restates the rules of docs/ledger.md without a line of the shipped ones. Keys are Ed25519 keys
that are known to be good, texts are clean, schemas ask for one integer `n` from 0 to 9.
"""

# ruff: noqa: N802 - methods are named by the operations, numbers stand as the rules say them

import json
from copy import deepcopy
from typing import Any

from moyai.primitives.transaction import opened_account

OWNER, HELPERS = 1, (2, 4)
SPONSOR, REGISTRAR, ISSUER, RECORDS = 1, 2, 3, 4


class No(Exception):
    """A refusal, by the name of its code."""


def need(condition: object, code: str) -> None:
    if not condition:
        raise No(code)


class ReferenceLedger:
    def __init__(self, members: dict[bytes, tuple[tuple[bytes, ...], tuple[int, ...]]]) -> None:
        self.s: dict[str, dict[Any, Any]] = {
            name: {}
            for name in ("account", "level", "nullifier", "token", "record", "series", "lots")
        }
        for account, (keys, roles) in members.items():
            owners = dict.fromkeys(keys, (OWNER, 1, None))
            self.s["account"][account] = new_account(
                owners, (1, 1, min(2, len(owners))), roles, member=True
            )

    def execute(self, transaction: Any, time_ms: int, height: int) -> str:
        """Return the name of the code; all operations count, or none."""
        self.body, self.id = transaction.body, transaction.id
        self.now, self.height = time_ms, height
        self.me = transaction.body.account
        before = deepcopy(self.s)
        try:
            need(self.me in self.s["account"], "ACCOUNT_UNKNOWN")
            for place, operation in enumerate(transaction.body.operations):
                self.place = place
                self.old = before
                getattr(self, type(operation).__name__)(operation)
        except No as refusal:
            self.s = before
            return str(refusal)
        return "OK"

    def account(self, name: bytes) -> Any:
        need(name in self.s["account"], "ACCOUNT_UNKNOWN")
        return self.s["account"][name]

    def signed(self, account: Any, *roles: int) -> list[int]:
        """The weights of the unexpired keys of these roles that signed."""
        names = [signer.public_key for signer in self.body.signers]
        return [
            weight
            for one, (role, weight, expires) in account["keys"].items()
            if one in names and role in roles and (expires is None or self.now < expires)
        ]

    def weigh(self, kind: int, helpers: bool = False) -> None:
        me = self.account(self.me)
        need(not me["frozen"], "ACCOUNT_FROZEN")
        roles = (OWNER, *HELPERS) if helpers else (OWNER,)
        need(sum(self.signed(me, *roles)) >= me["thresholds"][kind], "SIGNATURES_INSUFFICIENT")

    def role(self, role: int) -> None:
        need(role in self.account(self.me)["roles"], "ROLE_MISSING")

    def level(self, name: bytes) -> int:
        if self.account(name)["member"]:
            return 4
        level, expires, standing, _ = self.s["level"].get(name, (0, 0, "revoked", b""))
        return level if standing == "active" and self.now < expires else 0

    def officers(self, level: int) -> None:
        self.weigh(0)
        self.role(REGISTRAR)
        owners = len(self.signed(self.account(self.me), OWNER))
        need(level < 3 or owners >= 2, "TWO_OFFICERS_NEEDED")

    def OpenAccount(self, o: Any) -> None:
        self.weigh(0, helpers=True)
        self.role(SPONSOR)
        need(
            all(c.expires_ms is None or c.expires_ms > self.now for c in o.controllers),
            "EXPIRY_PAST",
        )
        keys = {c.public_key: (c.role, c.weight, c.expires_ms) for c in o.controllers}
        need(len(keys) == len(o.controllers), "CONTROLLER_EXISTS")
        limits = (o.thresholds.ordinary, o.thresholds.value, o.thresholds.control)
        need(lasting(keys) >= max(limits), "THRESHOLD_UNREACHABLE")
        self.s["account"][opened_account(self.id, self.place)] = new_account(keys, limits, ())

    def AddController(self, o: Any) -> None:
        self.weigh(2)
        c, keys = o.controller, self.account(self.me)["keys"]
        need(c.expires_ms is None or c.expires_ms > self.now, "EXPIRY_PAST")
        need(len(keys) < 16, "CONTROLLERS_TOO_MANY")
        need(c.public_key not in keys, "CONTROLLER_EXISTS")
        keys[c.public_key] = (c.role, c.weight, c.expires_ms)

    def RemoveController(self, o: Any) -> None:
        self.weigh(2)
        me = self.account(self.me)
        need(o.public_key in me["keys"], "CONTROLLER_UNKNOWN")
        del me["keys"][o.public_key]
        need(lasting(me["keys"]) >= max(me["thresholds"]), "LAST_OWNER")

    def RotateController(self, o: Any) -> None:
        self.weigh(2)
        me = self.account(self.me)
        need(o.public_key in me["keys"], "CONTROLLER_UNKNOWN")
        need(o.new_expires_ms is None or o.new_expires_ms > self.now, "EXPIRY_PAST")
        need(o.new_public_key not in me["keys"], "CONTROLLER_EXISTS")
        role, weight, _ = me["keys"].pop(o.public_key)
        me["keys"][o.new_public_key] = (role, weight, o.new_expires_ms)
        need(lasting(me["keys"]) >= max(me["thresholds"]), "LAST_OWNER")

    def FreezeAccount(self, o: Any) -> None:
        target = self.account(o.account)
        if o.account != self.me or not self.signed(target, 1, 2, 3, 4):
            self.weigh(0, helpers=True)
            self.role(REGISTRAR)
        need(not target["frozen"], "ACCOUNT_FROZEN")
        target["frozen"] = True

    def ThawAccount(self, o: Any) -> None:
        target = self.account(o.account)
        if o.account == self.me:
            strong = sum(self.signed(target, OWNER)) >= target["thresholds"][2]
            need(strong, "SIGNATURES_INSUFFICIENT")
        else:
            self.weigh(2)
            self.role(REGISTRAR)
        need(target["frozen"], "ACCOUNT_NOT_FROZEN")
        target["frozen"] = False

    def BindIdentity(self, o: Any) -> None:
        self.officers(o.level)
        self.account(o.account)
        need(o.expires_ms > self.now, "EXPIRY_PAST")
        standing = self.s["level"].get(o.account, (0, 0, "revoked", b""))[2]
        need(standing == "revoked", "IDENTITY_EXISTS")
        for one in o.nullifiers:
            holder = self.s["nullifier"].setdefault((one.programme, one.nullifier), o.account)
            need(holder == o.account, "NULLIFIER_USED")
        self.s["level"][o.account] = (int(o.level), o.expires_ms, "active", self.me)

    def binding(self, name: bytes) -> tuple[int, int, str]:
        level, expires, standing, by = self.s["level"].get(name, (0, 0, "", b""))
        self.officers(level)
        need(standing, "IDENTITY_UNKNOWN")
        need(standing != "revoked", "IDENTITY_REVOKED")
        need(by == self.me, "NOT_THE_REGISTRAR")
        return level, expires, standing

    def RenewIdentity(self, o: Any) -> None:
        level, _, _ = self.binding(o.account)
        need(o.expires_ms > self.now, "EXPIRY_PAST")
        self.s["level"][o.account] = (level, o.expires_ms, "active", self.me)

    def SuspendIdentity(self, o: Any) -> None:
        level, expires, standing = self.binding(o.account)
        need(standing == "active", "IDENTITY_SUSPENDED")
        self.s["level"][o.account] = (level, expires, "suspended", self.me)

    def RevokeIdentity(self, o: Any) -> None:
        level, expires, _ = self.binding(o.account)
        self.s["level"][o.account] = (level, expires, "revoked", self.me)

    def CreateTokenClass(self, o: Any) -> None:
        self.weigh(0)
        self.role(ISSUER)
        need(o.name not in self.s["token"], "TOKEN_EXISTS")
        for minter in o.minters:
            self.account(minter)
        minters = (self.me, *o.minters)
        self.s["token"][o.name] = {"policy": o.policy, "minters": minters, "held": {}}

    def token(self, name: str) -> Any:
        self.weigh(1)
        need(name in self.s["token"], "TOKEN_UNKNOWN")
        return self.s["token"][name]

    def MintToken(self, o: Any) -> None:
        token = self.token(o.token)
        need(self.me in token["minters"], "NOT_A_MINTER")
        need(self.level(self.me) >= token["policy"].mint_level, "LEVEL_TOO_LOW")
        need(self.level(o.to) >= token["policy"].hold_level, "LEVEL_TOO_LOW")
        need(sum(token["held"].values()) + o.amount <= token["policy"].cap, "CAP_EXCEEDED")
        token["held"][o.to] = token["held"].get(o.to, 0) + o.amount

    def TransferToken(self, o: Any) -> None:
        token = self.token(o.token)
        need(token["policy"].transferable, "NOT_TRANSFERABLE")
        need(o.to != self.me, "SELF_TRANSFER")
        self.account(o.to)
        need(self.level(self.me) >= token["policy"].send_level, "LEVEL_TOO_LOW")
        need(self.level(o.to) >= token["policy"].hold_level, "LEVEL_TOO_LOW")
        self.pay(token["held"], o.amount)
        token["held"][o.to] = token["held"].get(o.to, 0) + o.amount

    def BurnToken(self, o: Any) -> None:
        self.pay(self.token(o.token)["held"], o.amount)

    def pay(self, held: dict[bytes, int], amount: int) -> None:
        need(held.get(self.me, 0) >= amount, "BALANCE_TOO_LOW")
        held[self.me] -= amount

    def CreateCollection(self, o: Any) -> None:
        self.weigh(0)
        self.role(RECORDS)
        need(o.name not in self.s["lots"], "COLLECTION_EXISTS")
        self.s["lots"][o.name] = (self.me, o.writers)

    def PutRecord(self, o: Any) -> None:
        self.weigh(0, helpers=True)
        need(o.collection in self.s["lots"], "COLLECTION_UNKNOWN")
        creator, writers = self.s["lots"][o.collection]
        mine = self.me == creator or self.me in writers.accounts
        ranked = writers.level is not None and self.level(self.me) >= writers.level
        shared = set(writers.roles) & set(self.account(self.me)["roles"])
        need(mine or ranked or shared, "NOT_A_WRITER")
        number = json.loads(o.value).get("n")
        need(isinstance(number, int) and 0 <= number <= 9, "VALUE_INVALID")
        name = (o.collection, o.key)
        _, versions = self.s["record"].get(name, (b"", []))
        heights = versions if versions[-1:] == [self.height] else [*versions, self.height]
        self.s["record"][name] = (o.value, heights)

    def ExpectRecord(self, o: Any) -> None:
        self.weigh(0, helpers=True)
        need(o.collection in self.s["lots"], "COLLECTION_UNKNOWN")
        _, heights = self.old["record"].get((o.collection, o.key), (b"", []))
        fresh = heights[-1:] == [self.height]
        need(len(heights) == o.version and not fresh, "VERSION_DIFFERS")

    def RegisterDocument(self, o: Any) -> None:
        self.weigh(0, helpers=True)
        need(self.level(self.me) >= 2, "LEVEL_TOO_LOW")
        need(o.series not in self.s["series"], "SERIES_EXISTS")
        self.s["series"][o.series] = (self.me, [[self.now, None, None]])

    def series(self, name: str) -> list[list[int | None]]:
        need(name in self.s["series"], "SERIES_UNKNOWN")
        by, versions = self.s["series"][name]
        need(by == self.me, "NOT_THE_OWNER")
        return list[list[int | None]](versions)

    def ReplaceDocument(self, o: Any) -> None:
        self.weigh(0, helpers=True)
        need(self.level(self.me) >= 2, "LEVEL_TOO_LOW")
        versions = self.series(o.series)
        need(o.replaces == len(versions), "NOT_THE_LATEST")
        versions[-1][1] = self.now
        self.s["series"][o.series] = (self.me, [*versions, [self.now, None, None]])

    def RevokeDocument(self, o: Any) -> None:
        self.weigh(0, helpers=True)
        versions = self.series(o.series)
        need(o.version <= len(versions), "VERSION_UNKNOWN")
        need(versions[o.version - 1][2] is None, "ALREADY_REVOKED")
        versions[o.version - 1][2] = self.now


def new_account(keys: Any, thresholds: Any, roles: Any, *, member: bool = False) -> dict[str, Any]:
    return {
        "keys": keys,
        "thresholds": thresholds,
        "frozen": False,
        "roles": roles,
        "member": member,
    }


def lasting(keys: dict[bytes, tuple[int, int, int | None]]) -> int:
    """What the owners whose keys never expire weigh together."""
    return sum(w for role, w, expires in keys.values() if role == OWNER and expires is None)
