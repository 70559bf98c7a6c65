"""What happens between Stripe and one customer: every act changes the life's objects and tells the events of it.

The order and the set of the events follow Stripe's own for each act; acts of the API share a request, timers have none.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from trueup.kernel.time import from_unix
from trueup.ops.demo import bills, payloads
from trueup.ops.demo.catalog import COUPON_MONTHS, Catalog, plan_of
from trueup.ops.demo.companies import Companies
from trueup.ops.demo.engine import DAY, HOUR, TIMER, Engine, Json, changed, months_after
from trueup.ops.demo.life import Life, Trouble

TRIAL_DAYS: Final = 14
REMINDER_DAYS: Final = 3
UPCOMING_DAYS: Final = 7
RETRY_DAYS: Final = (1, 3, 5, 7)
"""Days after the first failure at which a payment is tried again; after the last the subscription is canceled."""

DECLINES: Final = ("card_declined", "insufficient_funds", "expired_card", "authentication_required")
_NEEDS_NEW_CARD: Final = frozenset({"expired_card", "authentication_required"})
_BAD_LUCK: Final = 0.03


class Billing:
    """The acts. ``at`` is the second at which an act begins; what a bank has to answer takes two more."""

    def __init__(self, engine: Engine, catalog: Catalog, companies: Companies) -> None:
        self._engine = engine
        self._catalog = catalog
        self._companies = companies
        self._account = engine.mint("acct_1", 15)

    def sign_up(self, at: int, plan: str) -> Life:
        """A new customer, with nothing yet but the wish for ``plan``."""
        company = self._companies.next()
        life = Life(company=company, customer=payloads.customer(self._engine, at, company, plan))
        self._engine.tell(at, "customer.created", life.customer, request=self._engine.call())
        return life

    def add_card(self, life: Life, at: int) -> None:
        """Attach a card and make it the default; a card that was there goes."""
        call, old = self._engine.call(), life.card
        card = self._companies.card(country=life.company.place.country, year=from_unix(at).year)
        life.card = payloads.payment_method(self._engine, at, life.customer, card)
        self._engine.tell(at, "payment_method.attached", life.card, request=call)
        self._customer(life, at, {"invoice_settings": {"default_payment_method": life.card["id"]}}, call)
        if old:
            self._engine.update(at + 1, "payment_method.detached", old, {"customer": None}, self._engine.call())

    def subscribe(self, life: Life, at: int, terms: payloads.Terms, *, coupon: bool) -> None:
        """Start the subscription: with a trial and an invoice of nothing, or with a first payment."""
        call = self._engine.call()
        life.cycle = 0 if terms.trial else 1
        end = at + TRIAL_DAYS * DAY if terms.trial else months_after(at, _months(terms.price))
        life.subscription = payloads.subscription(self._engine, at, life.customer, terms, end)
        if coupon and (by := self._catalog.redeem(at, call)):
            until = months_after(at, COUPON_MONTHS)
            life.discount = payloads.discount(self._engine, at, until, life.subscription, by)
            life.subscription["discounts"] = [life.discount["id"]]
        line = bills.trial_line if terms.trial else partial(bills.period_line, discounts=life.subscription["discounts"])
        draft = self._draft(life, at, "subscription_create", [line(self._engine, life.item)])
        life.subscription["latest_invoice"] = draft["id"]
        self._engine.tell(at, "customer.subscription.created", life.subscription, request=call)
        if life.discount:
            self._engine.tell(at, "customer.discount.created", life.discount, request=call)
        self._customer(life, at + 1, {"currency": life.subscription["currency"]}, call)
        self._await_period_end(life)
        self._collect_now(life, at, draft, call)

    def change(self, life: Life, at: int, price: Json, quantity: int, decline: str | None = None) -> None:
        """Another plan or number of seats: more is charged at once for the rest of the period, less only later."""
        call, before = self._engine.call(), life.item
        after = {**before, "price": price, "plan": plan_of(price), "quantity": quantity}
        changes: Json = {"items": {"data": [after]}, "plan": after["plan"], "quantity": quantity}
        changes["metadata"] = {"plan": price["metadata"]["plan"]}
        more = price["unit_amount"] * quantity > before["price"]["unit_amount"] * before["quantity"]
        if life.status == "trialing" or not more:
            self._subscription(life, at, changes, call)
            return
        discounted = bool(life.subscription["discounts"])
        lines = bills.proration_lines(self._engine, at, before, after, discounted=discounted)
        draft = self._draft(life, at, "subscription_update", lines)
        self._subscription(life, at, {**changes, "latest_invoice": draft["id"]}, call)
        self._collect_now(life, at, draft, call, decline)

    def pay(self, life: Life, at: int) -> None:
        """The customer brings a new card and pays what is open."""
        self.add_card(life, at)
        life.trouble = None
        self._attempt(life, at + 5, None, self._engine.call())

    def pause(self, life: Life, at: int, resumes_at: int | None) -> None:
        """Collect nothing; invoices of the time are void."""
        changes = {"pause_collection": {"behavior": "void", "resumes_at": resumes_at}}
        self._subscription(life, at, changes, self._engine.call())
        if resumes_at is not None:
            self._engine.later(resumes_at, partial(self.resume, life, asked=False))

    def resume(self, life: Life, at: int, *, asked: bool = True) -> None:
        """Collect again; nothing happens to a subscription that is not paused in this way."""
        if life.status and life.subscription["pause_collection"]:
            self._subscription(life, at, {"pause_collection": None}, self._engine.call() if asked else TIMER)

    def start_paying(self, life: Life, at: int) -> None:
        """End the trial now, or what became of it without a card: the first paid period begins and is charged."""
        begin, call, paused = at, self._engine.call(), life.status == "paused"
        if not life.card:
            self.add_card(life, at)
            begin = at + 5
        life.cycle = 1
        item = {**life.item, "current_period_start": begin}
        item["current_period_end"] = months_after(begin, _months(item["price"]))
        line = bills.period_line(self._engine, item, life.subscription["discounts"])
        draft = self._draft(life, begin, "subscription_update", [line])
        changes: Json = {"status": "active", "status_details": None, "billing_cycle_anchor": begin}
        changes |= {"items": {"data": [item]}, "latest_invoice": draft["id"]}
        changes |= {} if paused else {"trial_end": begin}
        self._subscription(life, begin, changes, call)
        if paused:
            self._engine.tell(begin, "customer.subscription.resumed", life.subscription, request=call)
        self._await_period_end(life)
        self._collect_now(life, begin, draft, call)

    def ask_to_cancel(self, life: Life, at: int, feedback: str) -> None:
        """The customer leaves at the end of the period."""
        changes = {"cancel_at": life.item["current_period_end"], "cancel_at_period_end": True, "canceled_at": at}
        details = {"feedback": feedback, "reason": "cancellation_requested"}
        self._subscription(life, at, {**changes, "cancellation_details": details}, self._engine.call())

    def stay(self, life: Life, at: int) -> None:
        """The customer takes the cancellation back."""
        changes = {"cancel_at": None, "cancel_at_period_end": False, "canceled_at": None}
        details = {"feedback": None, "reason": None}
        self._subscription(life, at, {**changes, "cancellation_details": details}, self._engine.call())

    def give_back(self, life: Life, at: int, percent: int) -> None:
        """Refund a share of the latest payment; only of one that has not been refunded yet."""
        call, amount = self._engine.call(), life.charge["amount"] * percent // 100
        refund = bills.refund(self._engine, at, life.charge, amount)
        self._engine.tell(at, "refund.created", refund, request=call)
        changes = {"amount_refunded": amount, "refunded": amount == life.charge["amount"]}
        life.charge = self._engine.update(at, "charge.refunded", life.charge, changes, call)

    def rename(self, life: Life, at: int, name: str) -> None:
        """The company has another name; its mail address stays."""
        self._customer(life, at, {"name": name}, self._engine.call())

    def move(self, life: Life, at: int) -> None:
        """The company moves within its country."""
        place = self._companies.elsewhere(life.company.place)
        address = payloads.address(place, self._companies.street())
        self._customer(life, at, {"address": address}, self._engine.call())

    def delete(self, life: Life, at: int) -> None:
        """The customer is deleted, and with it the subscription at once and the card."""
        call = self._engine.call()
        if life.status and life.status != "canceled":
            self._end(life, at, "cancellation_requested", call)
        if life.card:
            life.card = self._engine.update(at, "payment_method.detached", life.card, {"customer": None}, call)
        self._engine.tell(at, "customer.deleted", life.customer, request=call)
        life.deleted = True

    def _customer(self, life: Life, at: int, changes: Json, request: Json) -> None:
        changes = {**changes, "next_invoice_sequence": life.numbered + 1}
        life.customer = self._engine.update(at, "customer.updated", life.customer, changes, request)

    def _subscription(self, life: Life, at: int, changes: Json, request: Json) -> None:
        life.subscription = self._engine.update(
            at, "customer.subscription.updated", life.subscription, changes, request
        )

    def _draft(self, life: Life, at: int, reason: str, lines: list[Json]) -> Json:
        return bills.invoice(self._engine, bills.preview(at, life.subscription, life.customer, reason, lines))

    # The way of a period -----------------------------------------------------------------------------------------

    def _await_period_end(self, life: Life) -> None:
        end = life.item["current_period_end"]
        self._engine.later(end, partial(self._period_end, life))
        if life.status == "trialing":
            self._engine.later(end - REMINDER_DAYS * DAY, partial(self._remind, life, end))
        else:
            self._engine.later(end - UPCOMING_DAYS * DAY, partial(self._announce, life, end))

    def _remind(self, life: Life, end: int, at: int) -> None:
        if life.status == "trialing" and life.item["current_period_end"] == end:
            self._engine.tell(at, "customer.subscription.trial_will_end", life.subscription, request=TIMER)

    def _announce(self, life: Life, end: int, at: int) -> None:
        if life.is_calm and life.item["current_period_end"] == end:
            lines = [bills.period_line(self._engine, self._next(life), self._discounts(life, end))]
            upcoming = bills.preview(end, life.subscription, life.customer, "subscription_cycle", lines)
            self._engine.tell(at, "invoice.upcoming", upcoming, request=TIMER)

    def _next(self, life: Life) -> Json:
        """The item in its next period, counted from the anchor, so that a short month does not shift later ones."""
        start, step = life.item["current_period_end"], _months(life.item["price"])
        end = months_after(life.subscription["billing_cycle_anchor"], step * (life.cycle + 1))
        return {**life.item, "current_period_start": start, "current_period_end": end}

    def _discounts(self, life: Life, at: int) -> list[str]:
        return [life.discount["id"]] if life.discount and life.discount["end"] > at else []

    def _period_end(self, life: Life, at: int) -> None:
        if life.status not in {"trialing", "active", "past_due"} or life.item["current_period_end"] != at:
            return  # Ended, or begun anew meanwhile; that period has its own timer.
        if life.subscription["cancel_at_period_end"]:
            self._end(life, at, "cancellation_requested", TIMER)
            return
        if life.status == "trialing" and not life.card:
            self._lapse(life, at)
            return
        discounts, item = self._discounts(life, at), self._next(life)
        draft = self._draft(life, at, "subscription_cycle", [bills.period_line(self._engine, item, discounts)])
        if life.discount and not discounts:
            self._engine.tell(at, "customer.discount.deleted", life.discount, request=TIMER)
            life.discount = {}
        status = "active" if life.status == "trialing" else life.status
        changes = {"items": {"data": [item]}, "latest_invoice": draft["id"], "discounts": discounts, "status": status}
        self._subscription(life, at, changes, TIMER)
        life.cycle += 1
        life.invoice, life.payment = draft, {}
        self._engine.tell(at, "invoice.created", draft, request=TIMER)
        self._engine.later(at + HOUR, partial(self._collect, life, draft["id"]))
        self._await_period_end(life)

    def _lapse(self, life: Life, at: int) -> None:
        """A trial ends without a card: canceled, or paused until there is one."""
        if life.subscription["trial_settings"]["end_behavior"]["missing_payment_method"] == "cancel":
            self._end(life, at, "cancellation_requested", TIMER)
            return
        why = {"type": "trial_end_without_payment_method"}
        details = {"paused": {"subscription": why, "transitioned_at": at, "type": "subscription"}}
        self._subscription(life, at, {"status": "paused", "status_details": details}, TIMER)
        self._engine.tell(at, "customer.subscription.paused", life.subscription, request=TIMER)

    def _end(self, life: Life, at: int, reason: str, request: Json) -> None:
        changes: Json = {"status": "canceled", "ended_at": at, "cancellation_details": {"reason": reason}}
        changes["canceled_at"] = life.subscription["canceled_at"] or at
        life.subscription, _ = changed(life.subscription, changes)
        self._engine.tell(at, "customer.subscription.deleted", life.subscription, request=request)
        if life.invoice:
            stop = {"auto_advance": False, "automatically_finalizes_at": None, "next_payment_attempt": None}
            self._engine.update(at, "invoice.updated", life.invoice, stop, request)
            life.invoice = {}

    # The way of a payment ----------------------------------------------------------------------------------------

    def _collect_now(self, life: Life, at: int, draft: Json, request: Json, decline: str | None = None) -> None:
        life.invoice, life.payment = draft, {}
        self._engine.tell(at, "invoice.created", draft, request=request)
        if self._finalize(life, at, request):
            self._attempt(life, at, decline, request)

    def _collect(self, life: Life, invoice_id: str, at: int) -> None:
        if life.invoice.get("id") != invoice_id:
            return
        if life.subscription["pause_collection"]:
            changes = {"status": "void", "auto_advance": False, "status_transitions": {"voided_at": at}}
            changes |= {"automatically_finalizes_at": None, "next_payment_attempt": None}
            voided, _ = changed(life.invoice, changes)
            self._engine.tell(at, "invoice.voided", voided, request=TIMER)
            life.invoice = {}
        elif self._finalize(life, at, TIMER):
            self._attempt(life, at, self._luck(life), TIMER)

    def _luck(self, life: Life) -> str | None:
        """The decline code that the payment of a new period meets, mostly none."""
        rng = self._engine.rng
        if life.trouble is None and rng.random() < _BAD_LUCK:
            life.trouble = Trouble(decline=rng.choice(DECLINES), from_cycle=0, recovers=rng.randrange(1, 3))
        return life.trouble.decline if life.trouble and life.cycle >= life.trouble.from_cycle else None

    def _finalize(self, life: Life, at: int, request: Json) -> bool:
        """Give the draft its number. True when there is something to collect; else it is paid already."""
        owed, token = bool(life.invoice["amount_due"]), self._engine.mint("test_", 60)
        changes: Json = {"status": "open", "status_transitions": {"finalized_at": at}, "ending_balance": 0}
        if not owed:
            changes |= {"status": "paid", "attempted": True, "auto_advance": False}
            changes["status_transitions"] = {"finalized_at": at, "paid_at": at}
        life.numbered += 1
        changes |= {"number": f"{life.customer['invoice_prefix']}-{life.numbered:04d}", "effective_at": at}
        changes |= {"automatically_finalizes_at": None, "next_payment_attempt": None, "webhooks_delivered_at": at}
        changes["hosted_invoice_url"] = f"https://invoice.stripe.com/i/{self._account}/{token}"
        changes["invoice_pdf"] = f"https://pay.stripe.com/invoice/{self._account}/{token}/pdf"
        life.invoice, _ = changed(life.invoice, changes)
        self._engine.tell(at, "invoice.finalized", life.invoice, request=request)
        if not owed:
            self._engine.tell(at, "invoice.paid", life.invoice, request=request)
            self._engine.tell(at, "invoice.payment_succeeded", life.invoice, request=request)
            life.invoice = {}
        return owed

    def _attempt(self, life: Life, at: int, decline: str | None, request: Json) -> None:
        """Charge the open invoice, for the first time or again; the bank takes two seconds."""
        tell, done = partial(self._engine.tell, request=request), at + 2
        if not life.payment:
            life.payment = bills.payment_intent(self._engine, at, life.invoice, life.card)
            tell(at, "payment_intent.created", life.payment)
        charge = bills.charge(self._engine, done, life.payment, life.card, decline)
        tried: Json = {"latest_charge": charge["id"], "payment_method": life.card["id"]}
        if decline is None:
            tried |= {"status": "succeeded", "amount_received": charge["amount"], "last_payment_error": None}
        else:
            error = bills.payment_error(charge, life.card)
            tried |= {"status": "requires_payment_method", "last_payment_error": error, "payment_method": None}
        life.payment, _ = changed(life.payment, tried)
        tell(done, "charge.failed" if decline else "charge.succeeded", charge)
        tell(done, "payment_intent.payment_failed" if decline else "payment_intent.succeeded", life.payment)
        if decline:
            self._failed(life, done, request, charged=True)
        else:
            life.charge = charge
            self._paid(life, done, request)

    def _paid(self, life: Life, at: int, request: Json) -> None:
        link = bills.invoice_payment(self._engine, at, life.invoice, life.payment)
        self._engine.tell(at, "invoice_payment.paid", link, request=request)
        changes: Json = {"status": "paid", "status_transitions": {"paid_at": at}, "attempted": True}
        changes |= {"attempt_count": life.invoice["attempt_count"] + 1, "amount_paid": life.invoice["amount_due"]}
        changes |= {"amount_remaining": 0, "auto_advance": False, "next_payment_attempt": None}
        paid = self._engine.update(at, "invoice.updated", life.invoice, changes, request)
        self._engine.tell(at, "invoice.paid", paid, request=request)
        self._engine.tell(at, "invoice.payment_succeeded", paid, request=request)
        life.invoice, life.payment = {}, {}
        if life.status in {"incomplete", "past_due"}:
            self._subscription(life, at, {"status": "active"}, request)
        if life.customer["delinquent"]:
            self._customer(life, at, {"delinquent": False}, request)

    def _failed(self, life: Life, at: int, request: Json, *, charged: bool) -> None:
        """Count the attempt and plan the next; after the last the subscription is over."""
        count = life.invoice["attempt_count"] + 1
        if count == 1:
            life.failed_at = at
        again = life.failed_at + RETRY_DAYS[count - 1] * DAY if count <= len(RETRY_DAYS) else None
        changes = {"attempt_count": count, "attempted": True, "auto_advance": again is not None}
        changes |= {"next_payment_attempt": again}
        life.invoice = self._engine.update(at, "invoice.updated", life.invoice, changes, request)
        if charged:
            self._engine.tell(at, "invoice.payment_failed", life.invoice, request=request)
        self._subscription(life, at, {"status": "past_due"}, request)
        self._customer(life, at, {"delinquent": True}, request)
        if again is None:
            self._end(life, at + 1, "payment_failed", TIMER)
        else:
            self._engine.later(again, partial(self._retry, life, life.invoice["id"]))

    def _retry(self, life: Life, invoice_id: str, at: int) -> None:
        if life.invoice.get("id") != invoice_id:
            return  # Paid, or given up, meanwhile.
        trouble = life.trouble
        if trouble and trouble.recovers is not None and life.invoice["attempt_count"] >= trouble.recovers:
            life.trouble = None
            if trouble.decline in _NEEDS_NEW_CARD:
                self.pay(life, at)
                return
        if life.trouble and life.trouble.decline == "authentication_required":
            # Such a decline stays until the customer acts, so the schedule goes on without a charge.
            self._failed(life, at, TIMER, charged=False)
        else:
            self._attempt(life, at, life.trouble.decline if life.trouble else None, TIMER)


def _months(price: dict[str, Any]) -> int:
    return 12 if price["recurring"]["interval"] == "year" else 1
