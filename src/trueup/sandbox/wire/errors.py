"""Errors in Stripe's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_DOCUMENTED: Final = "https://stripe.com/docs/error-codes/"

_NAMES: Final = {
    "balance_transaction": "balance transaction",
    "customer_balance_transaction": "customer balance transaction",
    "line_item": "invoice line item",
    "promotion_code": "promotion code",
    "radar.early_fraud_warning": "early fraud warning",
    "subscription_item": "subscription_item",
    "test_helpers.test_clock": "test clock",
}


class StripeError(Exception):
    """What the API answers instead of an object. ``status`` is HTTP's; ``fields`` are shown beside the message."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        type: str = "invalid_request_error",  # noqa: A002 - Stripe's name of the field
        code: str | None = None,
        param: str | None = None,
        fields: Mapping[str, Any] | None = None,
        keep: bool = False,
    ) -> None:
        super().__init__(message)
        self.message, self.status, self.type, self.code, self.param = message, status, type, code, param
        self.fields = dict(fields or {})
        self.keep = keep
        """Whether what was done until then stays, as after a declined confirmation."""

    def body(self, request_id: str) -> dict[str, Any]:
        """The answer's JSON."""
        error: dict[str, Any] = {}
        if self.code:
            error |= {"code": self.code, "doc_url": _DOCUMENTED + self.code.replace("_", "-")}
        error |= self.fields
        error["message"] = self.message
        if self.param:
            error["param"] = self.param
        error["request_log_url"] = f"https://dashboard.stripe.com/test/logs/{request_id}?t=0"
        error["type"] = self.type
        return {"error": error}


def missing(kind: str, object_id: str, *, param: str | None = None) -> StripeError:
    """No such object: 404 where the path names it, 400 where a parameter does."""
    return StripeError(
        f"No such {_NAMES.get(kind, kind)}: '{object_id}'",
        status=404 if param is None else 400,
        code="resource_missing",
        param=param or "id",
    )


def invalid(message: str, *, param: str | None = None, code: str | None = None) -> StripeError:
    """A request that cannot be met: 400."""
    return StripeError(message, param=param, code=code)
