"""Payment methods: made, attached to a customer, found for a payment, detached."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from trueup.sandbox.answers.calls import Call
from trueup.sandbox.payment_methods import banks, cards, mandates, shapes
from trueup.sandbox.payment_methods.declines import Decline
from trueup.sandbox.wire.errors import StripeError, invalid, missing
from trueup.sandbox.world.world import Obj, World, render

_FOUND_ELSEWHERE: Final = (
    "; It's possible this PaymentMethod exists on one of your connected accounts, in which case you should retry this "
    "request on that connected account. Learn more at https://stripe.com/docs/connect/authentication"
)
_SPENT: Final = (
    "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, shared with a "
    "connected account without Customer attachment, or was detached from a Customer. It may not be used again. To use "
    "a PaymentMethod multiple times, you must attach it to a Customer first."
)


def get(world: World, method_id: str, *, param: str = "payment_method", status: int = 404) -> Obj:
    """The payment method with an id; a shared id (``pm_card_visa``) becomes a new one. Raises Stripe's error."""
    found = world.find("payment_method", method_id)
    if found is not None:
        return found
    made = _shared(world, method_id)
    if made is None:
        message = f"No such PaymentMethod: '{method_id}'{_FOUND_ELSEWHERE}"
        raise StripeError(message, status=status, code="resource_missing", param=param)
    return made


def _shared(world: World, name: str) -> Obj | None:
    """A new payment method from one of the ids that exist in every account."""
    if name.startswith("pm_card_"):
        seen = cards.named(name.removeprefix("pm_card_"))
        return None if seen is None else of_card(world, seen, identity=_identity(seen))
    if name.startswith("pm_usBankAccount_"):
        number = banks.US_NAMES.get(name.removeprefix("pm_usBankAccount_"))
        return None if number is None else create(world, "us_bank_account", {"account_number": number}, verified=True)
    if name.startswith("pm_sepaDebit_"):
        iban = banks.SEPA_NAMES.get(name.removeprefix("pm_sepaDebit_"))
        return None if iban is None else create(world, "sepa_debit", {"iban": iban})
    return None


def _identity(seen: cards.Card) -> str:
    return f"{seen.brand}:{seen.last4}:{seen.country}"


def create(
    world: World,
    kind: str,
    given: Mapping[str, Any],
    *,
    billing: Mapping[str, Any] | None = None,
    metadata: Mapping[str, str] | None = None,
    allow_redisplay: str | None = None,
    verified: bool = False,
) -> Obj:
    """A new payment method of a kind from the parameters of that kind; attached to nobody. Raises Stripe's errors."""
    own: Obj = {}
    if kind == "card":
        return _card(world, given, billing=billing, metadata=metadata, allow_redisplay=allow_redisplay)
    if kind == "us_bank_account":
        number = given.get("account_number") or "000123456789"
        account = banks.US_ACCOUNTS.get(number) or banks.Account(last4=number[-4:], behaviour="debit")
        details = shapes.us_bank_account(world, account, given, identity=account.last4 + account.behaviour)
        own = {"$behaviour": account.behaviour, "$verified": verified}
    elif kind == "sepa_debit":
        iban = str(given.get("iban", "")).replace(" ", "").upper()
        known = banks.IBANS.get(iban)
        if known is None:
            message = "The IBAN you provided is invalid."
            raise invalid(message, param="sepa_debit[iban]", code="invalid_bank_account_iban")
        details = shapes.sepa_debit(world, known, identity=iban[:2] + known.last4)
        own = {"$behaviour": known.behaviour}
    else:
        details = shapes.other(kind, given)
    return _new(world, kind, details, billing=billing, metadata=metadata, allow_redisplay=allow_redisplay, own=own)


def _card(world: World, given: Mapping[str, Any], **more: Any) -> Obj:
    if token := given.get("token"):
        return of_token(world, token, **more)
    if "number" not in given:
        message = "Missing required param: card[number]."
        raise invalid(message, param="card[number]", code="parameter_missing")
    expires = (given.get("exp_month", 0), given.get("exp_year", 0))
    seen = read(world, given["number"], expires, param="card")
    cvc = given.get("cvc")
    return of_card(world, seen, identity=_identity(seen), expires=_full(expires), cvc=cvc is not None, **more)


def read(world: World, number: str, expires: tuple[int, int], *, param: str) -> cards.Card:
    """The test card with a number that has not expired. Raises Stripe's 402 for what is wrong with it."""
    seen = cards.numbered(number)
    if isinstance(seen, Decline):
        raise refusal(seen, param=seen.param)
    month, year = _full(expires)
    if not 1 <= month <= 12:
        raise _incorrect("Your card's expiration month is invalid.", "invalid_expiry_month", f"{param}[exp_month]")
    clock = world.clocks.now(world.clock)
    if year * 12 + month < _month(clock) or year > _month(clock) // 12 + 50:
        raise _incorrect("Your card's expiration year is invalid.", "invalid_expiry_year", f"{param}[exp_year]")
    return seen


def _month(at: int) -> int:
    """Months since the year 0, January being 1."""
    today = datetime.fromtimestamp(at, UTC)
    return today.year * 12 + today.month


def _full(expires: tuple[int, int]) -> tuple[int, int]:
    month, year = expires
    return month, year + 2000 if 0 <= year < 100 else year


def of_token(world: World, token: str, **more: Any) -> Obj:
    """A payment method from ``tok_visa``, or from a token that was made, which is good once. Raises Stripe's errors."""
    seen = cards.named(token.removeprefix("tok_")) if token.startswith("tok_") else None
    if seen is not None:
        return of_card(world, seen, identity=_identity(seen), **more)
    held = world.find("token", token)
    if held is None:
        raise missing("token", token, param="card[token]")
    if held["used"] or held["type"] != "card":
        message = f"You cannot use a Stripe token more than once: {token}."
        raise invalid(message, param="card[token]", code="token_already_used")
    held["used"] = True
    seen = cards.Card(**held["$card"])
    expires = (held["card"]["exp_month"], held["card"]["exp_year"])
    return of_card(world, seen, identity=_identity(seen), expires=expires, cvc=held["$cvc"], **more)


def of_card(
    world: World,
    seen: cards.Card,
    *,
    identity: str,
    expires: tuple[int, int] | None = None,
    cvc: bool = True,
    billing: Mapping[str, Any] | None = None,
    metadata: Mapping[str, str] | None = None,
    allow_redisplay: str | None = None,
) -> Obj:
    """A payment method of a test card."""
    postal = bool(((billing or {}).get("address") or {}).get("postal_code"))
    own: Obj = {"$behaviour": seen.behaviour}
    checks = {
        "cvc_check": seen.cvc_check,
        "address_postal_code_check": seen.postal_check or "pass",
        "address_line1_check": seen.line1_check or "pass",
    }
    if set(checks.values()) != {"pass"}:
        own["$checks"] = checks
    details = shapes.card(world, seen, identity, expires=expires, cvc=cvc, postal=postal)
    return _new(world, "card", details, billing=billing, metadata=metadata, allow_redisplay=allow_redisplay, own=own)


def _new(
    world: World,
    kind: str,
    details: Obj,
    *,
    billing: Mapping[str, Any] | None,
    metadata: Mapping[str, str] | None,
    allow_redisplay: str | None,
    own: Obj,
) -> Obj:
    fields: Obj = {
        "allow_redisplay": allow_redisplay or "unspecified",
        "billing_details": shapes.billing_details(billing),
        "created": world.now,
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": dict(metadata or {}),
        "type": kind,
        kind: details,
    }
    return world.new("payment_method", dict(sorted(fields.items())) | own)


def attach(world: World, method: Obj, customer: Obj) -> Obj:
    """Attach a payment method to a customer, with ``payment_method.attached``; nothing where it is attached to them.

    Raises Stripe's 402 for a card that is declined when it is attached, 400 for one that cannot be attached (again).
    """
    if method["customer"] == customer["id"]:
        return method
    if method["customer"] is not None:
        message = "The payment method you provided has already been attached to a customer."
        raise invalid(message, param="payment_method")
    if method.get("$spent"):
        raise invalid(_SPENT)
    if method["type"] == "us_bank_account" and not method.get("$verified"):
        message = (
            "Payment methods of type `us_bank_account` must be verified before they can be attached to a customer."
        )
        raise invalid(message, param="payment_method", code="payment_method_unexpected_state")
    refused = cards.behaviour(method)
    if refused.declines_setup and refused.decline is not None:
        raise refusal(refused.decline, param=refused.decline.param or "")
    return bind(world, method, customer)


def bind(world: World, method: Obj, customer: Obj) -> Obj:
    """Attach after a setup or payment has shown that the method works: nothing is asked of its bank."""
    method.update(shapes.checked(method))
    method["customer"] = customer["id"]
    world.tell("payment_method.attached", method)
    return method


def detach(world: World, method: Obj, *, quietly: bool = False) -> Obj:
    """Take a payment method from its customer for good, with ``payment_method.detached``.

    The customer's default goes with it, with ``customer.updated``, unless ``quietly``. Raises Stripe's 400 where there
    is no customer.
    """
    if method["customer"] is None:
        message = "The payment method you provided is not attached to a customer so detachment is impossible."
        raise invalid(message)
    customer = world.find("customer", method["customer"])
    method["customer"] = None
    method["$spent"] = True
    world.tell("payment_method.detached", method)
    mandates.end(world, method)
    if customer is not None and not customer.get("deleted") and not quietly:
        settings = customer["invoice_settings"]
        if settings["default_payment_method"] == method["id"]:
            settings["default_payment_method"] = None
            world.tell("customer.updated", customer)
    return method


def renew(world: World, method: Obj, *, exp_month: int, exp_year: int) -> Obj:
    """The bank sent its customer a new card with the same number: ``payment_method.automatically_updated``."""
    method["card"].update(exp_month=exp_month, exp_year=exp_year)
    world.tell("payment_method.automatically_updated", method)
    return method


def default_for(world: World, customer: Obj, subscription: Obj | None = None, invoice: Obj | None = None) -> Obj | None:
    """What an invoice is paid with: its own method, the subscription's, the customer's default; or None.

    Source: https://docs.stripe.com/billing/subscriptions/payment-methods-setting#payment-method-priority
    """
    named = (
        (invoice or {}).get("default_payment_method"),
        (subscription or {}).get("default_payment_method"),
        (customer.get("invoice_settings") or {}).get("default_payment_method"),
    )
    for one in named:
        found = world.find("payment_method", one["id"] if isinstance(one, dict) else one)
        if found is not None and found["customer"] == customer["id"]:
            return found
    return None


def usable(
    world: World, method_id: str, customer: Obj | None, *, on: str = "PaymentIntent", intent: Obj | None = None
) -> Obj:
    """The payment method for a payment or setup of a customer. Raises Stripe's 400 where it is another's or used up.

    ``on`` is the kind of intent as messages name it; the ``intent``, where there is one already, stands beside them.
    """
    method = get(world, method_id, status=400)
    owner = method["customer"]
    beside = {intent["object"]: render(intent)} if intent else {}
    if owner is None:
        if method.get("$spent"):
            raise StripeError(_SPENT, fields=beside)
    elif customer is None:
        payment = on == "PaymentIntent"
        named = (
            f"`payment_method` parameter supplied {method_id}" if payment else f"payment method supplied ({method_id})"
        )
        message = (
            f"The {named} belongs to the Customer {owner}. Please include the Customer in the `customer` parameter on "
            f"the {on}."
        )
        code, param = ("parameter_missing", "source") if payment else (None, "payment_method")
        raise StripeError(message, code=code, param=param, fields=beside)
    elif owner != customer["id"]:
        message = (
            f"The PaymentMethod {method_id} does not belong to the Customer you supplied {customer['id']}. Please use "
            "this PaymentMethod with the Customer that it belongs to instead."
        )
        raise StripeError(message, param="payment_method", fields=beside)
    return method


def described(
    world: World, call: Call, customer: Obj | None, *, on: str = "PaymentIntent", intent: Obj | None = None
) -> Obj | None:
    """The payment method that a request on an intent names or describes; None where it does neither."""
    if data := call.value("payment_method_data"):
        return create(
            world,
            data["type"],
            data.get(data["type"]) or {},
            billing=data.get("billing_details"),
            metadata=data.get("metadata"),
            allow_redisplay=data.get("allow_redisplay"),
        )
    named = call.value("payment_method")
    return usable(world, named, customer, on=on, intent=intent) if named else None


def refusal(decline: Decline, *, param: str | None, keep: bool = False, **fields: Any) -> StripeError:
    """Stripe's 402 for a declined card; ``fields`` are shown beside the rest."""
    shown = decline.error()
    for name in ("code", "doc_url", "message", "param"):
        shown.pop(name, None)
    error = StripeError(
        decline.message, status=402, type="card_error", code=decline.code, fields={**shown, **fields}, keep=keep
    )
    error.param = param
    return error


def _incorrect(message: str, code: str, param: str) -> StripeError:
    return StripeError(message, status=402, type="card_error", code=code, param=param)
