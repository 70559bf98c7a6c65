"""What a payment method looks like."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from trueup.sandbox.payment_methods import prints
from trueup.sandbox.payment_methods.banks import Account
from trueup.sandbox.payment_methods.cards import Card
from trueup.sandbox.world.world import Obj, World

_DISPLAYED: Final = {"amex": "american_express", "diners": "diners_club", "unionpay": "union_pay"}
_ADDRESS: Final = ("city", "country", "line1", "line2", "postal_code", "state")
_BICS: Final = {
    "abn_amro": "ABNANL2A", "asn_bank": "ASNBNL21", "bunq": "BUNQNL2A", "ing": "INGBNL2A", "knab": "KNABNL2H",
    "moneyou": "MOYONL21", "n26": "NTSBDEB1", "nn": "NNBANL2G", "rabobank": "RABONL2U", "regiobank": "RBRBNL21",
    "revolut": "REVOLT21", "sns_bank": "SNSBNL2A", "triodos_bank": "TRIONL2U", "van_lanschot": "FVLBNL22",
    "yoursafe": "BITSNL2A",
}  # fmt: skip


def billing_details(given: Mapping[str, Any] | str | None, kept: Mapping[str, Any] | None = None) -> Obj:
    """Billing details with all their fields: what is given over what was kept."""
    old = kept or {}
    new = given if isinstance(given, Mapping) else {}
    found: Obj = {"address": dict(old["address"]) if old else dict.fromkeys(_ADDRESS)}
    if "address" in new:
        place = new["address"] or {}
        found["address"] = {name: place.get(name) or None for name in _ADDRESS}
    for name in ("email", "name", "phone", "tax_id"):
        found[name] = (new[name] or None) if name in new else old.get(name)
    return found


def card(
    world: World,
    seen: Card,
    identity: str,
    *,
    expires: tuple[int, int] | None = None,
    cvc: bool = True,
    postal: bool = False,
) -> Obj:
    """The ``card`` of a payment method; ``identity`` is what its fingerprint is made of, ``expires`` month and year.

    A card that nobody named a date for expires next year in this month, as Stripe's shared ones do.
    """
    today = datetime.fromtimestamp(world.now, UTC)
    month, year = expires or (today.month, today.year + 1)
    return {
        "brand": seen.brand,
        "checks": {
            "address_line1_check": seen.line1_check and "unchecked",
            "address_postal_code_check": "unchecked" if postal or seen.postal_check else None,
            "cvc_check": "unchecked" if cvc else None,
        },
        "country": seen.country,
        "display_brand": _DISPLAYED.get(seen.brand, seen.brand),
        "exp_month": month,
        "exp_year": year,
        "fingerprint": prints.text(world, "card:" + identity, 16),
        "funding": seen.funding,
        "generated_from": None,
        "last4": seen.last4,
        "networks": {"available": [seen.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


def us_bank_account(world: World, account: Account, given: Mapping[str, Any], *, identity: str) -> Obj:
    """The ``us_bank_account`` of a payment method."""
    return {
        "account_holder_type": given.get("account_holder_type") or "individual",
        "account_type": given.get("account_type") or "checking",
        "bank_name": "STRIPE TEST BANK",
        "financial_connections_account": None,
        "fingerprint": prints.text(world, "us_bank_account:" + identity, 16),
        "last4": account.last4,
        "networks": {"preferred": "ach", "supported": ["ach"]},
        "routing_number": given.get("routing_number") or "110000000",
        "status_details": {},
    }


def sepa_debit(world: World, account: Account, *, identity: str) -> Obj:
    """The ``sepa_debit`` of a payment method."""
    return {
        "bank_code": account.bank_code,
        "branch_code": "",
        "country": account.country,
        "fingerprint": prints.text(world, "sepa_debit:" + identity, 16),
        "generated_from": {"charge": None, "setup_attempt": None},
        "last4": account.last4,
    }


def other(kind: str, given: Mapping[str, Any]) -> Obj:
    """The hash of a kind that has no test accounts: what was given, with what Stripe adds."""
    found = dict(given)
    if kind == "ideal":
        found = {"bank": given.get("bank"), "bic": _BICS.get(given.get("bank", ""))}
    elif kind == "fpx":
        found = {"account_holder_type": given.get("account_holder_type") or "individual", "bank": given.get("bank")}
    elif kind == "p24":
        found = {"bank": given.get("bank")}
    elif kind == "link":
        found = {"email": None}
    return found


def checked(method: Obj) -> Obj:
    """The payment method with what a bank answers to the checks of its card."""
    if method["type"] != "card":
        return method
    seen = method["card"]
    results = method.get("$checks", {})
    checks = {
        name: results.get(name, "pass") if value == "unchecked" else value for name, value in seen["checks"].items()
    }
    return {**method, "card": {**seen, "checks": checks}}
