"""``/customers/assign``: giving all customers of a list to somebody, after a look at who they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from trueup.accounts import service as accounts
from trueup.customer.listing import service as lists
from trueup.customer.owners import service as owners
from trueup.kernel.errors import Refused, TrueupError
from trueup.operators.permissions import Permission
from trueup.operators.types import Person
from trueup.web.console import formats
from trueup.web.console.customers_asked import ME, NOBODY, TRIALS, Asked, asked
from trueup.web.console.page import respond, shell
from trueup.web.console.reader import acting, may
from trueup.web.console.said import say
from trueup.web.console.words import STAGES, SUBSCRIPTION_STATUSES, Label

NAMED: Final = 8
"""Customers that the look names."""
TYPED: Final = 1_000
"""Of more than so many the number has to be typed."""


def chosen_owner(request: HttpRequest) -> int | None:
    """Whom the form names: a person's number, None for nobody; ``Refused`` for no choice."""
    chosen = request.POST.get("owner", "")
    if chosen not in {ME, NOBODY} and not (chosen.isdecimal() and len(chosen) < 19):
        raise Refused(_("Choose who shall look after them."), code="owner_missing", hint=_("Go back and choose."))
    return None if chosen == NOBODY else int(request.user.pk or 0) if chosen == ME else int(chosen)


def said_of(number: int, person: int | None) -> str:
    """What came of it, in words."""
    if person is None:
        told = ngettext("%(n)s customer has no owner now.", "%(n)s customers have no owner now.", number)
    else:
        told = ngettext("%(n)s customer has a new owner.", "%(n)s customers have a new owner.", number)
    return told % {"n": formats.number(number)}


def _narrowed_by(wanted: Asked, people: Sequence[Person]) -> list[tuple[Label, Label]]:
    """The filters in words, as what and which."""
    filters, told = wanted.filters, list[tuple[Label, Label]]()
    if filters.q:
        told.append((_("Search"), filters.q))
    if filters.stage is not None:
        told.append((_("Stage"), STAGES[filters.stage].label))
    if filters.account_id is not None:
        named = next((one.slug for one in accounts.accounts() if one.id == filters.account_id), "")
        told.append((_("Account"), named))
    if filters.product_id:
        name = next((one.name for one in lists.products() if one.id == filters.product_id), filters.product_id)
        told.append((_("Plan"), name))
    if filters.billing_status:
        told.append((_("Billing status"), SUBSCRIPTION_STATUSES[filters.billing_status].label))
    if filters.unowned:
        told.append((_("Owner"), _("Nobody")))
    if filters.owner is not None:
        owner = next((one.name or one.email for one in people if one.id == filters.owner), str(filters.owner))
        told.append((_("Owner"), owner))
    if wanted.trial:
        told.append((_("Trial"), TRIALS[wanted.trial]))
    if filters.mrr_from is not None:
        told.append((_("Monthly revenue from"), str(filters.mrr_from)))
    if filters.mrr_to is not None:
        told.append((_("Monthly revenue to"), str(filters.mrr_to)))
    if filters.differing:
        told.append((_("Differs from Stripe"), _("Yes")))
    return told


def _look(request: HttpRequest, wanted: Asked, *, error: TrueupError | None = None) -> HttpResponseBase:
    number, held, problem = 0, Counter[str](), error
    try:
        ids = owners.matching(wanted.filters)
        number = len(ids)
        held = Counter(one.name or _("somebody who is gone") for one in owners.of(ids).values())
    except Refused as refused:
        problem = refused
    rows, _following = lists.rows(wanted.filters, sort="-mrr", limit=NAMED)
    contact, people = Permission.PERSONAL_CONTACT in may(request), owners.candidates()
    back = reverse("console:customers") + (f"?{wanted.query}" if wanted.query else "")
    context: dict[str, Any] = {
        "number": number,
        "narrowed_by": _narrowed_by(wanted, people),
        "held": held.most_common(6),
        "unheld": number - held.total(),
        "named": [(row, (contact and (row.name or row.email)) or row.stripe_customer_id) for row in rows],
        "unnamed": max(0, number - len(rows)),
        "people": people,
        "typed": number > TYPED,
        "query": wanted.query,
        "back": back,
        "error": problem,
    }
    status = 200 if error is None else error.status
    frame = shell("customers", account_id=wanted.filters.account_id)
    return respond(request, "console/customers_assign.html", context, frame=frame, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def assign(request: HttpRequest) -> HttpResponseBase:
    """``/customers/assign``: the list is the one that the query names. Nothing is changed before the form is sent."""
    wanted = asked(request)
    if request.method != "POST":
        return _look(request, wanted)
    shown = request.POST.get("number", "")
    try:
        person = chosen_owner(request)
        number = int(shown) if shown.isdecimal() and len(shown) < 10 else 0
        if number > TYPED and request.POST.get("confirm", "").strip() != str(number):
            raise Refused(
                _("The number was not typed as it stands here."),
                code="confirmation_missing",
                hint=_("Type it in digits alone, so that nobody is given away by mistake."),
            )
        changed = owners.assign_matching(
            wanted.filters, told=wanted.query, number=number, operator_id=person, by=acting(request)
        )
    except Refused as error:
        return _look(request, wanted, error=error)
    say(request, said_of(changed, person))
    back = reverse("console:customers")
    return HttpResponseRedirect(f"{back}?{wanted.query}" if wanted.query else back)
