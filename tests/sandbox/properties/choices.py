"""What chance chooses from: cards, prices, coupons, amounts, spans of time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import precondition

Json = dict[str, Any]
Rule = TypeVar("Rule", bound=Callable[..., Any])

DAY: Final = 86_400
GOOD: Final = tuple(
    f"pm_card_{name}"
    for name in ("visa", "mastercard", "createDispute", "bypassPending", "refundFail", "threeDSecureOptional")
)
CARDS: Final = (
    *GOOD,
    "pm_card_chargeCustomerFail",
    "pm_card_authenticationRequired",
    "pm_card_threeDSecure2Required",
    "pm_card_chargeDeclinedLostCard",
    "pm_card_chargeDeclined",
    "pm_card_createIssuerFraudWarning",
    "pm_card_createDisputeInquiry",
    "pm_usBankAccount_success",
    "pm_usBankAccount_insufficientFunds",
    "pm_card_nonsense",
)
COUPONS: Final = (
    {"percent_off": 30, "duration": "forever"},
    {"percent_off": "33.33", "duration": "once"},
    {"percent_off": 100, "duration": "once"},
    {"amount_off": 500, "currency": "usd", "duration": "repeating", "duration_in_months": 3},
    {"amount_off": 5000, "currency": "usd", "duration": "forever", "max_redemptions": 2},
)
MONTH: Final = {"recurring": {"interval": "month"}, "currency": "usd"}
TIERS: Final = {
    "billing_scheme": "tiered",
    "tiers": [{"up_to": 2, "unit_amount": 1000, "flat_amount": 100}, {"up_to": "inf", "unit_amount": 333}],
}
PRICES: Final = (
    {**MONTH, "unit_amount": 2000},
    {**MONTH, "unit_amount": 3333},
    {**MONTH, "unit_amount": 0},
    {**MONTH, "unit_amount": 20},
    {**MONTH, "unit_amount_decimal": "12.5"},
    {**MONTH, **TIERS, "tiers_mode": "graduated"},
    {**MONTH, **TIERS, "tiers_mode": "volume"},
    {**MONTH, "unit_amount": 700, "transform_quantity": {"divide_by": 3, "round": "up"}},
    {"currency": "usd", "unit_amount": 24_000, "recurring": {"interval": "year"}},
    {"currency": "usd", "unit_amount": 500, "recurring": {"interval": "week", "interval_count": 2}},
    {"currency": "usd", "unit_amount": 90, "recurring": {"interval": "day"}},
    {"currency": "usd", "unit_amount": 1500},
    {"currency": "eur", "unit_amount": 1900, "recurring": {"interval": "month"}},
)
AMOUNTS: Final = (-900, -20, 0, 10, 49, 50, 333, 1000, 99_999)
SPANS: Final = (1, 60, 3_600, 3_601, DAY, 3 * DAY, 7 * DAY, 23 * 3_600, 15 * DAY, 31 * DAY, 62 * DAY)

which = st.integers(0, 11)
yes = st.booleans()
amount = st.sampled_from(AMOUNTS)
quantity = st.sampled_from((1, 1, 2, 3, 7, 0))
behavior = st.sampled_from(
    (None, None, None, "allow_incomplete", "default_incomplete", "error_if_incomplete", "pending_if_incomplete")
)
prorating = st.sampled_from((None, "create_prorations", "always_invoice", "none"))


def having(kind: str) -> Callable[[Rule], Rule]:
    """A rule that makes sense only where there is an object of a kind."""
    return precondition(lambda machine: machine.visitor.count(kind) > 0)


def given(**params: Any) -> Json:
    """The parameters that are not None."""
    return {name: value for name, value in params.items() if value is not None}
