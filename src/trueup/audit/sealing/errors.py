"""Why the log is not sealed.

Broken
└── SealingRefused   the tree does not continue what was signed before; codes:
    ├── audit_went_back       the database has less than was signed: an older state of it was put in place
    ├── audit_tree_changed    the tree has another root at a size that was signed
    ├── audit_tree_torn       leaves, tiles and checkpoints do not fit each other
    ├── audit_note_invalid    the newest signed note in the database is not one that our keys signed
    ├── audit_origin_changed  what was signed before was the log of another name
    └── audit_memory_invalid  the signer's own file cannot be read
"""

from __future__ import annotations

from trueup.kernel.errors import Broken


class SealingRefused(Broken):
    """Nothing is numbered and nothing is signed before somebody has looked at it."""

    code = "audit_sealing_refused"
