"""What happens to a subscription, in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from trueup.customer.rules.revenue import added, monthly
from trueup.customer.rules.words import Said, counted, day, interval, joined, money, money_of, spoken
from trueup.customer.types import Tone
from trueup.mirror.types import Fact
from trueup.mirror.upcast import upcast
from trueup.mirror.upcast.shape import id_of, listed, mapping, moment, overlay, text, whole

_DAY: Final = 86_400
_OWING: Final = frozenset({"past_due", "unpaid"})

_REASONS: Final = {
    "cancellation_requested": "Requested",
    "canceled_by_retention_policy": "Retention policy",
    "payment_disputed": "A payment was disputed",
    "payment_failed": "Payments failed",
}

_PAUSES: Final = {
    "final_payment_failure": "All attempts to collect failed",
    "first_payment_failure": "The first attempt to collect failed",
    "pause_requested": "Requested",
    "trial_end_without_payment_method": "The trial ended without a payment method",
}

_COLLECTION: Final = {
    "keep_as_draft": "Invoices are kept as drafts",
    "mark_uncollectible": "Invoices are written off",
    "void": "Invoices are voided",
}

_COLLECTED: Final = {
    "charge_automatically": "Charged automatically from now on",
    "send_invoice": "Billed by invoice from now on",
}


class _Item(NamedTuple):
    """What the words need of one item."""

    price_id: str | None
    product_id: str | None
    name: str
    every: str | None
    price: str | None
    quantity: int | None


def created(fact: Fact, product_names: Mapping[str, str]) -> Said | None:
    """A subscription begins: as a trial, paid, or waiting for its first payment."""
    return _begun(upcast("subscription", fact.data), product_names)


def updated(fact: Fact, product_names: Mapping[str, str]) -> Said | None:
    """What an update changed: the weightiest change is the title, the others follow; ``None`` for a mere renewal."""
    if fact.previous is None:
        return None
    now = upcast("subscription", fact.data)
    before = upcast("subscription", _before(fact.data, fact.previous))
    said = [
        change
        for change in (
            _status(before, now, product_names),
            _plan(before, now, product_names),
            _seats(before, now),
            _cancellation(before, now),
            _pause(before, now),
            _trial(before, now),
            _collected(before, now),
            _waits(before, now),
        )
        if change is not None
    ]
    if not said:
        return None
    first = said[0]
    return first._replace(detail=joined(first.detail, *(change.title for change in said[1:])))


def deleted(fact: Fact, product_names: Mapping[str, str]) -> Said | None:
    """A subscription has ended, and why."""
    data = upcast("subscription", fact.data)
    told = mapping(data.get("cancellation_details"))
    reason, feedback = text(told.get("reason")), text(told.get("feedback"))
    why = _REASONS.get(reason, spoken(reason).capitalize()) if reason is not None else ""
    if whole(data.get("trial_end")) is not None and data["trial_end"] == data.get("ended_at"):
        # Stripe calls a trial that lapses without a payment method requested, too.
        why = "The trial ended"
    return Said(
        "Canceled",
        joined(
            _label(_items(data, product_names)),
            why,
            f"Feedback: {spoken(feedback)}" if feedback is not None else "",
        ),
        Tone.BAD,
    )


def trial_will_end(fact: Fact, product_names: Mapping[str, str]) -> Said | None:
    """Three days before a trial ends, or at once for a shorter one."""
    end = moment(fact.data.get("trial_end"))
    if end is None:
        return None
    days = -(-(fact.data["trial_end"] - fact.created) // _DAY)
    label = _label(_items(upcast("subscription", fact.data), product_names))
    title = f"Trial ends in {counted(days, 'day')}" if days > 0 else "Trial ends now"
    return Said(title, joined(label, day(end)), Tone.WARN)


def paused(fact: Fact, product_names: Mapping[str, str]) -> Said | None:
    """Stripe stopped a subscription, or was asked to."""
    told = mapping(mapping(fact.data.get("status_details")).get("paused"))
    reason = text(mapping(told.get("subscription")).get("type")) or text(told.get("type"))
    label = _label(_items(upcast("subscription", fact.data), product_names))
    return Said("Paused", joined(label, _PAUSES.get(reason or "", "")), Tone.WARN)


def resumed(fact: Fact, product_names: Mapping[str, str]) -> Said | None:
    """A paused subscription runs again."""
    return Said("Resumed", _label(_items(upcast("subscription", fact.data), product_names)), Tone.GOOD)


def update_lapsed(fact: Fact, product_names: Mapping[str, str]) -> Said | None:
    """A change that waited for its payment was not paid for."""
    label = _label(_items(upcast("subscription", fact.data), product_names))
    return Said("A change was not paid for and has lapsed", label, Tone.WARN)


def products(fact: Fact) -> tuple[str, ...]:
    """The products in a subscription's items, now and before the change, in the order they are met."""
    found: dict[str, None] = {}
    for data in (fact.data, mapping(fact.previous)):
        for part in (*listed(data.get("items")), data):
            for field in ("price", "plan"):
                product = id_of(mapping(mapping(part).get(field)).get("product"))
                if product is not None:
                    found[product] = None
    return tuple(found)


def _begun(data: dict[str, Any], product_names: Mapping[str, str]) -> Said:
    items = _items(data, product_names)
    status = text(data.get("status"))
    if status == "trialing":
        end, start = moment(data.get("trial_end")), moment(data.get("trial_start"))
        length = f"{(end - start).days}-day " if end is not None and start is not None else ""
        until = f"Ends on {day(end)}" if end is not None else ""
        return Said(f"Started a {length}trial of {_name(items)}", joined(until, _terms(items)), Tone.GOOD)
    if status in {"incomplete", "incomplete_expired"}:
        return Said(f"Began to subscribe to {_name(items)}", "The first payment is open", Tone.WARN)
    every = items[0].every if items else None
    title = f"Subscribed to {_name(items)}" if every is None else f"Subscribed to {_name(items)}, {every}"
    return Said(title, _terms(items), Tone.GOOD)


def _before(data: dict[str, Any], previous: dict[str, Any]) -> dict[str, Any]:
    """The subscription before the event, as sent. Until 2020 a changed plan was told for the subscription alone."""
    before = overlay(data, previous)
    if "items" not in previous and ("plan" in previous or "quantity" in previous):
        before.pop("items", None)
    return before


def _status(before: dict[str, Any], now: dict[str, Any], product_names: Mapping[str, str]) -> Said | None:
    """A change of status. Pauses have events of their own."""
    was, status = text(before.get("status")), text(now.get("status"))
    if was == status or "paused" in {was, status}:
        return None
    label = _label(_items(now, product_names))
    if status == "active" and was in _OWING:
        return Said("Payments are up to date again", label, Tone.GOOD)
    if status == "active" and was == "trialing":
        return Said("Trial ended, now paying", label, Tone.GOOD)
    if status in _OWING and was == "trialing":
        return Said("Trial ended, payment is overdue", label, Tone.BAD)
    if status in {"active", "trialing"}:
        return _begun(now, product_names)
    return _STOPPED[status]._replace(detail=label) if status in _STOPPED else None


_STOPPED: Final[dict[str | None, Said]] = {
    "past_due": Said("Payment is overdue", "", Tone.BAD),
    "unpaid": Said("All attempts to collect failed", "", Tone.BAD),
    "incomplete_expired": Said("The first payment never came", "", Tone.BAD),
    "canceled": Said("Canceled", "", Tone.BAD),
}


def _plan(before: dict[str, Any], now: dict[str, Any], product_names: Mapping[str, str]) -> Said | None:
    """Items that came, went, or took the place of others."""
    had, has = _items(before, product_names), _items(now, product_names)
    went = [item for item in had if item.price_id not in {other.price_id for other in has}]
    came = [item for item in has if item.price_id not in {other.price_id for other in had}]
    if not had or not has or not (went or came):
        return None
    if not went:
        return Said(f"Added {_name(came)}", _terms(came), Tone.GOOD)
    if not came:
        return Said(f"Removed {_name(went)}", _label(has), Tone.WARN)
    return _replaced(went, came, _monthly(before), _monthly(now))


def _replaced(went: list[_Item], came: list[_Item], old: tuple[int, int] | None, new: tuple[int, int] | None) -> Said:
    """Another product, interval or price; up or down by what it brings in per month, where that is known."""
    tone, verb = Tone.PLAIN, "Switched"
    if old is not None and new is not None and old[0] * new[1] != new[0] * old[1]:
        more = new[0] * old[1] > old[0] * new[1]
        tone, verb = (Tone.GOOD, "Upgraded") if more else (Tone.WARN, "Downgraded")
    if _name(went) != _name(came):
        return Said(f"{verb} from {_name(went)} to {_name(came)}", _terms(came), tone)
    if None not in {went[0].every, came[0].every} and went[0].every != came[0].every:
        return Said(f"Switched from {went[0].every} to {came[0].every} billing", _terms(came), Tone.PLAIN)
    if None not in {went[0].price, came[0].price} and went[0].price != came[0].price:
        return Said(f"Price changed from {went[0].price} to {came[0].price}", _label(came), tone)
    return Said(f"Moved to another price of {_name(came)}", _terms(came), tone)


def _seats(before: dict[str, Any], now: dict[str, Any]) -> Said | None:
    """More or fewer of the same items; an item that came or went is no change of seats."""
    was, seats = _quantity(before), _quantity(now)
    if was is None or seats is None or was == seats:
        return None
    if len(listed(before.get("items"))) != len(listed(now.get("items"))):
        return None
    return Said(f"Seats changed from {was:,} to {seats:,}", "", Tone.GOOD if seats > was else Tone.WARN)


def _cancellation(before: dict[str, Any], now: dict[str, Any]) -> Said | None:
    was, leaves = _leaves(before), _leaves(now)
    if leaves == was or text(now.get("status")) == "canceled":
        return None
    if not leaves:
        return Said("Cancellation withdrawn", "", Tone.GOOD)
    feedback = text(mapping(now.get("cancellation_details")).get("feedback"))
    end = moment(now.get("cancel_at"))
    for item in listed(now.get("items")):
        end = end or moment(mapping(item).get("current_period_end"))
    title = f"Will cancel on {day(end)}" if end is not None else "Will cancel at the end of the period"
    return Said(title, f"Feedback: {spoken(feedback)}" if feedback is not None else "", Tone.WARN)


def _pause(before: dict[str, Any], now: dict[str, Any]) -> Said | None:
    was, pause = before.get("pause_collection"), now.get("pause_collection")
    if type(pause) is dict and type(was) is not dict:
        resumes = moment(pause.get("resumes_at"))
        until = f"Until {day(resumes)}" if resumes is not None else ""
        return Said("Paused", joined(until, _COLLECTION.get(text(pause.get("behavior")) or "", "")), Tone.WARN)
    if type(was) is dict and type(pause) is not dict:
        return Said("Resumed", "", Tone.GOOD)
    return None


def _trial(before: dict[str, Any], now: dict[str, Any]) -> Said | None:
    was, end = moment(before.get("trial_end")), moment(now.get("trial_end"))
    if end is None or was is None or was == end or text(now.get("status")) != "trialing":
        return None
    return Said(f"Trial {'extended' if end > was else 'shortened'} to {day(end)}", "", Tone.PLAIN)


def _collected(before: dict[str, Any], now: dict[str, Any]) -> Said | None:
    was, how = text(before.get("collection_method")), text(now.get("collection_method"))
    if was is None or was == how or how not in _COLLECTED:
        return None
    return Said(_COLLECTED[how], "", Tone.PLAIN)


def _waits(before: dict[str, Any], now: dict[str, Any]) -> Said | None:
    """A change that comes into force once it is paid for."""
    pending = now.get("pending_update")
    if type(pending) is not dict or type(before.get("pending_update")) is dict:
        return None
    expires = moment(pending.get("expires_at"))
    return Said("A change waits for its payment", f"Until {day(expires)}" if expires is not None else "", Tone.WARN)


def _items(data: dict[str, Any], product_names: Mapping[str, str]) -> list[_Item]:
    items = []
    for item in listed(data.get("items")):
        part = mapping(item)
        price = mapping(part.get("price"))
        product = price.get("product")
        product_id = id_of(product)
        name = product_names.get(product_id) if product_id is not None else None
        amount = money_of(price.get("unit_amount"), price.get("currency"))
        items.append(
            _Item(
                price_id=id_of(part.get("price")),
                product_id=product_id,
                name=name or text(mapping(product).get("name")) or text(price.get("nickname")) or "a plan",
                every=interval(price.get("recurring")),
                price=money(amount) if amount is not None else None,
                quantity=whole(part.get("quantity")),
            )
        )
    return items


def _name(items: list[_Item]) -> str:
    """``Pro``, ``Pro and 2 more``."""
    if not items:
        return "a plan"
    return items[0].name if len(items) == 1 else f"{items[0].name} and {len(items) - 1} more"


def _label(items: list[_Item]) -> str:
    """``Pro, monthly``; empty when nothing is known."""
    if not items:
        return ""
    return _name(items) if items[0].every is None else f"{_name(items)}, {items[0].every}"


def _terms(items: list[_Item]) -> str:
    """``5 seats at $49.00 monthly``, for a single item whose price is known."""
    if len(items) != 1 or items[0].price is None:
        return ""
    seats = f"{counted(items[0].quantity, 'seat')} at " if items[0].quantity not in {None, 1} else ""
    return f"{seats}{items[0].price} {items[0].every or ''}".rstrip()


def _quantity(data: dict[str, Any]) -> int | None:
    """How many seats in all items; ``None`` when one of them tells no number."""
    numbers = [whole(mapping(item).get("quantity")) for item in listed(data.get("items"))]
    known = [number for number in numbers if number is not None]
    return sum(known) if known and len(known) == len(numbers) else None


def _monthly(data: dict[str, Any]) -> tuple[int, int] | None:
    """What one of each item brings in per month, so that seats alone are neither an upgrade nor a downgrade."""
    total: tuple[int, int] | None = None
    for item in listed(data.get("items")):
        part = monthly(mapping(mapping(item).get("price")), 1)
        if part is None:
            return None
        total = added(total, part)
    return total


def _leaves(data: dict[str, Any]) -> bool:
    return data.get("cancel_at_period_end") is True or whole(data.get("cancel_at")) is not None
