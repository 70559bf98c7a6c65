"""The right edge of a tree: all that is needed to append to it and to know its root."""

from __future__ import annotations

from typing import Final, Self

from trueup.audit.merkle.errors import ProofInvalid
from trueup.audit.merkle.hashing import HASH_SIZE, NodeReader, fold_right, parents
from trueup.kernel.records import Record


class Frontier(Record, frozen=True):
    """A tree of ``size`` leaves as the complete subtrees it is made of, largest first: one for each bit of the size."""

    size: int
    hashes: tuple[bytes, ...]

    def __post_init__(self) -> None:
        """Refuse a number of hashes that is not the size's."""
        whole = all(len(one) == HASH_SIZE for one in self.hashes)
        if self.size < 0 or len(self.hashes) != self.size.bit_count() or not whole:
            raise ProofInvalid(f"{len(self.hashes)} hashes are no edge of a tree of {self.size} leaves.")

    @classmethod
    def at(cls, size: int, node: NodeReader) -> Self:
        """The edge of the tree of ``size`` leaves that ``node`` reads from; reads one hash for each bit of the size."""
        levels = [level for level in range(size.bit_length()) if size >> level & 1]
        # The subtree of a bit begins after those of all larger bits: its index is the size shifted, less its own bit.
        return cls(size=size, hashes=tuple(node(level, (size >> level) - 1) for level in reversed(levels)))

    @property
    def root(self) -> bytes:
        """The root of the tree."""
        return fold_right(list(self.hashes))

    def append(self, leaves: bytes) -> Frontier:
        """The edge after a run of leaf hashes was appended; costs one hash a leaf."""
        edge = list(self.hashes)
        grown: list[bytes] = []
        level, run = 0, leaves
        while run or self.size >> level:
            if self.size >> level & 1:
                run = edge.pop() + run
            whole = len(run) // 64 * 64
            if whole < len(run):
                grown.append(run[whole:])
            run = parents(run[:whole])
            level += 1
        return Frontier(size=self.size + len(leaves) // HASH_SIZE, hashes=tuple(reversed(grown)))


EMPTY: Final = Frontier(size=0, hashes=())
"""The tree without leaves."""
