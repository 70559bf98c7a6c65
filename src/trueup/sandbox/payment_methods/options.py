"""Which kinds of payment method an intent takes, and with which options."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from trueup.sandbox.answers.calls import Call
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
        "request_extended_authorization",
        "request_incremental_authorization",
        "request_multicapture",
        "request_overcapture",
        "network",
        "request_three_d_secure",
        "setup_future_usage",
        "verification_method",
        "preferred_locale",
    }
)
"""The options that an intent shows as they were sent; others only matter to a page that collects a payment method."""


def offered(
    world: World,
    enabled: Sequence[str],
    allowed: Sequence[str] | None,
    excluded: Sequence[str] | None,
    automatic: Mapping[str, Any] | None,
) -> Obj:
    """The fields of an intent that say which kinds it takes: those it names or the account's, less the excluded.

    Without ``automatic_payment_methods`` only cards are taken. Source of what naming them does: the recordings of
    ``payment_method_types``, which ``allowed_payment_method_types`` took the place of.
    """
    by_account = not allowed and (automatic or {}).get("enabled", True)
    kinds = list(allowed or (enabled if by_account else ("card",)))
    return {
        "allowed_payment_method_types": list(allowed) if allowed else None,
        "automatic_payment_methods": (
            {"allow_redirects": "always", "enabled": True, **(automatic or {})} if by_account else None
        ),
        "excluded_payment_method_types": list(excluded) if excluded else None,
        "payment_method_configuration_details": configuration(world) if by_account else None,
        "payment_method_types": [kind for kind in kinds if kind not in (excluded or ())],
    }


def renew(
    world: World,
    intent: Obj,
    call: Call,
    enabled: Sequence[str],
    options_of: Callable[[Sequence[str], Mapping[str, Any] | None], Obj],
) -> None:
    """What an update or a confirmation says of kinds and options."""
    told = ("allowed_payment_method_types", "excluded_payment_method_types")
    if any(call.given(name) for name in told):
        allowed, excluded = (call.value(name, intent[name]) for name in told)
        intent.update(offered(world, enabled, allowed, excluded, intent["automatic_payment_methods"]))
        intent["payment_method_options"] = options_of(
            intent["payment_method_types"], call.value("payment_method_options")
        )
    elif call.value("payment_method_options"):
        intent["payment_method_options"] = options_of(
            intent["payment_method_types"], call.params["payment_method_options"]
        )


def configuration(world: World) -> Obj:
    """The account's configuration of payment methods, as intents that go by it name it."""
    return {"id": "pmc_1" + prints.text(world, "payment_method_configuration", 23), "parent": None}
