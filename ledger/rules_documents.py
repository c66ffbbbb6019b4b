"""Documents: digests in series of versions; register, replace, revoke. No content enters."""

import msgspec

from moyai.ledger.codes import Code, Refusal
from moyai.ledger.context import Context
from moyai.ledger.documents import read_series, read_version
from moyai.primitives.codec import encode
from moyai.primitives.ids import Digest, format_account
from moyai.primitives.operations_documents import (
    RegisterDocument,
    ReplaceDocument,
    RevokeDocument,
)
from moyai.primitives.operations_identity import Level
from moyai.primitives.state_keys import series_key, version_key
from moyai.primitives.state_values import DocumentVersion, Series

REGISTRANT_LEVEL = Level.E_RESIDENT


def register_document(context: Context, operation: RegisterDocument) -> None:
    """Whoever is an e-resident or more begins a series; it is theirs."""
    _require_registrant(context)
    context.require_name(operation.series)
    if read_series(context.overlay, operation.series) is not None:
        raise Refusal(Code.SERIES_EXISTS, operation.series)
    _write_version(context, operation, 1)


def replace_document(context: Context, operation: ReplaceDocument) -> None:
    """The owner of a series registers its next version, which ends the one before."""
    _require_registrant(context)
    series = _own_series(context, operation.series)
    if series.latest != operation.replaces:
        raise Refusal(Code.NOT_THE_LATEST, f"{operation.series} version {operation.replaces}")
    latest = _known_version(context, operation.series, series.latest)
    ended = msgspec.structs.replace(latest, replaced_ms=context.time_ms)
    context.overlay.put(version_key(operation.series, series.latest), encode(ended))
    _write_version(context, operation, series.latest + 1)


def revoke_document(context: Context, operation: RevokeDocument) -> None:
    """The owner of a series ends a version from now on; that it stood until now stays provable."""
    context.require_weight(context.account.thresholds.ordinary, helpers=True)
    _own_series(context, operation.series)
    version = _known_version(context, operation.series, operation.version)
    if version.revoked_ms is not None:
        raise Refusal(Code.ALREADY_REVOKED, f"{operation.series} version {operation.version}")
    revoked = msgspec.structs.replace(version, revoked_ms=context.time_ms)
    context.overlay.put(version_key(operation.series, operation.version), encode(revoked))
    context.say(
        "document.revoked",
        (context.account_id,),
        ("series", operation.series),
        ("version", operation.version),
    )


def _require_registrant(context: Context) -> None:
    context.require_weight(context.account.thresholds.ordinary, helpers=True)
    context.require_level(context.account_id, context.account, REGISTRANT_LEVEL)


def _own_series(context: Context, name: str) -> Series:
    context.require_name(name)
    series = read_series(context.overlay, name)
    if series is None:
        raise Refusal(Code.SERIES_UNKNOWN, name)
    if series.owner != context.account_id:
        raise Refusal(Code.NOT_THE_OWNER, format_account(series.owner))
    return series


def _known_version(context: Context, series: str, version: int) -> DocumentVersion:
    found = read_version(context.overlay, series, version)
    if found is None:
        raise Refusal(Code.VERSION_UNKNOWN, f"{series} version {version}")
    return found


def _write_version(
    context: Context, operation: RegisterDocument | ReplaceDocument, number: int
) -> None:
    version = DocumentVersion(
        digest=Digest(operation.digest),
        size_bytes=operation.size_bytes,
        registered_ms=context.time_ms,
        replaced_ms=None,
        revoked_ms=None,
    )
    context.overlay.put(version_key(operation.series, number), encode(version))
    series = Series(context.account_id, number)
    context.overlay.put(series_key(operation.series), encode(series))
    context.say(
        "document.registered" if number == 1 else "document.replaced",
        (context.account_id,),
        ("series", operation.series),
        ("version", number),
        ("digest", operation.digest),
    )
