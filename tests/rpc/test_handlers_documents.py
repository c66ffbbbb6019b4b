"""Documents: which version was in force on a day."""

from harness.proven_city import ACCOUNTS
from harness.rpc_city import RpcCity
from moyai.primitives.ids import Digest, format_account
from moyai.primitives.operations_documents import (
    RegisterDocument,
    ReplaceDocument,
    RevokeDocument,
)
from moyai.rpc import handlers_documents
from moyai.rpc.texts import time_text

SERIES = "ordinance/7"


async def test_the_version_in_force_depends_on_the_time(city: RpcCity) -> None:
    first = city.commit(city.sign(RegisterDocument(SERIES, Digest(b"\x01" * 32), 10)))
    second = city.commit(city.sign(ReplaceDocument(SERIES, Digest(b"\x02" * 32), 20, 1)))
    third = city.commit(city.sign(RevokeDocument(SERIES, 2)))
    now = await city.call("documents_get", series=SERIES)
    assert now["in_force"] is None
    assert now["owner"] == format_account(ACCOUNTS["city-hall"])
    assert [one["version"] for one in now["versions"]] == [2, 1]
    assert now["versions"][0]["revoked"] == time_text(third.time_ms)
    assert now["versions"][1]["replaced"] == time_text(second.time_ms)
    assert now["versions"][1]["digest"] == "01" * 32
    for header, expected in ((first, 1), (second, 2), (third, None)):
        answer = await city.call("documents_get", series=SERIES, at=time_text(header.time_ms))
        assert answer["in_force"] == expected
    before = time_text(first.time_ms - 1)
    assert (await city.call("documents_get", series=SERIES, at=before))["in_force"] is None


async def test_a_long_series_shows_its_newest_versions(city: RpcCity, monkeypatch: object) -> None:
    assert handlers_documents.VERSIONS_SHOWN_MAX == 100
    city.commit(
        city.sign(
            RegisterDocument(SERIES, Digest(b"\x01" * 32), 10),
            *(ReplaceDocument(SERIES, Digest(b"\x02" * 32), 20, number) for number in range(1, 60)),
        ),
        city.sign(
            *(
                ReplaceDocument(SERIES, Digest(b"\x02" * 32), 20, number)
                for number in range(60, 121)
            )
        ),
    )
    answer = await city.call("documents_get", series=SERIES)
    assert [one["version"] for one in answer["versions"]] == list(range(121, 21, -1))
    assert answer["in_force"] == 121


async def test_an_unknown_series_and_a_time_without_a_zone_are_refused(city: RpcCity) -> None:
    assert (await city.refusal("documents_get", series="none"))["code"] == "not_found"
    city.commit(city.sign(RegisterDocument(SERIES, Digest(b"\x01" * 32), 10)))
    refusal = await city.refusal("documents_get", series=SERIES, at="2026-01-01T00:00:00")
    assert refusal["what"] == "at"
