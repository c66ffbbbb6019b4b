"""Documents: register, replace and revoke salted digests; the content stays where it is."""

import msgspec

from moyai.ledger.codes import Code, Refusal
from moyai.ledger.context import Context
from moyai.ledger.documents import DocumentVersion, Series, read_series, read_version
from moyai.ledger.keys import series_key, version_key
from moyai.primitives.codec import encode
from moyai.primitives.ids import Digest
from moyai.primitives.operations_documents import (
    RegisterDocument,
    ReplaceDocument,
    RevokeDocument,
)


def register_document(context: Context, operation: RegisterDocument) -> None:
    """Begin a series with version 1."""
    context.require_weight(context.account.thresholds.ordinary, helpers=True)
    context.require_normal_text(operation.series)
    if read_series(context.overlay, operation.series) is not None:
        raise Refusal(Code.SERIES_EXISTS, operation.series)
    _write_version(context, operation.series, 1, _fresh(context, operation))
    _write_series(context, operation.series, Series(context.account_id, 1))
    _say(context, "document.registered", operation.series, 1, operation.digest)


def replace_document(context: Context, operation: ReplaceDocument) -> None:
    """Register the next version; the one before is in force until now."""
    series = _own_series(context, operation.series)
    if operation.replaces != series.latest:
        raise Refusal(Code.NOT_THE_LATEST, f"{operation.series} has version {series.latest}")
    old = read_version(context.overlay, operation.series, series.latest)
    assert old is not None, "a series has every version up to its latest"
    _write_version(
        context,
        operation.series,
        series.latest,
        msgspec.structs.replace(old, replaced_ms=context.time_ms),
    )
    number = series.latest + 1
    _write_version(context, operation.series, number, _fresh(context, operation))
    _write_series(context, operation.series, Series(series.owner, number))
    _say(context, "document.replaced", operation.series, number, operation.digest)


def revoke_document(context: Context, operation: RevokeDocument) -> None:
    """End a version without a successor."""
    _own_series(context, operation.series)
    version = read_version(context.overlay, operation.series, operation.version)
    if version is None:
        raise Refusal(Code.VERSION_UNKNOWN, f"{operation.series} {operation.version}")
    if version.revoked_ms is not None:
        raise Refusal(Code.ALREADY_REVOKED, f"{operation.series} {operation.version}")
    revoked = msgspec.structs.replace(version, revoked_ms=context.time_ms)
    _write_version(context, operation.series, operation.version, revoked)
    _say(context, "document.revoked", operation.series, operation.version, version.digest)


def _own_series(context: Context, name: str) -> Series:
    context.require_weight(context.account.thresholds.ordinary, helpers=True)
    series = read_series(context.overlay, name)
    if series is None:
        raise Refusal(Code.SERIES_UNKNOWN, name)
    if series.owner != context.account_id:
        raise Refusal(Code.NOT_THE_OWNER, name)
    return series


def _fresh(context: Context, operation: RegisterDocument | ReplaceDocument) -> DocumentVersion:
    return DocumentVersion(operation.digest, operation.size_bytes, context.time_ms, None, None)


def _write_series(context: Context, name: str, series: Series) -> None:
    context.overlay.put(series_key(name), encode(series))


def _write_version(context: Context, name: str, number: int, version: DocumentVersion) -> None:
    context.overlay.put(version_key(name, number), encode(version))


def _say(context: Context, kind: str, series: str, version: int, digest: Digest) -> None:
    context.say(
        kind,
        (context.account_id,),
        ("series", series),
        ("version", version),
        ("digest", digest),
    )
