"""Answers of the `chain_…` and `validators_…` methods, proofs apart (`handlers_proofs`)."""

from moyai.ledger.membership import read_governance, read_validators
from moyai.primitives.block import Header, header_digest
from moyai.primitives.genesis import genesis_digest
from moyai.primitives.ids import Digest, Epoch, Height
from moyai.primitives.state_keys import validators_key
from moyai.rpc.errors import InvalidParamsError, NotFoundError
from moyai.rpc.reads import Reads
from moyai.rpc.schema_chain import (
    BlockParams,
    BlockShown,
    EpochEndShown,
    GenesisShown,
    HeadParams,
    HeadShown,
    ValidatorsParams,
    ValidatorsShown,
)
from moyai.rpc.schema_types import NoParams
from moyai.rpc.texts import base64_text, canonical_text, digest_bytes, time_text


def chain_head(reads: Reads, _params: HeadParams) -> HeadShown:
    """The newest committed block."""
    header = reads.head
    return HeadShown(
        height=header.height,
        digest=header_digest(header).hex(),
        time=time_text(header.time_ms),
        epoch=header.epoch,
        view=header.view,
        executed_height=header.executed.height,
        state_root=header.executed.state_root.hex(),
        log_root=header.log_root.hex(),
    )


def chain_block(reads: Reads, params: BlockParams) -> BlockShown:
    """A block, with as much of its body as is asked for."""
    header = _asked_header(reads, params)
    height = header.height
    snapshot = reads.snapshot
    include = params.include
    receipts = snapshot.receipts(height) if {"codes", "receipts"}.intersection(include) else ()
    return BlockShown(
        height=height,
        digest=header_digest(header).hex(),
        head=reads.height,
        parent=header.parent.hex(),
        time=time_text(header.time_ms),
        epoch=header.epoch,
        view=header.view,
        proposer=header.proposer,
        tx_count=header.tx_count,
        header=canonical_text(header),
        ids=[one.hex() for one in reads.transaction_ids(height)] if "ids" in include else None,
        codes=[receipt.code for receipt in receipts] if "codes" in include else None,
        transactions=(
            [base64_text(raw) for raw in snapshot.body(height)]
            if "transactions" in include
            else None
        ),
        receipts=[canonical_text(one) for one in receipts] if "receipts" in include else None,
    )


def chain_genesis(reads: Reads, _params: NoParams) -> GenesisShown:
    """The document that every node of this network starts from."""
    genesis = reads.node.genesis
    return GenesisShown(
        digest=genesis_digest(genesis).hex(),
        chain_id=genesis.chain_id,
        time=time_text(genesis.time_ms),
        document=canonical_text(genesis),
    )


def validators_get(reads: Reads, params: ValidatorsParams) -> ValidatorsShown:
    """The validator keys of an epoch, by index."""
    began = reads.get(validators_key(Epoch(params.epoch)))
    if began is None:
        raise NotFoundError(
            f"the chain is in epoch {read_governance(reads).epoch}",
            what=f"validators of epoch {params.epoch}",
            next="ask for an epoch that chain_head has reported",
        )
    validators = read_validators(reads, Epoch(params.epoch))
    return ValidatorsShown(
        epoch=validators.epoch,
        keys=[key.hex() for key in validators.keys],
        quorum=validators.quorum,
        epoch_end=_end_shown(reads, began.height) if params.epoch else None,
    )


def _end_shown(reads: Reads, height: Height) -> EpochEndShown:
    """The block at `height` ended an epoch; its certificate is its own or that of a filler."""
    certificate = reads.snapshot.end_certificate(height)
    assert certificate is not None, "the block that ends an epoch is stored with its finalization"
    fillers = reads.snapshot.extra_headers(height)
    return EpochEndShown(
        header=canonical_text(reads.header(height)),
        fillers=[canonical_text(filler) for filler in fillers],
        certificate=canonical_text(certificate),
    )


def _asked_header(reads: Reads, params: BlockParams) -> Header:
    if params.height is not None and params.digest is not None:
        raise InvalidParamsError(
            "names a block twice", what="height, digest", next="give one of the two"
        )
    if params.digest is None:
        return reads.header(reads.height if params.height is None else params.height)
    digest = Digest(digest_bytes(params.digest, what="digest"))
    height = reads.snapshot.height_of(digest)
    if height is None:
        raise NotFoundError(
            f"{reads.looked_through} has this digest",
            what=f"block {params.digest}",
            next="check the digest, or ask again later",
        )
    return reads.header(height)
