"""``/v1/invoices``: what requests may do with an invoice."""

from __future__ import annotations

from typing import Final

from trueup.sandbox.answers import pages
from trueup.sandbox.answers.calls import Call, Handler
from trueup.sandbox.assumptions import FINALIZED_ATTEMPT_SECONDS
from trueup.sandbox.invoices import drafts, ending, finalizing, invoice_payments, paying, requests, settling
from trueup.sandbox.payment_methods import methods
from trueup.sandbox.wire.errors import StripeError, invalid
from trueup.sandbox.world.world import Obj, World

_DAYS_UNTIL_DUE: Final = 30
_ACTION_REQUIRED: Final = (
    "This payment requires additional user action before it can be completed successfully. Payment can be completed "
    "using the PaymentIntent associated with the invoice. For more details see: "
    "https://stripe.com/docs/billing/subscriptions/overview#requires-action"
)
_UNSENDABLE: Final = (
    "This invoice cannot be sent right now. Please contact us via https://support.stripe.com/contact with details, so "
    "we can help."
)
_NO_METHOD: Final = (
    "There is no `default_payment_method` set on this Customer or Invoice. Please set a `default_payment_method` on "
    "the Customer or Invoice, or pass a `payment_method`."
)


def _found(world: World, call: Call, param: str = "id") -> Obj:
    """The invoice of the path. Stripe's 404 names it ``id`` for some requests, ``invoice`` for others."""
    invoice = world.find("invoice", call.ids["invoice"])
    if invoice is None or invoice.get("deleted"):
        raise StripeError(f"No such invoice: '{call.ids['invoice']}'", status=404, code="resource_missing", param=param)
    world.follow(invoice)
    return invoice


def _create(world: World, call: Call) -> Obj:
    if call.value("from_invoice"):
        message = "Revisions of invoices are not offered."
        raise invalid(message, param="from_invoice")
    subscription = None
    if named := call.value("subscription"):
        subscription = world.get("subscription", named, param="subscription")
    customer_id = call.value("customer") or (subscription or {}).get("customer")
    if not customer_id:
        message = "Missing required param: customer."
        raise invalid(message, param="customer", code="parameter_missing")
    customer = world.get("customer", customer_id, param="customer")
    world.follow(customer)
    collection = call.value("collection_method", "charge_automatically")
    if collection == "send_invoice" and call.value("due_date") is None and call.value("days_until_due") is None:
        message = "If invoice collection method is 'send_invoice', you must specify 'due_date' or 'days_until_due'."
        raise invalid(message)
    behavior = call.value("pending_invoice_items_behavior")
    pending = behavior == "include" or (behavior is None and subscription is not None)
    auto_advance = call.value("auto_advance", default=False)
    invoice = drafts.create(
        world,
        customer=customer,
        subscription=subscription,
        billing_reason="manual",
        period_start=_period_start(subscription, world.now),
        period_end=world.now,
        auto_advance=auto_advance,
        collection_method=collection,
        pending_items=pending,
        currency=call.value("currency"),
        tell=False,
    )
    requests.apply(world, invoice, call)
    requests.discount(world, invoice, call.params.get("discounts"), customer)
    if at := call.value("automatically_finalizes_at"):
        drafts.schedule(world, invoice, at)
    world.tell("invoice.created", invoice)
    return invoice


def _period_start(subscription: Obj | None, now: int) -> int:
    data = (subscription or {}).get("items", {}).get("data")
    return min(item["current_period_start"] for item in data) if data else now


def _retrieve(world: World, call: Call) -> Obj:
    return _found(world, call, "invoice")


def _list(world: World, call: Call) -> Obj:
    asked = {
        "parent__subscription_details__subscription": call.value("subscription"),
        "customer": call.value("customer"),
        "status": call.value("status"),
    }
    collection, due = call.value("collection_method"), call.value("due_date")

    def keep(invoice: Obj) -> bool:
        return (collection is None or invoice["collection_method"] == collection) and (
            due is None or (invoice["due_date"] is not None and pages.within(invoice["due_date"], due))
        )

    return pages.page(world, call, "invoice", keep=keep, **{name: value for name, value in asked.items() if value})


def _update(world: World, call: Call) -> Obj:
    invoice = _found(world, call)
    requests.apply(world, invoice, call)
    if call.given("discounts"):
        invoice["discounts"] = requests.discounts(
            world,
            call.params["discounts"],
            world.get("customer", invoice["customer"]),
            currency=invoice["currency"],
            invoice=invoice["id"],
        )
    if invoice["status"] == "draft":
        drafts.refresh(world, invoice)
    _advance(world, invoice, call)
    world.tell("invoice.updated", invoice)
    return invoice


def _advance(world: World, invoice: Obj, call: Call) -> None:
    """Begin or end that Stripe goes on with an invoice by itself."""
    if call.value("auto_advance") is not None:
        invoice["auto_advance"] = call.params["auto_advance"]
        if invoice["status"] == "draft":
            if invoice["auto_advance"]:
                drafts.schedule(world, invoice)
            else:
                drafts.unschedule(world, invoice)
        elif invoice["status"] == "open":
            if invoice["auto_advance"]:
                _attempt_later(world, invoice)
            else:
                world.unschedule("retry", invoice["id"])
                invoice["next_payment_attempt"] = None
    if (at := call.value("automatically_finalizes_at")) and invoice["status"] == "draft":
        drafts.schedule(world, invoice, at)


def _attempt_later(world: World, invoice: Obj) -> None:
    if invoice["collection_method"] == "charge_automatically" and not invoice["next_payment_attempt"]:
        invoice["next_payment_attempt"] = world.now + FINALIZED_ATTEMPT_SECONDS
        world.schedule(invoice["next_payment_attempt"], "retry", invoice["id"])


def _delete(world: World, call: Call) -> Obj:
    return ending.delete(world, _found(world, call, "invoice"))


def _finalize(world: World, call: Call) -> Obj:
    invoice = _found(world, call)
    finalizing.finalize(world, invoice, auto_advance=call.value("auto_advance"))
    if invoice["status"] == "open" and invoice["auto_advance"]:
        _attempt_later(world, invoice)
        world.tell("invoice.updated", invoice)
    return invoice


def _pay(world: World, call: Call) -> Obj:
    invoice = _found(world, call)
    paying.payable(invoice)
    out_of_band = call.value("paid_out_of_band", default=False)
    method = None
    if named := call.value("payment_method"):
        method = methods.get(world, named)
    if invoice["status"] == "draft":
        finalizing.finalize(world, invoice)
    if invoice["status"] == "paid":
        return invoice
    if method is None and not out_of_band:
        method = paying.default_method(world, invoice, world.get("customer", invoice["customer"]))
        if method is None:
            raise invalid(_NO_METHOD, code="resource_missing")
    paying.pay(
        world,
        invoice,
        payment_method=method,
        off_session=call.value("off_session", default=True),
        out_of_band=out_of_band,
        forgive=call.value("forgive", default=False),
        attempt="manual",
    )
    if invoice["status"] != "paid":
        refuse(world, invoice)
    return invoice


def refuse(world: World, invoice: Obj) -> None:
    """Raise the 402 of a payment that did not succeed, keeping what was done; nothing where it is under way."""
    found = invoice_payments.default_intent(world, invoice)
    if found is None:
        return
    intent = found[1]
    if intent["status"] in {"requires_action", "requires_source_action"}:
        raise StripeError(
            _ACTION_REQUIRED,
            status=402,
            type="card_error",
            code="invoice_payment_intent_requires_action",
            keep=True,
        )
    error = intent.get("last_payment_error")
    if error and intent["status"] == "requires_payment_method":
        names = ("advice_code", "charge", "decline_code", "network_decline_code", "network_advice_code")
        raise StripeError(
            error["message"],
            status=402,
            type=error["type"],
            code=error.get("code"),
            param=error.get("param"),
            fields={name: error[name] for name in names if error.get(name)},
            keep=True,
        )


def _send(world: World, call: Call) -> Obj:
    invoice = _found(world, call, "invoice")
    if invoice["status"] not in {"draft", "open"}:
        raise invalid(_UNSENDABLE)
    if invoice["status"] == "draft":
        if invoice["due_date"] is None and invoice["collection_method"] == "send_invoice":
            invoice["due_date"] = invoice["created"] + _DAYS_UNTIL_DUE * drafts.DAY
        finalizing.finalize(world, invoice)
    if not world.get("customer", invoice["customer"])["email"]:
        message = "Missing email. In order to send invoices to the customer, the customer must have a valid email."
        raise invalid(message)
    world.tell("invoice.sent", invoice)
    return invoice


def _void(world: World, call: Call) -> Obj:
    return ending.void(world, _found(world, call))


def _mark_uncollectible(world: World, call: Call) -> Obj:
    return ending.mark_uncollectible(world, _found(world, call))


def _attach_payment(world: World, call: Call) -> Obj:
    invoice = _found(world, call)
    named = call.value("payment_intent")
    if not named:
        message = "Payment records are not offered; attach a payment intent."
        raise invalid(message, param="payment_intent", code="parameter_missing")
    intent = world.get("payment_intent", named, param="payment_intent")
    if invoice["status"] not in {"open", "uncollectible"}:
        message = f"You can't attach a payment to an invoice that is {invoice['status']}."
        raise invalid(message)
    if intent["customer"] != invoice["customer"] or intent["currency"] != invoice["currency"]:
        message = "The payment intent has to be the invoice's customer's, and in the invoice's currency."
        raise invalid(message, param="payment_intent")
    if intent["status"] == "canceled" or any(
        payment["payment"].get("payment_intent") == intent["id"] for payment in invoice_payments.of(world, invoice)
    ):
        message = f"The payment intent {intent['id']} can't be attached to this invoice."
        raise invalid(message, param="payment_intent")
    payment = invoice_payments.add(world, invoice, intent, intent["amount"], default=False)
    if intent["status"] == "succeeded":
        settling.apply(world, invoice, payment, intent["amount_received"])
    return invoice


ROUTES: Final[dict[str, Handler]] = {
    "POST /v1/invoices": _create,
    "GET /v1/invoices": _list,
    "GET /v1/invoices/{invoice}": _retrieve,
    "POST /v1/invoices/{invoice}": _update,
    "DELETE /v1/invoices/{invoice}": _delete,
    "POST /v1/invoices/{invoice}/finalize": _finalize,
    "POST /v1/invoices/{invoice}/pay": _pay,
    "POST /v1/invoices/{invoice}/send": _send,
    "POST /v1/invoices/{invoice}/void": _void,
    "POST /v1/invoices/{invoice}/mark_uncollectible": _mark_uncollectible,
    "POST /v1/invoices/{invoice}/attach_payment": _attach_payment,
    "GET /v1/invoice_payments": invoice_payments.page,
    "GET /v1/invoice_payments/{invoice_payment}": invoice_payments.retrieve,
}
