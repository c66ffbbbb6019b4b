"""How deep JSON is nested, told before any parser recurses into it.

A parser that runs out of stack does so sooner on one node than on another; what a signature or a
record holds must be judged alike on all. Not here: whether the bytes are JSON at all.
"""

import re

from moyai.primitives.limits import JSON_DEPTH_MAX

_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
"""A text, or what begins like one and never ends: each byte is looked at once."""

_OPENING = b"[{"
_CLOSING = b"]}"


def is_shallow(data: bytes) -> bool:
    """Return whether nesting stays within `JSON_DEPTH_MAX`."""
    if data.count(b"[") + data.count(b"{") <= JSON_DEPTH_MAX:
        return True
    depth = 0
    for byte in _TEXT.sub(b"", data):
        if byte in _OPENING:
            depth += 1
            if depth > JSON_DEPTH_MAX:
                return False
        elif byte in _CLOSING:
            depth -= 1
    return True
