"""Noting who is shown a customer: whatever answers an address that names one is a look of the access log.

It stands around the views and not in them, so that no page or operation that is added can forget it.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from django.http import HttpRequest, HttpResponseBase

from trueup.audit.access_log import service as access_log
from trueup.audit.access_log.types import What
from trueup.customer import service as customers
from trueup.customer.types import Customer
from trueup.kernel.actor import Actor

READER: Final = "trueup_reader"
"""Where the console leaves whom a request is made by."""
NAMED: Final = "customer_id"
"""What every address calls the customer in it."""
API: Final = "/api/"
_SHOWN: Final = "trueup_shown"
PAYLOADS: Final = frozenset({"customer-object"})
"""Pages that show an object as Stripe sent it."""


def shown(request: HttpRequest, named: str, customer: Customer) -> None:
    """Remember the customer that an answer is made of, so that noting the look does not read it once more."""
    setattr(request, _SHOWN, (named, customer))


def looker(request: HttpRequest) -> Actor | None:
    """Who asks: a token, as the API's bearer leaves it, or the reader of a page; None for a stranger."""
    for name in ("auth", READER):
        actor = getattr(request, name, None)
        if isinstance(actor, Actor):
            return actor
    return None


def note(request: HttpRequest, response: HttpResponseBase) -> None:
    """Note the look that this answer gives, where its address names a customer; for what is only read."""
    match = request.resolver_match
    if match is None or NAMED not in match.kwargs or response.status_code != HTTPStatus.OK or request.method != "GET":
        return
    who = looker(request)
    if who is None:
        return
    named = str(match.kwargs[NAMED])
    of, known = getattr(request, _SHOWN, ("", None))
    customer = known if known is not None and of == named else customers.get(named)
    what = What.API if request.path.startswith(API) else What.PAYLOAD if match.url_name in PAYLOADS else What.PAGE
    access_log.note(who, [(customer.account_id, customer.livemode, customer.stripe_customer_id)], what)


def payload(request: HttpRequest, *, account_id: int, livemode: bool, customer: str | None) -> None:
    """Note that something of a customer is shown as Stripe sent it, at an address that does not name the customer."""
    who = looker(request)
    if who is not None and customer:
        access_log.note(who, [(account_id, livemode, customer)], What.PAYLOAD)
