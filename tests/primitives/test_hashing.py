"""Scenarios of tagged hashes; the digests of the formats are pinned here."""

from hashlib import sha256 as reference

from moyai.primitives.hashing import Tag, sha256, tagged


def test_a_tagged_hash_is_sha256_of_tag_and_data() -> None:
    assert tagged(Tag.HEADER, b"x") == reference(b"moyai/header/1\x00x").digest()
    assert sha256(b"x") == reference(b"x").digest()


def test_no_tag_is_a_prefix_of_another() -> None:
    tags = [tag.value for tag in Tag]
    for one in tags:
        assert one.endswith(b"\x00")
        assert one.count(b"\x00") == 1
        assert sum(other.startswith(one) for other in tags) == 1
