"""The hashes of RFC 6962, section 2.1: https://www.rfc-editor.org/rfc/rfc6962.html#section-2.1.

A run of hashes is one byte string, 32 bytes each: a tile is stored as one, and a million objects are not made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Final

HASH_SIZE: Final = 32
"""Bytes of one hash."""
EMPTY_ROOT: Final = sha256().digest()
"""The root of a tree without leaves."""
_LEAF: Final = b"\x00"
_NODE: Final = b"\x01"

NodeReader = Callable[[int, int], bytes]
"""Of a level and an index: the hash of the complete subtree over leaves ``[index << level, (index + 1) << level)``."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash of an entry as a leaf."""
    return sha256(_LEAF + entry).digest()


def leaf_hashes(entries: Iterable[bytes]) -> bytes:
    """The run of the leaf hashes of entries."""
    return b"".join([sha256(_LEAF + entry).digest() for entry in entries])


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node over its two children."""
    return sha256(_NODE + left + right).digest()


def parents(run: bytes) -> bytes:
    """The run one level up: each two hashes become one. The number of hashes is even."""
    # A node hashes its children side by side, which is how they stand in the run.
    return b"".join([sha256(_NODE + run[at : at + 64]).digest() for at in range(0, len(run), 64)])


def split(run: bytes) -> list[bytes]:
    """The hashes of a run, one by one."""
    return [run[at : at + HASH_SIZE] for at in range(0, len(run), HASH_SIZE)]


def fold_right(hashes: list[bytes]) -> bytes:
    """The root over complete subtrees that stand side by side, largest first; ``EMPTY_ROOT`` over none."""
    if not hashes:
        return EMPTY_ROOT
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root


def root_of(leaves: bytes) -> bytes:
    """The root of the tree over a run of leaf hashes."""
    subtrees: list[bytes] = []
    while leaves:
        whole = len(leaves) // 64 * 64
        if whole < len(leaves):
            subtrees.append(leaves[whole:])
        leaves = parents(leaves[:whole])
    return fold_right(subtrees[::-1])
