"""What can go wrong in talking to Stripe."""

from __future__ import annotations

from trueup.kernel.errors import NotFound, Refused, Unavailable


class StripeRefused(Refused):
    """Stripe knows the request and will not do it: a wrong key, or a key without the permission."""

    code = "stripe_refused"


class StripeUnavailable(Unavailable):
    """Stripe did not answer, or blamed itself.

    ``final`` says that Stripe does not want to be asked the same again, and ``retry_after`` in how many seconds it
    does; 0 where it does not say.
    """

    code = "stripe_unavailable"

    def __init__(self, message: str, *, hint: str = "", final: bool = False, retry_after: float = 0.0) -> None:
        super().__init__(message, hint=hint)
        self.final = final
        self.retry_after = retry_after


class StripeUnauthorized(StripeRefused):
    """Stripe does not take the key: it says nothing about what was asked for."""

    code = "stripe_unauthorized"


class StripeForbidden(StripeRefused):
    """The key lacks the permission for what is asked; never to be taken for an empty answer.

    ``permission`` is its name, such as ``rak_customer_read``, where Stripe said it.
    """

    code = "stripe_forbidden"

    def __init__(self, message: str, *, hint: str = "", permission: str = "") -> None:
        super().__init__(message, hint=hint)
        self.permission = permission


class StripeParameterMissing(StripeRefused):
    """A parameter names an object that there is not, such as a cursor that was deleted."""

    code = "stripe_parameter_missing"


class StripePathUnknown(StripeRefused):
    """This API does not have the path at all: a sandbox, or a product that the account does not take part in."""

    code = "stripe_path_unknown"


class StripeNothingUpcoming(NotFound):
    """Stripe sees no invoice that would come for this customer or subscription."""

    code = "stripe_nothing_upcoming"


class StripeMissing(NotFound):
    """Stripe has no object of this id, or had one that is deleted.

    ``second`` is a unix second of Stripe's clock that had not passed when it was asked.
    """

    code = "stripe_missing"

    def __init__(self, message: str, *, second: int) -> None:
        super().__init__(message)
        self.second = second


class StripeThrottled(Unavailable):
    """Stripe answered 429.

    ``reason`` is its own, such as ``global-rate``, ``endpoint-rate`` or ``lock_timeout``; it may be empty. ``final``
    and ``retry_after`` are those of ``StripeUnavailable``.
    """

    code = "stripe_throttled"

    def __init__(
        self, message: str, *, reason: str | None = None, final: bool = False, retry_after: float = 0.0
    ) -> None:
        super().__init__(message, hint="It is tried again, more slowly.")
        self.reason = reason or ""
        self.final = final
        self.retry_after = retry_after

    @property
    def is_limit(self) -> bool:
        """Whether it speaks of too many calls, and not of an object that somebody else holds at the moment."""
        return self.reason != "lock_timeout"

    @property
    def of_endpoint(self) -> bool:
        """Whether only calls of this endpoint are too many."""
        return self.reason.startswith(("endpoint-", "resource-"))
