"""What can go wrong in talking to Stripe."""

from __future__ import annotations

from trueup.kernel.errors import NotFound, Refused, Unavailable


class StripeRefused(Refused):
    """Stripe knows the request and will not do it: a wrong key, or a key without the permission."""

    code = "stripe_refused"


class StripeUnavailable(Unavailable):
    """Stripe did not answer."""

    code = "stripe_unavailable"


class StripeForbidden(StripeRefused):
    """The key lacks the permission for what is asked; never to be taken for an empty answer."""

    code = "stripe_forbidden"


class StripeParameterMissing(StripeRefused):
    """A parameter names an object that there is not, such as a cursor that was deleted."""

    code = "stripe_parameter_missing"


class StripeMissing(NotFound):
    """Stripe has no object of this id, or had one that is deleted."""

    code = "stripe_missing"


class StripeThrottled(Unavailable):
    """Stripe answered 429. ``reason`` is its own, such as ``global-rate`` or ``lock_timeout``; it may be empty."""

    code = "stripe_throttled"

    def __init__(self, message: str, *, reason: str | None = None) -> None:
        super().__init__(message, hint="It is tried again, more slowly.")
        self.reason = reason or ""
