"""Who belongs to a customer and what it is elsewhere, and which Stripe customers are one: the people tab.

A merge and a split are shown before they are done, and each undoes the other, so neither asks for a word to be typed.
"""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from trueup.accounts import service as accounts
from trueup.customer import merging
from trueup.customer import service as customers
from trueup.customer.identity import service as identity
from trueup.customer.identity.types import Joined, Link
from trueup.customer.types import LinkKind
from trueup.kernel.errors import NotFound, Refused
from trueup.kernel.records import Record
from trueup.mirror.reconcile import service as reconcile
from trueup.operators import service as operators
from trueup.web.console.customer_page import respond_drawer, respond_tab, subject
from trueup.web.console.customer_words import LINK_SOURCES, LINKS
from trueup.web.console.reader import acting
from trueup.web.console.said import say
from trueup.web.console.words import Label, Look

ID: Final = re.compile(r"[A-Za-z0-9_]+")
"""What an id of a customer is made of, Stripe's or ours."""
LONGEST: Final = 500
PEOPLE: Final = 50


class LinkLine(Record, frozen=True):
    """One link with the words for it."""

    link: Link
    look: Look
    source: Label
    by: str
    """Who made it; empty for what was derived."""


@require_safe
def people(request: HttpRequest, customer_id: str) -> HttpResponseBase:
    """``/customers/{id}/people``: people, links, and the Stripe customers that are this one.

    ``merged`` and ``split`` in the query name what was just done, so that it can be undone from here.
    """
    of = subject(request, customer_id)
    customer = of.customer
    names = {str(one.id): one.name or one.email for one in operators.operators()}
    persons = identity.people(customer=customer.id, limit=PEOPLE)
    others = {one.id: one for person in persons.data for one in person.customers if one.id != customer.id}
    context = {
        "persons": persons.data,
        "more_people": persons.next is not None,
        "others": [one for one in others.values() if one.id not in customer.merged_ids],
        "links": [_line(link, names) for link in identity.links(customer.id)],
        "kinds_of_links": LINKS,
        "merged": [one for one in _asked(request, "merged") if one in customer.state.stripe_customer_ids[1:]],
        "split": [
            one
            for one in _asked(request, "split")
            # Of anything else there is no page to lead to.
            if ID.fullmatch(one) and one not in customer.state.stripe_customer_ids
        ],
    }
    return respond_tab(request, of, "customer-people", "console/customer_people.html", context)


def _asked(request: HttpRequest, name: str) -> list[str]:
    return [value.strip()[:LONGEST] for value in request.GET.getlist(name) if value.strip()]


def _line(link: Link, names: dict[str, str]) -> LinkLine:
    by = ""
    if link.by is not None:
        kind, _colon, who = link.by.partition(":")
        by = names.get(who, link.by) if kind == "operator" else link.by
    return LinkLine(link=link, look=LINKS[link.kind], source=LINK_SOURCES[link.source], by=by)


@require_http_methods(["GET", "HEAD", "POST"])
def merge(request: HttpRequest, customer_id: str) -> HttpResponseBase:
    """``/customers/{id}/merge``: what would be one, and its doing; ``other`` names whom, by any id."""
    named = _named(request, "other")
    if request.method == "POST":
        done = merging.merge(id=customer_id, others=named, by=acting(request))
        return _back(done.after[0].id, "merged", _new_in(done))
    of = subject(request, customer_id)
    found = merging.merge(id=of.customer.id, others=named, by=acting(request), preview=True) if named else None
    context = {"joined": found, "named": named, "action": "merge"}
    return respond_drawer(request, of, "console/parts/customer_join.html", context, label=_("Merge"))


@require_http_methods(["GET", "HEAD", "POST"])
def split(request: HttpRequest, customer_id: str) -> HttpResponseBase:
    """``/customers/{id}/split``: what would stand for itself again, and its doing; ``take`` names it by any id."""
    named = _named(request, "take")
    if request.method == "POST":
        done = merging.split(id=customer_id, take=named, by=acting(request))
        left = {one for unit in done.after[:1] for one in unit.stripe_customer_ids}
        gone = [one for unit in done.before for one in unit.stripe_customer_ids if one not in left]
        return _back(done.after[0].id, "split", gone)
    of = subject(request, customer_id)
    found = merging.split(id=of.customer.id, take=named, by=acting(request), preview=True)
    context = {"joined": found, "named": named, "action": "split"}
    return respond_drawer(request, of, "console/parts/customer_join.html", context, label=_("Split"))


def _named(request: HttpRequest, name: str) -> list[str]:
    given = request.POST if request.method == "POST" else request.GET
    return [value.strip()[:LONGEST] for value in given.getlist(name) if value.strip()]


def _new_in(done: Joined) -> list[str]:
    """The Stripe customers that were not part of the leading one before."""
    before = set(done.before[0].stripe_customer_ids)
    return [one for one in done.after[0].stripe_customer_ids if one not in before]


def _back(customer_id: str, name: str, values: list[str]) -> HttpResponse:
    query = urlencode([(name, value) for value in values])
    address = reverse("console:customer-people", args=[customer_id])
    return HttpResponseRedirect(f"{address}?{query}" if query else address)


@require_POST
def link(request: HttpRequest, customer_id: str) -> HttpResponseBase:
    """``/customers/{id}/links``: say that a customer is something elsewhere, or with ``take_back`` that it is not."""
    customer = customers.get(customer_id)
    kind = request.POST.get("kind", "")
    if kind not in set(LinkKind):
        raise Refused(_("Choose what the link leads to."), code="link_invalid", hint=_("Go back, and choose a kind."))
    wanted: dict[str, Any] = {
        "id": request.POST.get("of", "").strip()[:LONGEST] or customer.id,
        "kind": LinkKind(kind),
        "value": request.POST.get("value", "").strip()[:LONGEST],
        "system": request.POST.get("system", "").strip().lower()[:LONGEST],
    }
    if request.POST.get("take_back") == "1":
        identity.unlink(**wanted, by=acting(request))
    else:
        identity.link(**wanted, by=acting(request))
    return _back(customer.id, "", [])


@require_POST
def repair(request: HttpRequest, customer_id: str) -> HttpResponseBase:
    """``/customers/{id}/repair``: have the worker compare this customer with Stripe, and mend what differs."""
    customer = customers.get(customer_id)
    account = next((one for one in accounts.accounts() if one.id == customer.account_id), None)
    if account is None:
        raise NotFound(_("There is no such account."), code="account_unknown")
    reconcile.start(account=account, customers=customer.state.stripe_customer_ids, repair=True, by=acting(request))
    say(
        request,
        _("Stripe is asked for everything of this customer, and what differs here is mended."),
        link=(_("See what comes of it"), reverse("console:drift") + "#runs"),
    )
    return HttpResponseRedirect(reverse("console:customer", args=[customer.id]))
