"""The genesis file: the JSON form of `primitives.genesis.Genesis` that members read and sign off.

The digest of a network is over the canonical MessagePack form, so blanks and the order of keys in
the file do not matter. Not here: the rules of the document (`primitives.genesis`) and the state
that it leads to (`ledger.genesis`), whose root a caller passes a function for.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from moyai.ledger.genesis import genesis_state
from moyai.node.config_domain import check_keys, failure
from moyai.node.errors import ConfigError, GenesisFileError
from moyai.node.times import format_time, parse_time
from moyai.primitives.codec import UNDECODABLE
from moyai.primitives.genesis import (
    FullNode,
    Genesis,
    Member,
    Role,
    check_genesis,
    genesis_digest,
)
from moyai.primitives.ids import (
    KEY_BYTES,
    ZERO_DIGEST,
    Digest,
    NetworkKey,
    PublicKey,
    format_account,
    parse_account,
    parse_hex,
)
from moyai.primitives.parameters import Parameters

GENESIS_FILE_BYTES_MAX = 1024 * 1024

Text = TypeVar("Text", bound=msgspec.Struct)

StateRoot = Callable[[Mapping[bytes, bytes]], Digest]
"""The root of the Merkle map that holds exactly these entries at height 0."""


class MemberText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A member as people read it: keys in hexadecimal, the account as an address."""

    name: str
    validator_key: str
    network_key: str
    endpoint: str
    account: str
    officer_keys: tuple[str, ...]
    roles: tuple[str, ...] = ()


class FullNodeText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A full node as people read it."""

    name: str
    network_key: str
    endpoint: str


class GenesisText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file; `digest` repeats the name of the network for the eye, and is checked."""

    chain_id: str
    time: str
    parameters: dict[str, int]
    members: tuple[MemberText, ...]
    full_nodes: tuple[FullNodeText, ...]
    state_root: str
    digest: str = ""


def with_state_root(genesis: Genesis, state_root: StateRoot) -> Genesis:
    """Return the document with the root of the state that it leads to."""
    root = state_root(genesis_state(genesis))
    return msgspec.structs.replace(genesis, state_root=root)


def check_state_root(genesis: Genesis, state_root: StateRoot) -> None:
    """Check that the document leads to the state root it names. Raises `GenesisFileError`."""
    expected = with_state_root(genesis, state_root).state_root
    if expected != genesis.state_root:
        raise GenesisFileError(
            f"names state root {genesis.state_root.hex()[:16]}…, "
            f"and leads to {expected.hex()[:16]}…",
            what=f"genesis of {genesis.chain_id}",
            next="take the file that all members agreed on, and the same version of Moyai",
        )


def make_genesis(
    chain_id: str,
    start: str,
    members: tuple[MemberText, ...],
    state_root: StateRoot,
    full_nodes: tuple[FullNodeText, ...] = (),
) -> Genesis:
    """Return the document of a new chain with default parameters.

    Raises what `genesis_from_json` does.
    """
    what = f"genesis of {chain_id}"
    try:
        founders = tuple(_member(member) for member in members)
        followers = tuple(_full_node(node) for node in full_nodes)
        draft = Genesis(chain_id, parse_time(start), Parameters(), founders, followers, ZERO_DIGEST)
    except ValueError as error:
        raise GenesisFileError(
            str(error), what=what, next="correct it and run this again"
        ) from None
    genesis = with_state_root(_bounded(draft, what), state_root)
    check_genesis(genesis)
    return genesis


def read_member(path: Path) -> MemberText:
    """Return the member that a member.json describes. Raises `GenesisFileError`."""
    return _decode(_read(path, f"member file {path}"), MemberText, f"member file {path}")


def read_full_node(path: Path) -> FullNodeText:
    """Return the node that a full-node.json describes. Raises `GenesisFileError`."""
    what = f"full node file {path}"
    return _decode(_read(path, what), FullNodeText, what)


def write_member(path: Path, member: MemberText | FullNodeText) -> None:
    """Write a member.json or a full-node.json."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(member), indent=2) + b"\n")


def genesis_to_json(genesis: Genesis) -> bytes:
    """Return the text of the genesis file."""
    text = GenesisText(
        chain_id=genesis.chain_id,
        time=format_time(genesis.time_ms),
        parameters={
            field.name: getattr(genesis.parameters, field.name)
            for field in msgspec.structs.fields(Parameters)
        },
        members=tuple(_member_text(member) for member in genesis.members),
        full_nodes=tuple(
            FullNodeText(node.name, node.network_key.hex(), node.endpoint)
            for node in genesis.full_nodes
        ),
        state_root=genesis.state_root.hex(),
        digest=genesis_digest(genesis).hex(),
    )
    return msgspec.json.format(msgspec.json.encode(text), indent=2) + b"\n"


def genesis_from_json(data: bytes, *, what: str = "genesis file") -> Genesis:
    """Return the document in `data`, its rules and its digest checked.

    Raises `GenesisFileError`, `GenesisError` or `IdentifierError`, naming the field or the member.
    """
    text = _decode(data, GenesisText, what)
    try:
        document = _document(text)
    except ValueError as error:
        raise GenesisFileError(str(error), what=what, next=_ADVICE) from None
    genesis = _bounded(document, what)
    check_genesis(genesis)
    digest = genesis_digest(genesis).hex()
    if text.digest and text.digest != digest:
        raise GenesisFileError(
            f"says its digest is {text.digest[:16]}…, it is {digest[:16]}…", what=what, next=_ADVICE
        )
    return genesis


def read_genesis(path: Path) -> Genesis:
    """Return the document in file `path`. Raises what `genesis_from_json` does."""
    what = f"genesis file {path}"
    return genesis_from_json(_read(path, what), what=what)


def write_genesis(path: Path, genesis: Genesis) -> None:
    """Write a new genesis file. Raises `GenesisFileError` when there is one already."""
    try:
        with path.open("xb") as target:
            target.write(genesis_to_json(genesis))
    except OSError as error:
        raise GenesisFileError(
            f"cannot be written: {error.strerror}",
            what=f"genesis file {path}",
            next="choose another folder; a genesis file is never overwritten",
        ) from None


_ADVICE = "take the file that all members agreed on"


def _read(path: Path, what: str) -> bytes:
    try:
        with path.open("rb") as source:
            return source.read(GENESIS_FILE_BYTES_MAX + 1)
    except OSError as error:
        raise GenesisFileError(
            f"cannot be read: {error.strerror}", what=what, next=_ADVICE
        ) from None


def _decode(data: bytes, kind: type[Text], what: str) -> Text:
    if len(data) > GENESIS_FILE_BYTES_MAX:
        raise GenesisFileError(
            f"is larger than {GENESIS_FILE_BYTES_MAX} bytes", what=what, next=_ADVICE
        )
    try:
        plain: Any = msgspec.json.decode(data)
        if not isinstance(plain, dict):
            raise GenesisFileError("is not a JSON object", what=what, next=_ADVICE)
        check_keys(plain, kind, what=what)
        return msgspec.convert(plain, kind)
    except msgspec.ValidationError as error:
        key, reason = failure(str(error))
        raise GenesisFileError(f"{key} {reason}", what=what, next=_ADVICE) from None
    except UNDECODABLE as error:
        raise GenesisFileError(f"is not JSON: {error}", what=what, next=_ADVICE) from None
    except ConfigError as error:
        raise GenesisFileError(error.reason, what=what, next=error.next) from None


def _document(text: GenesisText) -> Genesis:
    return Genesis(
        chain_id=text.chain_id,
        time_ms=parse_time(text.time),
        parameters=_parameters(text.parameters),
        members=tuple(_member(member) for member in text.members),
        full_nodes=tuple(_full_node(node) for node in text.full_nodes),
        state_root=Digest(parse_hex(text.state_root, bytes_exact=32, what="state_root")),
    )


def _parameters(values: dict[str, int]) -> Parameters:
    try:
        check_keys(values, Parameters, what="parameters")
    except ConfigError as error:
        raise ValueError(f"parameters: {error.reason}; {error.next}") from None
    missing = [name for name in Parameters.__struct_fields__ if name not in values]
    if missing:
        raise ValueError(f"parameters lack {', '.join(missing)}")
    return Parameters(**values)


def _bounded(genesis: Genesis, what: str) -> Genesis:
    """Decode the document's own encoding, which checks every bound of every field."""
    try:
        return msgspec.msgpack.decode(msgspec.msgpack.encode(genesis), type=Genesis)
    except msgspec.ValidationError as error:
        raise GenesisFileError(
            f"a value is out of bounds: {error}", what=what, next=_ADVICE
        ) from None


def _member_text(member: Member) -> MemberText:
    return MemberText(
        name=member.name,
        validator_key=member.validator_key.hex(),
        network_key=member.network_key.hex(),
        endpoint=member.endpoint,
        account=format_account(member.account),
        officer_keys=tuple(key.hex() for key in member.officer_keys),
        roles=tuple(role.name.lower() for role in member.roles),
    )


def _member(text: MemberText) -> Member:
    return Member(
        name=text.name,
        validator_key=PublicKey(_key(text.validator_key, "validator", text.name)),
        network_key=NetworkKey(_key(text.network_key, "network", text.name)),
        endpoint=text.endpoint,
        account=parse_account(text.account),
        officer_keys=tuple(PublicKey(_key(key, "officer", text.name)) for key in text.officer_keys),
        roles=tuple(_role(role, text.name) for role in text.roles),
    )


def _full_node(text: FullNodeText) -> FullNode:
    return FullNode(
        text.name, NetworkKey(_key(text.network_key, "network", text.name)), text.endpoint
    )


def _key(text: str, kind: str, name: str) -> bytes:
    return parse_hex(text, bytes_exact=KEY_BYTES, what=f"{kind} key of {name}")


def _role(text: str, name: str) -> Role:
    roles = {role.name.lower(): role for role in Role}
    if text not in roles:
        raise ValueError(f"{name} has unknown role {text}; the roles are {', '.join(roles)}")
    return roles[text]
