"""Which kinds of payment method an intent takes, and with which options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from trueup.sandbox.payment_methods import prints
from trueup.sandbox.world.world import Obj, World

_CARD: Final = {"installments": None, "mandate_options": None, "network": None, "request_three_d_secure": "automatic"}
_SETUP_CARD: Final = {"mandate_options": None, "network": None, "request_three_d_secure": "automatic"}
_LINK: Final = {"persistent_token": None}
_BANK: Final = {"mandate_options": {}, "verification_method": "automatic"}
_CONNECTED_BANK: Final = {
    "financial_connections": {"permissions": ["payment_method"], "prefetch": []},
    "mandate_options": {},
    "verification_method": "automatic",
}


def enabled(currency: str, *, manual: bool = False) -> list[str]:
    """The kinds that are switched on in the account for a currency; those that cannot be captured later left out.

    Each account chooses its own at Stripe; a sandbox takes cards, Link, and the bank debit of the currency.
    """
    debits = {"usd": ["us_bank_account"], "eur": ["sepa_debit"]}.get(currency, [])
    return ["card", "link", *([] if manual else debits)]


def of_payment(kinds: Sequence[str], given: Mapping[str, Any] | None, *, of_invoice: bool = False) -> Obj:
    """``payment_method_options`` of a payment intent."""
    known = {
        "card": _CARD,
        "link": _LINK,
        "us_bank_account": _BANK if of_invoice else _CONNECTED_BANK,
        "sepa_debit": {"mandate_options": {}},
    }
    return _merged(kinds, known, given)


def of_setup(kinds: Sequence[str], given: Mapping[str, Any] | None) -> Obj:
    """``payment_method_options`` of a setup intent."""
    return _merged(kinds, {"card": _SETUP_CARD, "us_bank_account": _BANK, "sepa_debit": {"mandate_options": {}}}, given)


def _merged(kinds: Sequence[str], known: Mapping[str, Any], given: Mapping[str, Any] | None) -> Obj:
    found: Obj = {}
    for kind in sorted(kinds):
        own = {name: value or None for name, value in ((given or {}).get(kind) or {}).items() if name in _KEPT}
        if kind in known or own:
            found[kind] = {**known.get(kind, {}), **own}
    return found


_KEPT: Final = frozenset(
    {
        "capture_method",
        "network",
        "request_three_d_secure",
        "setup_future_usage",
        "verification_method",
        "preferred_locale",
    }
)
"""The options that an intent shows as they were sent; others only matter to a page that collects a payment method."""


def configuration(world: World) -> Obj:
    """The account's configuration of payment methods, as intents that go by it name it."""
    return {"id": "pmc_1" + prints.text(world, "payment_method_configuration", 23), "parent": None}
