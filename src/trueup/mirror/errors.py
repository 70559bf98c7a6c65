"""What can be wrong with a fact that has already passed the door.

Refused (trueup.kernel.errors)
└── Unusable    a signed body that is not a Stripe event; it is set aside with its reason, never dropped
"""

from __future__ import annotations

from trueup.kernel.errors import Refused


class Unusable(Refused):
    """The body is JSON but not an event we can read. The sentence names the field, never its value."""

    code = "unusable_event"
