"""What can be wrong with a tree.

Refused
├── ProofInvalid    a proof does not prove what it is shown for
└── TileInvalid     a tile or bundle, or the name of one, is not of its form
"""

from __future__ import annotations

from trueup.kernel.errors import Refused


class ProofInvalid(Refused):
    """The proof does not lead to the root, or is none for this position and size."""

    code = "proof_invalid"


class TileInvalid(Refused):
    """The tile or bundle has the wrong length or name, or stands outside the tree."""

    code = "tile_invalid"
