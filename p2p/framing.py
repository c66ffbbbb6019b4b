"""Frames: how messages lie in the encrypted stream between two nodes, without any input or output.

    length u32 big-endian | type u8 | ciphertext and 16-byte tag (length bytes together)

The five bytes of the head travel in the clear and are authenticated as associated data, so the cap
of a type is checked before its body is awaited, let alone held. Not here: what the types mean.
"""

import struct
from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidTag

from moyai.p2p.errors import FrameError, LinkError
from moyai.p2p.noise import TAG_BYTES, CipherState

HEAD: Final = struct.Struct(">IB")
HEAD_BYTES: Final = HEAD.size
FRAME_OVERHEAD_BYTES: Final = HEAD_BYTES + TAG_BYTES

UNKNOWN_TYPE: Final = -1
"""The cap of a type that does not exist."""


class FrameWriter:
    """Seals payloads into frames; frames must leave in the order they were sealed."""

    __slots__ = ("_caps", "_encrypt")

    def __init__(self, cipher: CipherState, payload_bytes_max: Sequence[int]) -> None:
        self._encrypt = cipher.encrypt
        self._caps = payload_bytes_max

    def seal(self, kind: int, payload: bytes) -> bytes:
        """Return one frame.

        Raises `LinkError` when the payload is over its type's cap or the nonces are spent.
        """
        if len(payload) > self._caps[kind]:
            raise LinkError(
                f"a payload of {len(payload)} bytes is over the cap of {self._caps[kind]}",
                what=f"message type {kind}",
                next="split it before it is sent",
            )
        head = HEAD.pack(len(payload) + TAG_BYTES, kind)
        return head + self._encrypt(head, payload)


class FrameReader:
    """Opens the frames of one stream, however the stream is cut into pieces."""

    __slots__ = ("_buffer", "_caps", "_decrypt")

    def __init__(self, cipher: CipherState, payload_bytes_max: Sequence[int]) -> None:
        self._decrypt = cipher.decrypt
        self._caps = payload_bytes_max
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Return (type, payload) of every frame that `data` completes.

        Raises `FrameError`; the stream is then lost, since frames are found one after another.
        """
        buffer = self._buffer
        buffer += data
        frames: list[tuple[int, bytes]] = []
        start, held = 0, len(buffer)
        with memoryview(buffer) as view:
            while held - start >= HEAD_BYTES:
                length, kind = HEAD.unpack_from(view, start)
                if not TAG_BYTES <= length <= self._caps[kind] + TAG_BYTES:
                    raise _bad_length(length, kind, self._caps[kind])
                body = start + HEAD_BYTES
                end = body + length
                if end > held:
                    break
                frames.append((kind, self._open(view[start:body], view[body:end], kind)))
                start = end
        del buffer[:start]
        return frames

    def _open(self, head: memoryview, sealed: memoryview, kind: int) -> bytes:
        with head, sealed:
            try:
                return self._decrypt(head, sealed)
            except InvalidTag:
                raise FrameError(
                    "a frame does not authenticate", what=f"message type {kind}"
                ) from None


def _bad_length(length: int, kind: int, cap: int) -> FrameError:
    if cap == UNKNOWN_TYPE:
        return FrameError("a frame of an unknown type", what=f"message type {kind}")
    return FrameError(
        f"a frame of {length} bytes, not {TAG_BYTES} to {cap + TAG_BYTES}",
        what=f"message type {kind}",
    )
