"""A second ledger, written for the eye alone: plain dictionaries, copied whole for every attempt.

It restates the rules of docs/ledger.md without a line of the shipped ones. Keys are Ed25519 keys
that are known to be good, texts are clean, schemas ask for one integer `n` from 0 to 9, and of the
parameters `delta_ms` alone is ever changed. Digests of validator sets and what a vote signs are the
shipped ones.
"""

# ruff: noqa: N802 - methods are named by the operations, numbers stand as the rules say them

import json
import pickle
from typing import Any

from moyai.primitives.transaction import opened_account
from moyai.primitives.validators import ValidatorSet
from moyai.primitives.vote import vote_is_valid

OWNER, HELPERS = 1, (2, 4)
SPONSOR, REGISTRAR, ISSUER, RECORDS = 1, 2, 3, 4


class No(Exception):
    """A refusal, by the name of its code."""


def need(condition: object, code: str) -> None:
    if not condition:
        raise No(code)


def copied(value: Any) -> Any:
    """Return an independent copy; this way is the fastest for much that is small."""
    return pickle.loads(pickle.dumps(value))  # noqa: S301 - its own bytes, a line before


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
        self.s["members"] = {}
        self.s["node"] = {}
        self.s["convicted"] = {}
        self.s["voters"] = {}
        self.s["proposal"] = {}
        self.s["chain"] = {"epoch": 0, "slot": None, "ready": [], "pending": False}
        self.s["parameter"] = {}

    def found(self, account: bytes, name: str, vote: bytes, network: bytes, endpoint: str) -> None:
        """Write down a founding member."""
        self.s["members"][account] = [name, vote, network, endpoint]
        self.s["voters"][0] = sorted(entry[1] for entry in self.s["members"].values())

    def execute(self, transaction: Any, time_ms: int, height: int) -> str:
        """Return the name of the code; all operations count, or none."""
        self.body, self.id = transaction.body, transaction.id
        self.now, self.height = time_ms, height
        self.me = transaction.body.account
        before = copied(self.s)
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

    def end_epoch(self) -> None:
        """What is pending comes into force."""
        chain = self.s["chain"]
        before, change = set(self.s["members"]), self.s["proposal"][chain["slot"]]["change"]
        after = self.after(self.s["proposal"][chain["slot"]])
        self.s["members"], self.s["node"], self.s["parameter"] = after
        if type(change).__name__ == "RecoverOfficers":
            officers = dict.fromkeys(change.officer_keys, (OWNER, 1, None))
            thresholds = (1, 1, min(2, len(officers)))
            self.s["account"][change.account] |= {"keys": officers, "thresholds": thresholds}
        for joined in set(self.s["members"]) - before:
            self.s["account"][joined] |= {"member": True, "roles": tuple(change.roles)}
        for left in before - set(self.s["members"]):
            self.s["account"][left] |= {"member": False, "roles": ()}
        self.s["proposal"][chain["slot"]]["stage"] = "in force"
        self.s["chain"] = {"epoch": chain["epoch"] + 1, "slot": None, "ready": [], "pending": False}
        voters = sorted(entry[1] for entry in self.s["members"].values())
        self.s["voters"][chain["epoch"] + 1] = voters

    def after(self, proposal: Any) -> tuple[dict[bytes, list[Any]], dict[str, Any], dict[str, int]]:
        """What the members, the nodes without a vote and the changed parameters would be."""
        change = proposal["change"]
        members = {one: list(entry) for one, entry in self.s["members"].items()}
        nodes = dict(self.s["node"])
        parameters = dict(self.s["parameter"])
        kind = type(change).__name__
        if kind == "AddMember":
            need(self.account(change.account)["kind"] == 2, "NOT_AN_ORGANISATION")
            need(change.account not in members, "MEMBER_EXISTS")
            votes = (change.validator_key, change.network_key, change.endpoint)
            members[change.account] = [change.name, *votes]
        elif kind == "SetParameters":
            for one in change.settings:
                need(one.name == "delta_ms" and 10 <= one.number <= 1000, "PARAMETER_INVALID")
                parameters[one.name] = one.number
            current = self.s["parameter"].get("delta_ms", 250)
            need(parameters["delta_ms"] != current, "CHANGE_EMPTY")
        elif kind == "RecoverOfficers":
            keys = change.officer_keys
            need(change.account in members, "MEMBER_UNKNOWN")
            need(len(keys) == len(set(keys)), "CONTROLLER_EXISTS")
        elif kind.endswith("FullNode"):
            nodes = self.nodes_after(change)
        else:
            need(change.account in members, "MEMBER_UNKNOWN")
            self.change_member(kind, change, members)
        for place, others in ((0, list(nodes)), (1, []), (2, list(nodes.values()))):
            values = [entry[place] for entry in members.values()] + others
            need(len(values) == len(set(values)), "MEMBER_NOT_DISTINCT")
        return members, nodes, parameters

    def nodes_after(self, change: Any) -> dict[str, bytes]:
        nodes = dict(self.s["node"])
        if type(change).__name__ == "AddFullNode":
            need(change.name not in nodes, "MEMBER_NOT_DISTINCT")
            return nodes | {change.name: change.network_key}
        need(nodes.pop(change.name, None), "FULL_NODE_UNKNOWN")
        return nodes

    def change_member(self, kind: str, change: Any, members: dict[bytes, list[Any]]) -> None:
        old = list(members[change.account])
        if kind == "RemoveMember":
            del members[change.account]
            for role in (SPONSOR, REGISTRAR):
                roles = [self.s["account"][one]["roles"] for one in members]
                need(any(role in those for those in roles), "LAST_OF_ITS_ROLE")
        elif kind == "RotateValidatorKey":
            members[change.account][1] = change.validator_key
        elif kind == "RotateNetworkKey":
            members[change.account][2] = change.network_key
        else:
            members[change.account][3] = change.endpoint
        need(members.get(change.account) != old, "CHANGE_EMPTY")

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
        opened = new_account(keys, limits, ()) | {"kind": int(o.kind)}
        self.s["account"][opened_account(self.id, self.place)] = opened

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

    def ProposeChange(self, o: Any) -> None:
        self.weigh(2)
        need(self.account(self.me)["member"], "NOT_A_MEMBER")
        proposal = {"change": o.change, "by": [self.me], "stage": "open", "until": self.notice()}
        self.after(proposal)
        number = len(self.s["proposal"]) + 1
        self.s["proposal"][number] = proposal
        self.decide(number)

    def ApproveChange(self, o: Any) -> None:
        self.weigh(2)
        need(self.account(self.me)["member"], "NOT_A_MEMBER")
        need(o.proposal in self.s["proposal"], "PROPOSAL_UNKNOWN")
        proposal = self.s["proposal"][o.proposal]
        alive = proposal["stage"] == "open" and self.now <= proposal["until"]
        need(alive, "PROPOSAL_CLOSED")
        need(self.me not in proposal["by"], "ALREADY_APPROVED")
        proposal["by"].append(self.me)
        self.decide(o.proposal)

    def decide(self, number: int) -> None:
        """Two thirds of the members and a bit take it to the one slot there is."""
        members, chain = self.s["members"], self.s["chain"]
        missing = len(members) - len([one for one in members if one in self.named(number)["by"]])
        if missing > (len(members) - 1) // 3:
            return
        need(chain["slot"] is None or self.lapse(), "CHANGE_UNDER_WAY")
        self.after(self.named(number))
        self.named(number).update(stage="approved", until=self.notice())
        chain.update(slot=number, ready=[], pending=False)

    def named(self, number: int) -> Any:
        return self.s["proposal"][number]

    def notice(self) -> int:
        return self.now + 7 * 86_400_000

    def lapse(self) -> bool:
        chain = self.s["chain"]
        if chain["pending"] or self.now <= self.named(chain["slot"])["until"]:
            return False
        self.named(chain["slot"])["stage"] = "lapsed"
        chain.update(slot=None, ready=[])
        return True

    def next_keys(self) -> list[bytes]:
        members, _, _ = self.after(self.named(self.s["chain"]["slot"]))
        return sorted(entry[1] for entry in members.values())

    def MembersReady(self, o: Any) -> None:
        chain = self.s["chain"]
        need(not self.account(self.me)["frozen"], "ACCOUNT_FROZEN")
        need(chain["slot"] is not None, "NO_SUCH_CHANGE")
        keys = self.next_keys()
        need(ValidatorSet(chain["epoch"] + 1, tuple(keys)).digest == o.next_set, "NO_SUCH_CHANGE")
        signing = [one.public_key for one in self.body.signers if one.public_key in keys]
        need(signing, "SIGNATURES_INSUFFICIENT")
        need(not chain["pending"], "ALREADY_READY")
        if self.lapse():
            return
        new = [one for one in signing if one not in chain["ready"]]
        need(new, "ALREADY_READY")
        chain["ready"] += new
        chain["pending"] = len(keys) - len(chain["ready"]) <= (len(keys) - 1) // 3

    def SubmitEvidence(self, o: Any) -> None:
        self.weigh(0, helpers=True)
        one, two = o.first, o.second
        same = (one.epoch, one.view, one.signer) == (two.epoch, two.view, two.signer)
        need(same, "EVIDENCE_INVALID")
        kinds = (one.kind.name, two.kind.name)
        twice = kinds in (("NOTARIZE",) * 2, ("FINALIZE",) * 2) and one.digest < two.digest
        need(twice or kinds == ("NULLIFY", "FINALIZE"), "EVIDENCE_INVALID")
        need(one.epoch in self.s["voters"], "EVIDENCE_INVALID")
        voters = self.s["voters"][one.epoch]
        need(one.signer < len(voters), "EVIDENCE_INVALID")
        key = voters[one.signer]
        need(key not in self.s["convicted"], "EVIDENCE_KNOWN")
        signed = all(vote_is_valid(vote, self.body.chain_id, key) for vote in (one, two))
        need(signed, "EVIDENCE_INVALID")
        self.s["convicted"][key] = self.me


def new_account(keys: Any, thresholds: Any, roles: Any, *, member: bool = False) -> dict[str, Any]:
    return {
        "keys": keys,
        "thresholds": thresholds,
        "frozen": False,
        "roles": roles,
        "member": member,
        "kind": 2,
    }


def lasting(keys: dict[bytes, tuple[int, int, int | None]]) -> int:
    """What the owners whose keys never expire weigh together."""
    return sum(w for role, w, expires in keys.values() if role == OWNER and expires is None)
