"""A log of some size that a test asks a witness about, and another one that differs from it."""

from __future__ import annotations

from tests.audit.merkle.reading import reader_of
from tests.audit.notes.keyring import LOG, ORIGIN, Held, checkpoint_by
from trueup.audit.merkle.hashing import leaf_hashes, root_of
from trueup.audit.merkle.proofs import consistency_proof
from trueup.audit.notes.checkpoints import Checkpoint
from trueup.audit.notes.witnessing import AddCheckpoint


class Tree:
    """Entries by their number; one with another ``name`` shares none of them."""

    def __init__(self, name: str = "entry") -> None:
        self._name = name

    def request(self, old_size: int, size: int, *holders: Held, origin: str = ORIGIN) -> AddCheckpoint:
        """What the log says to a witness that knows it at the old size; signed by the log unless told otherwise."""
        leaves = leaf_hashes([f"{self._name} {number}".encode() for number in range(size)])
        proof = consistency_proof(old_size, size, reader_of(leaves).node) if old_size <= size else []
        checkpoint = Checkpoint(origin=origin, size=size, root=root_of(leaves))
        return AddCheckpoint(
            old_size=old_size, proof=tuple(proof), checkpoint=checkpoint_by(checkpoint, *(holders or (LOG,)))
        )
