"""What can go wrong with places that checkpoints are sent to.

Unavailable
└── NotTaken            the place does not answer, or not as it should
Refused
└── PlaceInvalid        what the operator set for a place cannot be used
"""

from __future__ import annotations

from trueup.kernel.errors import Refused, Unavailable


class NotTaken(Unavailable):
    """The place did not take the checkpoint; it is tried again."""

    code = "audit_anchor_not_taken"


class PlaceInvalid(Refused):
    """A setting of the place cannot be used as it stands."""

    code = "audit_anchor_invalid"
