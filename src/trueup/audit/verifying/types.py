"""What a check of the log finds."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from trueup.kernel.records import Record


class Wrong(StrEnum):
    """What can be wrong, as a stable code; what a position is depends on it."""

    LEAF_MISSING = "audit_leaf_missing"
    """There is no leaf at this place."""
    LEAF_CHANGED = "audit_leaf_changed"
    """The leaf at this place is not the hash of its entry, which the tiles hold."""
    ENTRY_MISSING = "audit_entry_missing"
    """The leaf at this place has no entry, and retention has not dropped it."""
    ENTRY_CHANGED = "audit_entry_changed"
    """The entry of the leaf at this place does not hash to it."""
    COLUMN_CHANGED = "audit_column_changed"
    """A column of the entry of the leaf at this place is not what its body says."""
    TILE_MISSING = "audit_tile_missing"
    """The tile is missing or too short; the position is its first leaf."""
    TILE_CHANGED = "audit_tile_changed"
    """The tile does not hold the hashes of the tree; the position is the first leaf below the first wrong hash."""
    CHECKPOINT_MISSING = "audit_checkpoint_missing"
    """There was a checkpoint of this size, and it is gone."""
    CHECKPOINT_CHANGED = "audit_checkpoint_changed"
    """The checkpoint of this size has another root than the tree."""
    NOTE_INVALID = "audit_note_invalid"
    """The signed note of this size is not of this root, or not signed by the key that it takes."""
    KEY_CHANGED = "audit_key_changed"
    """The signing key with this number is not the one that an entry announced, or is missing."""
    ENTRY_UNPLACED = "audit_entry_unplaced"
    """The entry with this id has no place in the tree and is not waiting for one."""
    PENDING_ORPHANED = "audit_pending_orphaned"
    """Something waits for a place under this id, and there is no such entry in this mode."""
    MINIMUM_CHANGED = "audit_minimum_changed"
    """No entry says that what is below this leaf was dropped."""
    WENT_BACK = "audit_went_back"
    """This host signed a tree of this size, and the database has less."""
    TREE_CHANGED = "audit_tree_changed"
    """This host signed another root at this size."""


class Problem(Record, frozen=True):
    """One thing that is wrong."""

    code: Wrong
    position: int
    sentence: str


class Finding(Record, frozen=True):
    """What a check of the whole log, or of its end, found."""

    livemode: bool
    since_size: int
    """Leaves below this one were not looked at."""
    size: int
    """Up to where it was: how many leaves there were when it began."""
    entries: int
    """How many entries were hashed."""
    checkpoints: int
    """How many checkpoints were compared."""
    first: Problem | None
    """The first broken position; None where all is well."""
    problems: int
    """How many broken positions there are, the first one included."""
    started_at: datetime
    ended_at: datetime

    @property
    def verified(self) -> bool:
        """Whether nothing is wrong."""
        return self.first is None


class LastVerification(Record, frozen=True):
    """How the last check of a mode ended, as it was noted."""

    livemode: bool
    size: int
    started_at: datetime
    ended_at: datetime
    verified: bool
    code: str
    position: int | None
    finding: str
    """The sentence; empty where all was well."""
