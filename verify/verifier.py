"""The offline verifier: an evidence file in, a verdict out. One file: copy it anywhere and run it.

    python verifier.py evidence.moyai --genesis DIGEST [--file PATH] [--lang ja] [--json]

It needs Python 3.11, PyNaCl and msgpack, no node, no network and nothing else of Moyai, and it
shares no code with the node: it is a second reading of the formats in docs/evidence.md.
What it trusts: the genesis digest that you give, and that fewer than a third of the validators lie.
Exit codes: 0 proven; 1 a part does not match; 2 unreadable evidence or wrong usage; 3 every part
matches, but no genesis digest was given to compare with.
"""

import argparse
import base64
import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgpack
from nacl.bindings import crypto_sign_open
from nacl.exceptions import BadSignatureError

FORMAT = "moyai-evidence/1"
EVIDENCE_BYTES_MAX = 16 * 1024 * 1024
FINALIZE = 3
REGISTRATIONS = (50, 51)  # operations whose third field is the salted digest of a document
DOCUMENT_VERSION_KEY = b"v"
KEY_KINDS = {b"v": "document", b"d": "record", b"b": "balance", b"a": "account"}
BECH32M = 0x2BC830A3
BECH32_TERMS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
BECH32_LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
ZERO = bytes(32)

# Every struct that is read: an array in MessagePack, an object in JSON. `*` is a list, `?` may be
# nothing, a number is so many bytes, any other word is a struct of its own.
SHAPES = {
    "evidence": "format:text genesis:bytes genesis_path:*32 epochs:*epoch header:bytes "
    "certificate:bytes kind:text subject:any opening:?opening",
    "epoch": "header:bytes fillers:*bytes certificate:bytes keys:*32",
    "opening": "salt:32 file_sha256:32",
    "transaction": "transaction:bytes header:bytes log_path:*32 index:int path:*32 "
    "receipt:bytes receipt_path:*32 receipts_log_path:*32",
    "state": "key:bytes values:*?bytes proof:bytes since:?since",
    "since": "header:bytes log_path:*32",
    "genesis": "chain_id:text time_ms:int parameters:any members:*member full_nodes:any "
    "state_root:32",
    "member": "name:text validator_key:32 network_key:32 endpoint:text account:20 "
    "officer_keys:*32 roles:*int",
    "header": "chain_id:text epoch:int view:int height:int parent:32 parent_view:int time_ms:int "
    "proposer:int tx_root:32 tx_count:int tx_bytes:int executed:executed epoch_end:?32 "
    "filler_of:?32 log_root:32",
    "executed": "height:int state_root:32 receipts_root:32",
    "certificate": "epoch:int view:int kind:int digest:32 signers:bytes signatures:*64",
    "envelope": "body:bytes signatures:*bytes",
    "body": "chain_id:text account:20 signers:*signer operations:*any valid_until_ms:int nonce:8 "
    "memo:?32",
    "signer": "scheme:int public_key:bytes",
    "assertion": "authenticator_data:bytes client_data:bytes signature:bytes",
    "receipt": "transaction:32 code:int operation:int subject:text events:any",
    "state_proof": "siblings:*bytes leaf:?leaf",
    "leaf": "key_digest:32 value_digest:32 height:int version:int previous:32",
    "history_proof": "first_version:int previous:32 versions:*version newest:state_proof",
    "version": "value_digest:32 height:int",
    "document": "digest:32 size_bytes:int registered_ms:int replaced_ms:?int revoked_ms:?int",
}
KINDS = ("transaction", "state")
Struct = dict[str, Any]


class Unreadable(Exception):
    """The input is no evidence: nothing can be said about it."""


class Mismatch(Exception):
    """One part contradicts the rest; `part` and `reason` are keys of the texts below."""

    def __init__(self, part: str, reason: str) -> None:
        super().__init__(f"{part}: {reason}")
        self.part = part
        self.reason = reason


@dataclass(frozen=True)
class Verdict:
    """What is proven, by whom, since when; `certified` and `since` are (height, milliseconds)."""

    kind: str
    chain_id: str
    genesis: str
    anchored: bool
    signers: list[str]
    validators: int
    certified: tuple[int, int]
    since: tuple[int, int] | None
    facts: Struct
    file_checked: bool


@dataclass(frozen=True)
class Trusted:
    """A certified header, with the genesis document and the validators who signed for it."""

    genesis: Struct
    header: Struct
    keys: list[bytes]
    signers: list[int]


Judged = tuple[Struct | None, Struct, list[bytes]]
"""The header of the block since when, the facts proven, the digests of documents registered."""


def verify(
    data: bytes, *, genesis: bytes | None = None, file_sha256: bytes | None = None
) -> Verdict:
    """Return what the evidence proves.

    `genesis` is the digest that names the network, known from elsewhere; `file_sha256` the plain
    SHA-256 of a file that should be the registered one. Raises `Unreadable` or `Mismatch`.
    """
    evidence = read(data)
    digest = tagged("genesis", evidence["genesis"])
    if genesis is not None and digest != genesis:
        raise Mismatch("genesis", "other network")
    trusted = certified(evidence, digest)
    judge = judge_transaction if evidence["kind"] == "transaction" else judge_state
    since, facts, registered = judge(evidence["subject"], trusted)
    check_opening(evidence["opening"], registered, file_sha256)
    names = {member["validator_key"]: member["name"] for member in trusted.genesis["members"]}
    return Verdict(
        kind=evidence["kind"],
        chain_id=trusted.header["chain_id"],
        genesis=digest.hex(),
        anchored=genesis is not None,
        signers=[names.get(key, key.hex()) for key in (trusted.keys[i] for i in trusted.signers)],
        validators=len(trusted.keys),
        certified=(trusted.header["height"], trusted.header["time_ms"]),
        since=(since["height"], since["time_ms"]) if since else None,
        facts=facts,
        file_checked=file_sha256 is not None,
    )


# Reading: one form of every value, anything else is refused.


def read(data: bytes) -> Struct:
    """Return the evidence in its MessagePack or its JSON form. Raises `Unreadable`."""
    if len(data) > EVIDENCE_BYTES_MAX:
        raise Unreadable(f"larger than {EVIDENCE_BYTES_MAX} bytes")
    as_json = data[:1] == b"{"
    try:
        plain = json.loads(data, object_pairs_hook=_object) if as_json else _unpack(data)
        evidence: Struct = _shaped(plain, "evidence", as_json=as_json)
        if evidence["format"] != FORMAT or evidence["kind"] not in KINDS:
            raise ValueError(f"not of format {FORMAT}, or of an unknown kind")
        evidence["subject"] = _shaped(evidence["subject"], evidence["kind"], as_json=as_json)
    except (ValueError, TypeError, RecursionError, msgpack.UnpackException) as error:
        reason = str(error)[:200] or type(error).__name__
        raise Unreadable(f"not an evidence file ({reason})") from None
    return evidence


def decode(part: str, data: bytes, shape: str) -> Struct:
    """Return the struct that `data` encodes canonically. Raises `Mismatch`."""
    try:
        value: Struct = _shaped(_unpack(data), shape, as_json=False)
    except (ValueError, TypeError, RecursionError, msgpack.UnpackException):
        raise Mismatch(part, "bad form") from None
    return value


def _unpack(data: bytes) -> Any:
    value = msgpack.unpackb(data, strict_map_key=False)
    if msgpack.packb(value) != data:
        raise ValueError("not the canonical encoding")
    return value


def _object(pairs: list[tuple[str, Any]]) -> Struct:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _shaped(value: Any, shape: str, *, as_json: bool) -> Any:
    if shape == "any":
        return value
    if shape[0] == "?":
        return None if value is None else _shaped(value, shape[1:], as_json=as_json)
    if shape[0] == "*":
        if not isinstance(value, list):
            raise ValueError("expected a list")
        return [_shaped(one, shape[1:], as_json=as_json) for one in value]
    if shape not in SHAPES:
        return _scalar(value, shape, as_json=as_json)
    fields = dict(pair.split(":") for pair in SHAPES[shape].split())
    if as_json and isinstance(value, dict) and value.keys() == fields.keys():
        value = [value[name] for name in fields]
    if not isinstance(value, list) or len(value) != len(fields):
        raise ValueError(f"expected the {len(fields)} parts of {shape}")
    places = zip(fields.items(), value, strict=True)
    return {name: _shaped(one, inner, as_json=as_json) for (name, inner), one in places}


def _scalar(value: Any, shape: str, *, as_json: bool) -> Any:
    found = value
    if as_json and isinstance(value, str) and shape != "text":
        found = base64.b64decode(value, validate=True)
        if base64.b64encode(found).decode() != value:
            raise ValueError("not canonical base64")
    if shape == "int":
        fits = type(found) is int and 0 <= found < 2**64
    elif shape == "text":
        fits = isinstance(found, str)
    else:
        fits = isinstance(found, bytes) and shape in {"bytes", str(len(found))}
    if not fits:
        raise ValueError(f"expected {shape}, found {str(value)[:40]!r}")
    return found


# Hashes and trees.


def tagged(tag: str, data: bytes) -> bytes:
    """Return SHA-256(moyai/tag/1 ‖ 0x00 ‖ data)."""
    return sha256(f"moyai/{tag}/1\x00".encode() + data).digest()


def chain_bytes(chain_id: str) -> bytes:
    """Return a chain id as messages carry it: its length in one byte, then its UTF-8."""
    return len(chain_id.encode()).to_bytes(1, "big") + chain_id.encode()


def root_of(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """Return the RFC 6962 root that an audit path leads to, none when it fits no tree of `size`."""
    if not 0 <= index < size:
        return None
    node, place, last = sha256(b"\x00" + leaf).digest(), index, size - 1
    for sibling in path:
        if last == 0:
            return None
        if place & 1 or place == last:
            node = sha256(b"\x01" + sibling + node).digest()
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            node = sha256(b"\x01" + node + sibling).digest()
        place, last = place >> 1, last >> 1
    return None if last else node


def ancestor(part: str, found: Struct, trusted: Struct) -> Struct:
    """Return the header in `found`, which must be an ancestor of the certified one."""
    header = decode(part, found["header"], "header")
    place = (header["height"], trusted["height"], found["log_path"])
    if root_of(tagged("header", found["header"]), *place) != trusted["log_root"]:
        raise Mismatch(part, "not in the log")
    return header


# Who attests: genesis, the sets of validators, the certificate.


def certified(evidence: Struct, genesis_digest: bytes) -> Trusted:
    """Return the certified header after checking all that leads to it. Raises `Mismatch`."""
    genesis = decode("genesis", evidence["genesis"], "genesis")
    keys = sorted(member["validator_key"] for member in genesis["members"])
    if not 1 <= len(set(keys)) == len(keys) <= 64 or len(genesis["chain_id"].encode()) > 255:
        raise Mismatch("genesis", "bad form")
    chain_id = genesis["chain_id"]
    for epoch, end in enumerate(evidence["epochs"]):
        keys = next_keys(end, chain_id, epoch, keys)
    header = decode("header", evidence["header"], "header")
    epoch = len(evidence["epochs"])
    if header["chain_id"] != chain_id or header["epoch"] != epoch or header["filler_of"]:
        raise Mismatch("header", "other chain")
    signers = check_certificate(
        "certificate", evidence["certificate"], (chain_id, header, evidence["header"]), keys
    )
    leaf = tagged("header", genesis_header(genesis, genesis_digest))
    if root_of(leaf, 0, header["height"], evidence["genesis_path"]) != header["log_root"]:
        raise Mismatch("genesis", "not in the log")
    return Trusted(genesis, header, keys, signers)


def genesis_header(genesis: Struct, digest: bytes) -> bytes:
    """Return the encoded header of height 0."""
    empty = sha256(b"").digest()
    executed = [0, genesis["state_root"], empty]
    first = [genesis["chain_id"], 0, 0, 0, digest, 0, genesis["time_ms"], 0, empty, 0, 0]
    packed: bytes = msgpack.packb([*first, executed, None, None, empty])
    return packed


def next_keys(end: Struct, chain_id: str, epoch: int, keys: list[bytes]) -> list[bytes]:
    """Return the validators of the next epoch, which the present ones chose. Raises `Mismatch`."""
    header = decode("epoch", end["header"], "header")
    chosen = sorted(set(end["keys"]))
    announced = tagged("validators", msgpack.packb([epoch + 1, chosen]))
    if (
        header["epoch_end"] != announced
        or chosen != end["keys"]
        or not 1 <= len(chosen) <= 64
        or header["filler_of"]
    ):
        raise Mismatch("epoch", "wrong set")
    last, last_bytes, ended = header, end["header"], tagged("header", end["header"])
    for filler_bytes in end["fillers"]:
        filler = decode("epoch", filler_bytes, "header")
        if filler["parent"] != tagged("header", last_bytes) or filler["filler_of"] != ended:
            raise Mismatch("epoch", "not in the log")
        last, last_bytes = filler, filler_bytes
    if any(one["chain_id"] != chain_id or one["epoch"] != epoch for one in (header, last)):
        raise Mismatch("epoch", "other chain")
    check_certificate("epoch", end["certificate"], (chain_id, last, last_bytes), keys)
    return chosen


def check_certificate(
    part: str, data: bytes, subject: tuple[str, Struct, bytes], keys: list[bytes]
) -> list[int]:
    """Return the signers of a finalization of `subject`, every signature checked.

    Raises `Mismatch`.
    """
    chain_id, header, header_bytes = subject
    certificate = decode(part, data, "certificate")
    digest = tagged("header", header_bytes)
    expected = (header["epoch"], header["view"], FINALIZE, digest)
    if expected != tuple(certificate[name] for name in ("epoch", "view", "kind", "digest")):
        raise Mismatch(part, "other block")
    bits = int.from_bytes(certificate["signers"], "little")
    signers = [index for index in range(len(keys)) if bits >> index & 1]
    if (
        len(certificate["signers"]) != (len(keys) + 7) // 8
        or bits >> len(keys)
        or len(signers) != len(certificate["signatures"])
    ):
        raise Mismatch(part, "bad form")
    if len(signers) < len(keys) - (len(keys) - 1) // 3:
        raise Mismatch(part, "too few")
    numbers = header["epoch"].to_bytes(8, "big") + header["view"].to_bytes(8, "big")
    message = b"moyai/vote/1\x00" + chain_bytes(chain_id) + numbers + bytes((FINALIZE,)) + digest
    for index, signature in zip(signers, certificate["signatures"], strict=True):
        if not ed25519_valid(keys[index], message, signature):
            raise Mismatch(part, "bad signature")
    return signers


# Signatures.


def ed25519_valid(key: bytes, message: bytes, signature: bytes) -> bool:
    """Return whether this is a strict Ed25519 signature, by libsodium."""
    try:
        crypto_sign_open(signature + message, key)
    except (BadSignatureError, ValueError):
        return False
    return True


def passkey_valid(key: bytes, message: bytes, encoded: bytes) -> bool:
    """Return whether `encoded` is a WebAuthn assertion of `message` by a user who was verified."""
    try:
        assertion = decode("signature", encoded, "assertion")
        client = json.loads(assertion["client_data"])
        challenge = base64.urlsafe_b64decode(client["challenge"] + "==")
        kind = client["type"]
    except (Mismatch, ValueError, TypeError, KeyError, RecursionError):
        return False
    data, signature = assertion["authenticator_data"], assertion["signature"]
    if (
        kind != "webauthn.get"
        or challenge != sha256(message).digest()
        or not 37 <= len(data) <= 512
        or len(key) != 65
        or data[:32] != key[33:]
        or data[32] & 5 != 5
    ):
        return False
    return p256_valid(key[:33], data + sha256(assertion["client_data"]).digest(), signature)


P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
Point = tuple[int, int] | None


def p256_valid(compressed: bytes, message: bytes, signature: bytes) -> bool:
    """Return whether DER `signature` is ECDSA over P-256 and SHA-256. No secret is handled here."""
    x = int.from_bytes(compressed[1:], "big")
    y = pow((x**3 - 3 * x + B) % P, (P + 1) // 4, P)
    if compressed[0] not in {2, 3} or x >= P or (y * y - x**3 + 3 * x - B) % P:
        return False
    r_bytes = signature[4 : 4 + signature[3]] if len(signature) > 8 else b""
    s_bytes = signature[6 + len(r_bytes) :]
    r, s = int.from_bytes(r_bytes, "big"), int.from_bytes(s_bytes, "big")
    if not (0 < r < N and 0 < s < N) or signature != _der(_der_int(r) + _der_int(s), 0x30):
        return False
    key, e = (x, y if y & 1 == compressed[0] & 1 else P - y), sha256(message).digest()
    u, v = int.from_bytes(e, "big") * pow(s, -1, N) % N, r * pow(s, -1, N) % N
    total: Point = None
    for bit in range(255, -1, -1):
        total = _add(total, total)
        total = _add(total, G) if u >> bit & 1 else total
        total = _add(total, key) if v >> bit & 1 else total
    return total is not None and total[0] % N == r


def _add(one: Point, other: Point) -> Point:
    if one is None or other is None:
        return one or other
    if one[0] == other[0]:
        if (one[1] + other[1]) % P == 0:
            return None
        slope = (3 * one[0] ** 2 - 3) * pow(2 * one[1], -1, P)
    else:
        slope = (other[1] - one[1]) * pow(other[0] - one[0], -1, P)
    x = (slope**2 - one[0] - other[0]) % P
    return x, (slope * (one[0] - x) - one[1]) % P


def _der_int(number: int) -> bytes:
    return _der(number.to_bytes(number.bit_length() // 8 + 1, "big"), 2)


def _der(content: bytes, kind: int) -> bytes:
    return bytes((kind, len(content))) + content


# What is attested: a transaction and its receipt, or a key of the state.


def judge_transaction(subject: Struct, trusted: Trusted) -> Judged:
    """Check that a transaction is signed, is in its block, and ended as its receipt says."""
    envelope = decode("transaction", subject["transaction"], "envelope")
    body = decode("transaction", envelope["body"], "body")
    identity = tagged("transaction", envelope["body"])
    chain = chain_bytes(trusted.genesis["chain_id"])
    message = b"moyai/transaction-signature/1\x00" + chain + identity
    if body["chain_id"] != trusted.genesis["chain_id"]:
        raise Mismatch("transaction", "other chain")
    if len(body["signers"]) != len(envelope["signatures"]):
        raise Mismatch("signature", "bad form")
    for signer, signature in zip(body["signers"], envelope["signatures"], strict=True):
        valid = {1: ed25519_valid, 2: passkey_valid}.get(signer["scheme"])
        if valid is None or not valid(signer["public_key"], message, signature):
            raise Mismatch("signature", "bad signature")
    block = ancestor("header", subject, trusted.header)
    place = (subject["index"], block["tx_count"])
    if root_of(identity, *place, subject["path"]) != block["tx_root"]:
        raise Mismatch("transaction", "not in its block")
    receipt = decode("receipt", subject["receipt"], "receipt")
    receipts = root_of(subject["receipt"], *place, subject["receipt_path"]) or b""
    executed = trusted.header["executed"]
    log = (block["height"] - 1, executed["height"], subject["receipts_log_path"])
    if receipt["transaction"] != identity or root_of(receipts, *log) != executed["receipts_root"]:
        raise Mismatch("receipt", "not in the log")
    ok = receipt["code"] == 0
    registered = [
        one[2]
        for one in body["operations"]
        if ok and isinstance(one, list) and len(one) > 2 and one[0] in REGISTRATIONS
    ]
    facts = {"id": identity, "account": address(body["account"])}
    facts |= {"operations": body["operations"], "code": receipt["code"]}
    return block, {**facts, "object": receipt["subject"]}, registered


def judge_state(subject: Struct, trusted: Trusted) -> Judged:
    """Check the listed versions of a key up to its newest, or that it never held anything."""
    key, values = subject["key"], subject["values"]
    proof = decode("proof", subject["proof"], "history_proof")
    newest = newest_leaf(proof["newest"], sha256(key).digest(), trusted.header["executed"])
    first, previous, last = proof["first_version"], proof["previous"], None
    if len(proof["versions"]) != len(values) or (first == 1) != (previous == ZERO):
        raise Mismatch("proof", "bad form")
    for version, value in zip(proof["versions"], values, strict=True):
        if version["value_digest"] != (ZERO if value is None else sha256(b"\x02" + value).digest()):
            raise Mismatch("value", "other value")
        if last and last["height"] >= version["height"]:
            raise Mismatch("proof", "bad form")
        number = last["version"] + 1 if last else first
        last = {"key_digest": sha256(key).digest(), **version}
        last |= {"version": number, "previous": previous}
        previous = leaf_hash(last)
    if last != newest or (newest is None and first != 1):
        raise Mismatch("proof", "not in the state")
    block = changed_in(newest, subject["since"], trusted)
    value = values[-1] if values else None
    versions = [[one["height"], kept] for one, kept in zip(proof["versions"], values, strict=True)]
    facts = {"key": key, "about": meaning(key), "value": value, "first_version": first}
    facts |= {"versions": versions, "state_height": trusted.header["executed"]["height"]}
    if value is None or key[:1] != DOCUMENT_VERSION_KEY:
        return block, facts, []
    document = decode("value", value, "document")
    times = {name[:-3]: document[name] for name in document if name.endswith("_ms")}
    facts["document"] = {name: at and moment(at) for name, at in times.items()}
    return block, facts, [document["digest"]]


def changed_in(newest: Struct | None, since: Struct | None, trusted: Trusted) -> Struct | None:
    """Return the header of the block in which the newest version was made."""
    if newest is None or newest["height"] == 0:
        if since is not None:
            raise Mismatch("since", "other block")
        return newest and {"height": 0, "time_ms": trusted.genesis["time_ms"]}
    block = ancestor("since", since, trusted.header) if since else None
    if block is None or block["height"] != newest["height"]:
        raise Mismatch("since", "other block")
    return block


def newest_leaf(proof: Struct, key_digest: bytes, executed: Struct) -> Struct | None:
    """Return the leaf of a key under the certified state root, none when it never was there."""
    leaf, depth = proof["leaf"], len(proof["siblings"])
    path = int.from_bytes(key_digest, "big") >> max(0, 256 - depth)
    node = leaf_hash(leaf) if leaf else ZERO
    if depth > 256 or (leaf and int.from_bytes(leaf["key_digest"], "big") >> 256 - depth != path):
        raise Mismatch("proof", "bad form")
    for sibling in reversed(proof["siblings"]):
        if sibling and (len(sibling) != 32 or sibling == ZERO):
            raise Mismatch("proof", "bad form")
        pair = (sibling or ZERO, node) if path & 1 else (node, sibling or ZERO)
        node, path = sha256(b"\x01" + pair[0] + pair[1]).digest(), path >> 1
    if node != executed["state_root"]:
        raise Mismatch("proof", "not in the state")
    return leaf if leaf and leaf["key_digest"] == key_digest else None


def leaf_hash(leaf: Struct) -> bytes:
    """Return the hash of one version of one key."""
    numbers = leaf["height"].to_bytes(8, "big") + leaf["version"].to_bytes(8, "big")
    digests = leaf["key_digest"] + leaf["value_digest"]
    return sha256(b"\x00" + digests + numbers + leaf["previous"]).digest()


def address(account: bytes) -> str:
    """Return the bech32m address of an account (BIP-350)."""
    bits = int.from_bytes(account, "big")
    groups = [bits >> shift & 31 for shift in range(155, -1, -5)]
    prefix = b"moyai"
    spread = [one >> 5 for one in prefix] + [0] + [one & 31 for one in prefix]
    checksum = 1
    for group in [*spread, *groups, *bytes(6)]:
        top, checksum = checksum >> 25, (checksum & 0x1FFFFFF) << 5 ^ group
        for bit, term in enumerate(BECH32_TERMS):
            checksum ^= term if top >> bit & 1 else 0
    groups += [(checksum ^ BECH32M) >> shift & 31 for shift in range(25, -1, -5)]
    return "moyai1" + "".join(BECH32_LETTERS[group] for group in groups)


def meaning(key: bytes) -> str:
    """Return what a key of the state is about, in words, as far as its kind is known."""
    kind, (name, _, rest) = KEY_KINDS.get(key[:1], ""), key[1:].partition(b"\x00")
    text = name.decode("utf-8", "replace")
    if kind == "document":
        return f"document {text}, version {int.from_bytes(rest, 'big')}"
    if kind == "record":
        return f"record {rest.decode('utf-8', 'replace')} of collection {text}"
    if kind == "balance" and len(rest) == 20:
        return f"balance of {address(rest)} in {text}"
    if kind == "account" and len(key) == 21:
        return f"account {address(key[1:])}"
    return ""


def check_opening(opening: Struct | None, registered: list[bytes], file: bytes | None) -> None:
    """Check that the salted digest of a file is registered, and that `file` is that file's."""
    if opening is None:
        if file is not None:
            raise Mismatch("file", "no opening")
        return
    if tagged("document", opening["salt"] + opening["file_sha256"]) not in registered:
        raise Mismatch("opening", "not registered")
    if file is not None and file != opening["file_sha256"]:
        raise Mismatch("file", "other content")


# Words.

TEXTS: dict[str, tuple[str, str]] = {
    "genesis": ("genesis document", "ジェネシス文書"),
    "epoch": ("change of validators", "検証者の交代"),
    "certificate": ("certificate", "確定証明書"),
    "header": ("block header", "ブロックヘッダー"),
    "transaction": ("transaction", "トランザクション"),
    "signature": ("signature of the transaction", "トランザクションの署名"),
    "receipt": ("receipt", "受領証"),
    "proof": ("proof of the state", "状態の証明"),
    "value": ("value", "値"),
    "since": ("block of the last change", "最終変更のブロック"),
    "opening": ("salt and digest of the file", "ファイルのソルトとダイジェスト"),
    "file": ("file", "ファイル"),
    "bad form": ("it is malformed", "形式が正しくありません"),
    "other network": ("it is of another network", "別のネットワークのものです"),
    "other chain": ("it is of another chain or epoch", "別のチェーンまたは期のものです"),
    "other block": ("it is about another block", "別のブロックに関するものです"),
    "other value": ("it is not the value that was proven", "証明された値と異なります"),
    "other content": ("it is not the registered file", "登録されたファイルと異なります"),
    "wrong set": ("it is not the announced set", "告知された検証者と異なります"),
    "too few": ("too few validators signed it", "署名した検証者が足りません"),
    "bad signature": ("a signature is not valid", "無効な署名があります"),
    "not in the log": ("its path leads elsewhere", "証明の経路が一致しません"),
    "not in its block": ("it is not in that block", "そのブロックに含まれていません"),
    "not in the state": ("it is not under the certified root", "確定した状態に含まれていません"),
    "not registered": ("it is not registered here", "ここには登録されていません"),
    "no opening": (
        "the evidence was made without the opening of a file",
        "この証拠はファイルの開示値なしで作られています",
    ),
    "unreadable": ("Cannot be read as evidence", "証拠として読めません"),
    "refused": ("NOT PROVEN. What does not match", "証明できません。一致しない部分"),
    "proven": ("PROVEN", "証明されました"),
    "compare": (
        "CONSISTENT. It is proven if this is the genesis digest of your city",
        "整合しています。これがあなたの街のジェネシスダイジェストであれば証明されます",
    ),
    "what transaction": ("This transaction is final.", "このトランザクションは確定しています。"),
    "what state": ("This is what the key holds.", "このキーの内容は次のとおりです。"),
    "what absence": ("The key holds nothing.", "このキーには何も記録されていません。"),
    "what refused": (
        "This transaction is final, and was refused: it changed nothing.",
        "このトランザクションは確定しましたが、拒否されたため何も変更していません。",
    ),
    "fact id": ("id", "ID"),
    "fact account": ("account", "アカウント"),
    "fact operations": ("operations", "操作"),
    "fact code": ("code", "結果コード"),
    "fact object": ("about", "対象"),
    "fact key": ("key", "キー"),
    "fact about": ("about", "内容"),
    "fact value": ("value", "値"),
    "fact first_version": ("first version listed", "最初の版"),
    "fact versions": ("versions (block, value)", "各版(ブロック、値)"),
    "fact state_height": ("as of block", "時点のブロック"),
    "fact document": ("document", "文書"),
    "by": ("by {} of {} validators: {}", "検証者 {1} 者のうち {0} 者が署名: {2}"),
    "certified": ("signed block {} of {}", "署名されたブロック {} ({})"),
    "since block": ("since block {} of {}", "ブロック {} ({}) 以降"),
    "in block": ("in block {} of {}", "ブロック {} ({}) に収録"),
    "same file": ("The file is the registered one.", "ファイルは登録されたものと一致します。"),
    "network": ("genesis digest {}", "ジェネシスダイジェスト {}"),
}


def words(key: str, lang: str, *values: Any) -> str:
    """Return a text of the table above in English or Japanese."""
    return TEXTS[key][lang == "ja"].format(*values)


def moment(time_ms: int) -> str:
    """Return RFC 3339 UTC, or the bare number where the calendar ends."""
    try:
        return datetime.fromtimestamp(time_ms // 1000, UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return f"{time_ms} ms"


def plain(value: Any) -> Any:
    """Return `value` for people: bytes as hexadecimal, or as the JSON text that they hold."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace") if value[:1] == b"{" else value.hex()
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return (
        {str(key): plain(one) for key, one in value.items()} if isinstance(value, dict) else value
    )


def report(verdict: Verdict, lang: str) -> list[str]:
    """Return what is proven, by whom, since when, line by line."""
    facts = verdict.facts
    if verdict.kind == "transaction":
        what = "what transaction" if facts["code"] == 0 else "what refused"
    else:
        what = "what state" if facts["value"] is not None else "what absence"
    lines = [words(what, lang)]
    for name, value in facts.items():
        is_said = name == "versions" and len(value) < 2  # the one version is the value
        if value not in (None, "") and not is_said:
            shown = (
                value if isinstance(value, str) else json.dumps(plain(value), ensure_ascii=False)
            )
            lines.append(f"  {words(f'fact {name}', lang)}: {shown}")
    if verdict.since is not None:
        key = "in block" if verdict.kind == "transaction" else "since block"
        lines.append(words(key, lang, verdict.since[0], moment(verdict.since[1])))
    names = ", ".join(verdict.signers)
    lines.append(words("by", lang, len(verdict.signers), verdict.validators, names))
    height, time_ms = verdict.certified
    lines.append(words("certified", lang, height, moment(time_ms)) + f", {verdict.chain_id}")
    if verdict.file_checked:
        lines.append(words("same file", lang))
    return [*lines, words("network", lang, verdict.genesis)]


def digest_given(text: str) -> bytes:
    """Return the digest written as hexadecimal."""
    try:
        digest = bytes.fromhex(text)
    except ValueError:
        digest = b""
    if len(digest) != 32:
        reason = "give the digest: 64 hexadecimal digits, `digest` in the genesis file"
        raise argparse.ArgumentTypeError(reason)
    return digest


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = argparse.ArgumentParser(description="Check Moyai evidence without any node.")
    parser.add_argument("evidence", type=Path, help="the evidence file, MessagePack or JSON")
    parser.add_argument("--genesis", type=digest_given, help="the genesis digest of your city")
    parser.add_argument("--file", type=Path, help="a file that should be the registered one")
    parser.add_argument("--lang", choices=("en", "ja"), default="en", help="en or ja")
    parser.add_argument("--json", action="store_true", help="print the verdict as JSON")
    given = parser.parse_args(arguments)
    try:
        digest = given.file and file_digest(given.file)
        with given.evidence.open("rb") as source:
            data = source.read(EVIDENCE_BYTES_MAX + 1)
        verdict = verify(data, genesis=given.genesis, file_sha256=digest)
    except (Unreadable, OSError) as error:
        reason = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else str(error)
        return say(given, 2, [f"{words('unreadable', given.lang)}: {reason}"], {"reason": reason})
    except Mismatch as error:
        named = [words(key, given.lang) for key in ("refused", error.part, error.reason)]
        found = {"part": error.part, "reason": error.reason}
        return say(given, 1, [f"{named[0]}: {named[1]} - {named[2]}"], found)
    first = words("proven" if verdict.anchored else "compare", given.lang)
    lines = [first if verdict.anchored else f"{first}: {verdict.genesis}"]
    lines += report(verdict, given.lang)
    return say(given, 0 if verdict.anchored else 3, lines, plain(asdict(verdict)))


def say(given: argparse.Namespace, code: int, lines: list[str], found: Struct) -> int:
    """Print the verdict in the form asked for and return the exit code."""
    if given.json:
        verdict = {0: "proven", 1: "refused", 2: "unreadable", 3: "consistent"}[code]
        lines = [json.dumps({"verdict": verdict, **found}, ensure_ascii=False)]
    print("\n".join(lines))
    return code


def file_digest(path: Path) -> bytes:
    """Return the SHA-256 of a file of any size."""
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").digest()


if __name__ == "__main__":
    sys.exit(main())
