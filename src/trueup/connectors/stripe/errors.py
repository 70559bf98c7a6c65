"""What can go wrong in talking to Stripe."""

from __future__ import annotations

from trueup.kernel.errors import Refused, Unavailable


class StripeRefused(Refused):
    """Stripe knows the request and will not do it: a wrong key, or a key without the permission."""

    code = "stripe_refused"


class StripeUnavailable(Unavailable):
    """Stripe did not answer."""

    code = "stripe_unavailable"
