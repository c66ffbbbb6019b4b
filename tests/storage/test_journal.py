"""The journal: what was committed before a message left is there after any crash."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from harness.stored_chain import KEY, MAP_BYTES, small_genesis
from moyai.consensus.messages import Evidence, Proposal
from moyai.consensus.records import (
    AbstainRecord,
    BlockRecord,
    CertificateRecord,
    EvidenceRecord,
    FloorRecord,
    ProposalRecord,
    VoteRecord,
)
from moyai.primitives.block import Header, header_digest
from moyai.primitives.certificate import Certificate
from moyai.primitives.genesis import genesis_header
from moyai.primitives.ids import ZERO_DIGEST, Digest, Epoch, TransactionId, ValidatorIndex, View
from moyai.primitives.merkle import Frontier
from moyai.primitives.vote import Vote, VoteKind
from moyai.storage.errors import CorruptedError, MissingStoreError, OtherKeyError, StoreExistsError
from moyai.storage.journal import Journal
from moyai.storage.keys import JournalTable

GENESIS = Digest(b"\x09" * 32)
OTHER_KEY = bytes(32)


def vote(view: int, kind: VoteKind = VoteKind.NOTARIZE, digest: Digest = ZERO_DIGEST) -> Vote:
    return Vote(Epoch(0), View(view), kind, digest, ValidatorIndex(0), b"\x00" * 64)


def certificate(view: int, kind: VoteKind, digest: Digest = ZERO_DIGEST) -> Certificate:
    return Certificate(Epoch(0), View(view), kind, digest, b"\x01", (b"\x00" * 64,))


def header(view: int) -> Header:
    return msgspec.structs.replace(genesis_header(small_genesis()), view=View(view))


def block(view: int) -> BlockRecord:
    return BlockRecord(header(view), (TransactionId(b"\x01" * 32),))


def floor(view: int) -> FloorRecord:
    top = header(view)
    final = certificate(view, VoteKind.FINALIZE, header_digest(top))
    return FloorRecord(final, (top,), Frontier())


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal.create(tmp_path / "journal", KEY, GENESIS, map_bytes=MAP_BYTES)
    yield opened
    opened.close()


def reopened(journal: Journal, path: Path) -> Journal:
    """The journal as a process finds it that starts after a crash here."""
    shutil.rmtree(path.parent / "image", ignore_errors=True)
    shutil.copytree(path, path.parent / "image")
    return Journal.open(path.parent / "image", KEY, GENESIS, map_bytes=MAP_BYTES)


def test_a_new_journal_is_unused_and_empty(journal: Journal) -> None:
    recovered = journal.load()
    assert recovered.unused
    assert recovered.floor is None
    assert recovered.abstain is None
    assert recovered.votes == recovered.certificates == recovered.blocks == ()


def test_the_first_vote_ends_unused_for_good(journal: Journal, tmp_path: Path) -> None:
    journal.commit([CertificateRecord(certificate(1, VoteKind.NULLIFY), lazy=True)], {})
    assert journal.unused
    journal.commit([VoteRecord(vote(1))], {})
    assert not journal.unused
    again = reopened(journal, tmp_path / "journal")
    assert not again.load().unused
    again.close()


def test_every_record_comes_back_in_the_order_of_views(journal: Journal, tmp_path: Path) -> None:
    proposal = Proposal(header(300), vote(300), (TransactionId(b"\x01" * 32),))
    evidence = Evidence(vote(4, digest=Digest(b"\x01" * 32)), vote(4, digest=Digest(b"\x02" * 32)))
    abstain = AbstainRecord(Epoch(0), abstaining=True, vote_above_view=View(9))
    journal.commit(
        [
            VoteRecord(vote(300)),
            VoteRecord(vote(2)),
            VoteRecord(vote(2, VoteKind.FINALIZE)),
            CertificateRecord(certificate(7, VoteKind.NOTARIZE), lazy=False),
            CertificateRecord(certificate(7, VoteKind.NULLIFY), lazy=True),
            block(300),
            block(2),
            ProposalRecord(proposal),
            floor(1),
            EvidenceRecord(evidence),
            abstain,
        ],
        {header_digest(header(2)): (b"transaction",)},
    )
    again = reopened(journal, tmp_path / "journal")
    recovered = again.load()
    assert recovered.votes == (vote(2), vote(2, VoteKind.FINALIZE), vote(300))
    assert [one.kind for one in recovered.certificates] == [VoteKind.NOTARIZE, VoteKind.NULLIFY]
    assert recovered.blocks == (block(2), block(300))
    assert recovered.proposals == (proposal,)
    assert recovered.floor == floor(1)
    assert recovered.evidence == (evidence,)
    assert recovered.abstain == abstain
    assert again.block_body(header_digest(header(2))) == (b"transaction",)
    assert again.block_body(header_digest(header(300))) is None
    again.close()


def test_the_floor_forgets_what_is_below_but_not_what_the_chain_store_lacks(
    journal: Journal,
) -> None:
    for view in range(1, 6):
        journal.commit(
            [
                VoteRecord(vote(view)),
                CertificateRecord(certificate(view, VoteKind.NOTARIZE), lazy=False),
                ProposalRecord(Proposal(header(view), vote(view), ())),
                block(view),
                floor(view),
            ],
            {header_digest(header(view)): (b"%d" % view,)},
        )
    journal.prune(View(4), Epoch(0), keep=(header_digest(header(3)),))
    recovered = journal.load()
    assert [one.view for one in recovered.votes] == [5]
    assert [one.view for one in recovered.certificates] == [4, 5]
    assert [one.header.view for one in recovered.proposals] == [5]
    assert [one.header.view for one in recovered.blocks] == [3, 5]
    assert recovered.floor == floor(5)
    assert [one.certificate.view for one in journal.floors()] == [3, 5]
    assert journal.block_body(header_digest(header(3))) == (b"3",)
    assert journal.block_body(header_digest(header(4))) is None


def test_a_crash_between_any_two_commits_finds_exactly_the_first(
    journal: Journal, tmp_path: Path
) -> None:
    for view in range(1, 6):
        journal.commit([VoteRecord(vote(view))], {})
        again = reopened(journal, tmp_path / "journal")
        assert [one.view for one in again.load().votes] == list(range(1, view + 1))
        again.close()


def test_a_marked_journal_abstains_and_is_used(journal: Journal) -> None:
    journal.mark_abstaining()
    recovered = journal.load()
    assert recovered.abstain.abstaining
    assert not recovered.unused


def test_a_key_that_lost_its_journal_gets_one_that_abstains(tmp_path: Path) -> None:
    journal = Journal.create_abstaining(tmp_path / "journal", KEY, GENESIS, map_bytes=MAP_BYTES)
    recovered = journal.load()
    assert recovered.abstain.abstaining
    assert not recovered.unused
    journal.close()


def test_a_journal_of_another_key_is_refused(journal: Journal, tmp_path: Path) -> None:
    journal.close()
    with pytest.raises(OtherKeyError, match="belongs to the key"):
        Journal.open(tmp_path / "journal", OTHER_KEY, GENESIS, map_bytes=MAP_BYTES)
    again = Journal.open(tmp_path / "journal", KEY, GENESIS, map_bytes=MAP_BYTES)
    with pytest.raises(StoreExistsError):
        Journal.create(tmp_path / "journal", KEY, GENESIS, map_bytes=MAP_BYTES)
    journal._environment = again.environment


def test_a_missing_journal_says_so(tmp_path: Path) -> None:
    with pytest.raises(MissingStoreError, match="there is none"):
        Journal.open(tmp_path / "nothing", KEY, GENESIS, map_bytes=MAP_BYTES)


def test_a_damaged_vote_stops_the_load_with_its_key(journal: Journal) -> None:
    journal.commit([VoteRecord(vote(5))], {})
    table = journal.environment.table(JournalTable.VOTES)
    with journal.environment.write() as txn:
        key, value = next(table.scan(txn))
        txn.put(key, b"\x00" * (len(value) + 16), db=table._database)
    with pytest.raises(CorruptedError, match=key.hex()):
        journal.load()
