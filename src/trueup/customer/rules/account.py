"""What happens to the customer itself, its payment methods and its discounts, in plain words."""

from __future__ import annotations

from typing import Any, Final

from trueup.customer.rules.method import details
from trueup.customer.rules.words import (
    Said,
    counted,
    day,
    failure,
    joined,
    method,
    money,
    money_of,
    spoken,
)
from trueup.customer.types import Tone
from trueup.mirror.types import Fact
from trueup.mirror.upcast import upcast
from trueup.mirror.upcast.shape import id_of, listed, mapping, moment, overlay, text, whole

_EXEMPTIONS: Final = {
    "exempt": "No longer taxed: exempt",
    "none": "Taxed as usual again",
    "reverse": "Taxed by reverse charge",
}

_CHECKED: Final = {
    "unverified": Said("Tax ID could not be verified", "", Tone.WARN),
    "verified": Said("Tax ID verified", "", Tone.GOOD),
}


def customer_created(fact: Fact) -> Said | None:
    """Stripe knows a new customer."""
    data = fact.data
    return Said("Became a customer", joined(text(data.get("name")), text(data.get("email"))), Tone.GOOD)


def customer_deleted(fact: Fact) -> Said | None:
    """The customer was deleted in Stripe."""
    return Said("Customer deleted", joined(text(fact.data.get("name")), text(fact.data.get("email"))), Tone.BAD)


def customer_updated(fact: Fact) -> Said | None:
    """What changed of the customer, the first change as the title; ``None`` where nobody would care."""
    if fact.previous is None:
        return None
    now = upcast("customer", fact.data)
    before = upcast("customer", overlay(fact.data, fact.previous))
    said = [
        change
        for change in (
            _text_changed("Name", "name", before, now),
            _text_changed("Email", "email", before, now),
            _text_changed("Business name", "business_name", before, now),
            _text_changed("Individual name", "individual_name", before, now),
            _text_changed("Phone", "phone", before, now, secret=True),
            _address_changed("Address", before, now),
            _address_changed("Shipping address", mapping(before.get("shipping")), mapping(now.get("shipping"))),
            _tax_changed(before, now),
            _language_changed(before, now),
            _default_changed(before, now),
            _balance_changed(before, now),
        )
        if change is not None
    ]
    if not said:
        return None
    return said[0]._replace(detail=joined(said[0].detail, *(change.title for change in said[1:])))


def method_added(fact: Fact) -> Said | None:
    """A way to pay was added."""
    return Said(f"Payment method added: {_method(fact)}", _expiry(fact.data), Tone.GOOD)


def method_removed(fact: Fact) -> Said | None:
    """A way to pay was removed."""
    return Said(f"Payment method removed: {_method(fact)}", "", Tone.WARN)


def method_updated(fact: Fact) -> Said | None:
    """New details, mostly of a renewed card; nothing where only a name or an address was corrected."""
    if not any(word in _changed(fact) for word in ("exp_month", "exp_year", "last4", "brand")):
        return None
    return Said(f"Payment method updated: {_method(fact)}", _expiry(fact.data), Tone.GOOD)


def method_renewed(fact: Fact) -> Said | None:
    """The card network told the details of a renewed card."""
    return Said(f"Payment method renewed by the bank: {_method(fact)}", _expiry(fact.data), Tone.GOOD)


def method_expiring(fact: Fact) -> Said | None:
    """A card expires at the end of the month."""
    return Said(f"Payment method expires soon: {_method(fact)}", _expiry(fact.data), Tone.WARN)


def setup_failed(fact: Fact) -> Said | None:
    """A payment method could not be set up for later."""
    reason = failure(mapping(fact.data.get("last_setup_error")))
    title = "Payment method could not be set up"
    return Said(title if reason is None else f"{title}: {reason}", "", Tone.BAD)


def discount_added(fact: Fact) -> Said | None:
    """A coupon was put on the customer or a subscription."""
    return Said(f"Discount added: {_coupon(fact)}", _lasts(fact), Tone.GOOD)


def discount_changed(fact: Fact) -> Said | None:
    """Another coupon took the place of the one before."""
    return Said(f"Discount changed: {_coupon(fact)}", _lasts(fact), Tone.PLAIN)


def discount_ended(fact: Fact) -> Said | None:
    """A coupon ran out or was taken off."""
    return Said(f"Discount ended: {_coupon(fact)}", "", Tone.PLAIN)


def offer_made(fact: Fact) -> Said | None:
    """A promotion code that only this customer can use."""
    promotion = mapping(fact.data.get("promotion"))
    told = {"coupon": fact.data.get("coupon") or promotion.get("coupon")}
    code, until = text(fact.data.get("code")), moment(fact.data.get("expires_at"))
    detail = joined(f"Code {code}" if code is not None else "", f"Until {day(until)}" if until is not None else "")
    return Said(f"Discount offered: {_takes_off(told)}", detail, Tone.PLAIN) if _named(fact) else None


def tax_id_added(fact: Fact) -> Said | None:
    """A tax id was added; its number stays out of the timeline."""
    return Said("Tax ID added", _tax_kind(fact), Tone.PLAIN)


def tax_id_removed(fact: Fact) -> Said | None:
    """A tax id was removed."""
    return Said("Tax ID removed", _tax_kind(fact), Tone.PLAIN)


def tax_id_checked(fact: Fact) -> Said | None:
    """The authorities know a tax id, or do not."""
    was, status = (
        text(mapping(mapping(data).get("verification")).get("status")) for data in (fact.previous, fact.data)
    )
    if was is None or status not in _CHECKED:
        return None
    return _CHECKED[status]._replace(detail=_tax_kind(fact))


def _text_changed(
    label: str, field: str, before: dict[str, Any], now: dict[str, Any], *, secret: bool = False
) -> Said | None:
    was, value = text(before.get(field)), text(now.get(field))
    if was == value:
        return None
    if value is None:
        return Said(f"{label} removed", "", Tone.PLAIN)
    if secret:
        return Said(f"{label} changed", "", Tone.PLAIN)
    return Said(f"{label} set to {value}" if was is None else f"{label} changed from {was} to {value}", "", Tone.PLAIN)


def _address_changed(label: str, before: dict[str, Any], now: dict[str, Any]) -> Said | None:
    if mapping(before.get("address")) == mapping(now.get("address")):
        return None
    was, country = (text(mapping(one.get("address")).get("country")) for one in (before, now))
    moved = was is not None and country is not None and was != country
    verb = "changed" if mapping(now.get("address")) else "removed"
    return Said(f"{label} {verb}", f"From {was} to {country}" if moved else "", Tone.PLAIN)


def _tax_changed(before: dict[str, Any], now: dict[str, Any]) -> Said | None:
    was, status = text(before.get("tax_exempt")), text(now.get("tax_exempt"))
    if was is None or status is None or was == status:
        return None
    return Said(_EXEMPTIONS.get(status, f"Tax status set to {spoken(status)}"), "", Tone.PLAIN)


def _language_changed(before: dict[str, Any], now: dict[str, Any]) -> Said | None:
    was, locales = listed(before.get("preferred_locales")), listed(now.get("preferred_locales"))
    first = text(locales[0]) if locales else None
    if first is None or (bool(was) and was[0] == first):
        return None
    return Said(f"Preferred language set to {first}", "", Tone.PLAIN)


def _default_changed(before: dict[str, Any], now: dict[str, Any]) -> Said | None:
    was, default = (
        id_of(mapping(one.get("invoice_settings")).get("default_payment_method")) or id_of(one.get("default_source"))
        for one in (before, now)
    )
    if was is None or was == default:
        # The first default comes with the method's own entry.
        return None
    if default is None:
        return Said("No default payment method any more", "", Tone.WARN)
    return Said("Default payment method changed", "", Tone.PLAIN)


def _balance_changed(before: dict[str, Any], now: dict[str, Any]) -> Said | None:
    """Stripe counts credit as negative, which nobody would read so."""
    was, balance = whole(before.get("balance")), whole(now.get("balance"))
    amount = money_of(balance, now.get("currency"))
    if was == balance or balance is None or amount is None:
        return None
    if balance == 0:
        return Said("Balance settled", "", Tone.PLAIN)
    size = money_of(abs(balance), now.get("currency")) or amount
    if balance < 0:
        return Said(f"Credit balance is now {money(size)}", "", Tone.PLAIN, size)
    return Said(f"Balance due is now {money(size)}", "", Tone.PLAIN, size)


def _method(fact: Fact) -> str:
    return method(details(fact.object_id, upcast(fact.object_type, fact.data)))


def _expiry(data: dict[str, Any]) -> str:
    told = details("", data)
    return "" if told.exp_month is None or told.exp_year is None else f"Expires {told.exp_month}/{told.exp_year}"


def _changed(fact: Fact) -> set[str]:
    """The names that ``previous_attributes`` mentions, at the top and inside the hash of the method's type."""
    previous = mapping(fact.previous)
    return {*previous, *mapping(previous.get(text(fact.data.get("type")) or ""))}


def _tax_kind(fact: Fact) -> str:
    return (text(fact.data.get("type")) or "").replace("_", " ").upper()


def _named(fact: Fact) -> bool:
    return id_of(fact.data.get("customer")) is not None


def _lasts(fact: Fact) -> str:
    """How long a discount takes something off, where the event tells."""
    coupon = mapping(mapping(upcast("discount", fact.data).get("source")).get("coupon"))
    end, months = moment(fact.data.get("end")), whole(coupon.get("duration_in_months"))
    match text(coupon.get("duration")):
        case "once":
            return "Once"
        case "repeating" if end is not None:
            return f"Until {day(end)}"
        case "repeating" if months is not None:
            return f"For {counted(months, 'month')}"
        case _:
            return ""


def _coupon(fact: Fact) -> str:
    return _takes_off(mapping(upcast("discount", fact.data).get("source")))


def _takes_off(source: dict[str, Any]) -> str:
    """``20% off``, ``$10.00 off``, the coupon's name, or its id where the event tells no more."""
    told = source.get("coupon")
    coupon = mapping(told)
    percent, amount = coupon.get("percent_off"), money_of(coupon.get("amount_off"), coupon.get("currency"))
    value = None
    if type(percent) in {int, float}:
        value = f"{percent:g}% off"
    elif amount is not None:
        value = f"{money(amount)} off"
    name = text(coupon.get("name"))
    return joined(name, value if value != name else None) or id_of(told) or "a coupon"
