"""Answers about documents: the versions of a series, and which was in force when."""

from moyai.ledger.documents import read_series, read_version, version_in_force
from moyai.primitives.state_values import DocumentVersion
from moyai.rpc.errors import NotFoundError
from moyai.rpc.reads import Reads
from moyai.rpc.schema_records import DocumentParams, DocumentShown, DocumentVersionShown
from moyai.rpc.texts import account_text, time_of, time_text

VERSIONS_SHOWN_MAX = 100


def documents_get(reads: Reads, params: DocumentParams) -> DocumentShown:
    """A series of documents, newest version first, and the one in force at a time."""
    series = read_series(reads, params.series)
    if series is None:
        raise NotFoundError(
            f"nothing is registered under it, as of height {reads.height}",
            what=f"document series {params.series}",
            next="check its name",
        )
    at_ms = reads.head.time_ms if params.at is None else time_of(params.at, what="at")
    in_force = version_in_force(reads, params.series, at_ms)
    lowest = max(1, series.latest - VERSIONS_SHOWN_MAX + 1)
    versions = []
    for number in range(series.latest, lowest - 1, -1):
        version = read_version(reads, params.series, number)
        assert version is not None, "a series has every version up to its latest"
        versions.append(_shown(number, version))
    return DocumentShown(
        height=reads.height,
        series=params.series,
        owner=account_text(series.owner),
        at=time_text(at_ms),
        in_force=None if in_force is None else in_force[0],
        versions=versions,
    )


def _shown(number: int, version: DocumentVersion) -> DocumentVersionShown:
    return DocumentVersionShown(
        version=number,
        digest=version.digest.hex(),
        size_bytes=version.size_bytes,
        registered=time_text(version.registered_ms),
        replaced=None if version.replaced_ms is None else time_text(version.replaced_ms),
        revoked=None if version.revoked_ms is None else time_text(version.revoked_ms),
    )
