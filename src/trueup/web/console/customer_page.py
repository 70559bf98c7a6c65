"""What every tab of a customer's page has: who it is, the tabs, the day that is looked at, and what may be shown."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from urllib.parse import quote, urlencode

from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from trueup.accounts import calls
from trueup.accounts import service as accounts
from trueup.customer import service as customers
from trueup.customer.types import Customer
from trueup.kernel.errors import NotFound, Refused
from trueup.kernel.records import Record
from trueup.mirror.reconcile import service as reconcile
from trueup.operators.permissions import Permission, roles_with
from trueup.runtime import clock
from trueup.web import looking
from trueup.web.console.page import respond, respond_part, shell, wants_part
from trueup.web.console.reader import may
from trueup.web.console.team_words import ROLES
from trueup.web.console.words import Label

DASHBOARD: Final = "https://dashboard.stripe.com"


class Tab(Record, frozen=True):
    """One part of the page; ``badge`` is a number that wants to be seen, empty for none."""

    label: Label
    url: str
    current: bool
    badge: str = ""


_TABS: Final[tuple[tuple[str, Label, Permission], ...]] = (
    ("customer", gettext_lazy("Overview"), Permission.CUSTOMERS_READ),
    ("customer-billing", gettext_lazy("Billing"), Permission.MONEY_READ),
    ("customer-people", gettext_lazy("People"), Permission.CUSTOMERS_READ),
    ("customer-objects", gettext_lazy("Objects"), Permission.CUSTOMERS_READ),
    ("customer-audit", gettext_lazy("Audit"), Permission.AUDIT_READ),
)
"""The name of each address, what it is called, and who gets to see it."""


class Subject(Record, frozen=True):
    """The customer of a page, and as of when it is looked at."""

    customer: Customer
    """As of that day; as it is now where no day was asked for, and where nothing was known then."""
    day: date | None
    """The day whose end is looked at, in the reader's zone; None for now."""
    at: datetime | None
    """The last second of that day."""
    known: bool
    """Whether anything was known of the customer by then."""

    @property
    def query(self) -> str:
        """What keeps the day in an address: ``?as_of=2026-11-03``, or nothing."""
        return "" if self.day is None else f"?{urlencode({'as_of': self.day.isoformat()})}"


def subject(request: HttpRequest, customer_id: str) -> Subject:
    """The customer that an address names, on the day that its query names.

    ``NotFound`` for nobody, ``Refused`` for what is no day or has not come yet. The present day is now.
    """
    present = customers.get(customer_id)
    looking.shown(request, customer_id, present)
    day = _day_asked(request)
    if day is None:
        return Subject(customer=present, day=None, at=None, known=True)
    zone = timezone.get_current_timezone()
    at = datetime.combine(day + timedelta(days=1), time.min, zone) - timedelta(seconds=1)
    try:
        return Subject(customer=customers.get_at(present.id, at=at), day=day, at=at, known=True)
    except NotFound:
        return Subject(customer=present, day=day, at=at, known=False)


def _day_asked(request: HttpRequest) -> date | None:
    asked = request.GET.get("as_of", "").strip()
    if not asked:
        return None
    try:
        day = date.fromisoformat(asked)
    except ValueError as error:
        raise Refused(
            _("%(day)s is no day.") % {"day": asked[:40]},
            code="parameter_invalid",
            hint=_("Write it as year, month and day: 2026-11-03."),
        ) from error
    today = timezone.localtime(clock.now()).date()
    if day > today:
        raise Refused(
            _("That day has not come yet."), code="parameter_invalid", hint=_("Choose today or a day before.")
        )
    return None if day == today or day.year < _FIRST_YEAR else day


_FIRST_YEAR: Final = 1970


def shows_contact(request: HttpRequest) -> bool:
    """Whether the reader may see names and addresses."""
    return Permission.PERSONAL_CONTACT in may(request)


def called(customer: Customer, *, contact: bool) -> str:
    """What to call a customer to this reader: its name or address, else Stripe's id."""
    state = customer.state
    return (contact and (state.name or state.email)) or state.stripe_customer_id


def _roles(permission: Permission) -> str:
    return ", ".join(str(ROLES[role].label) for role in roles_with(permission))


def shared(request: HttpRequest, of: Subject) -> dict[str, Any]:
    """What parts of the page need wherever they stand."""
    contact = shows_contact(request)
    return {
        "customer": of.customer,
        "state": of.customer.state,
        "subject": of,
        "asof": of.query,
        "contact_shown": contact,
        "contact_roles": _roles(Permission.PERSONAL_CONTACT),
        "payload_roles": _roles(Permission.PERSONAL_PAYLOAD),
        "free_text_roles": _roles(Permission.PERSONAL_FREE_TEXT),
        "shown": called(of.customer, contact=contact),
    }


def _tabs(request: HttpRequest, of: Subject, current: str) -> list[Tab]:
    granted = may(request)
    return [
        Tab(label=label, url=reverse(f"console:{name}", args=[of.customer.id]) + of.query, current=name == current)
        for name, label, permission in _TABS
        if permission in granted
    ]


def respond_tab(
    request: HttpRequest, of: Subject, tab: str, template: str, context: Mapping[str, Any]
) -> HttpResponseBase:
    """A tab in its frame; of a day on which nothing was known, the frame and where to go from there."""
    now = timezone.localtime(clock.now()).date()
    full = {
        **shared(request, of),
        "tabs": _tabs(request, of, tab),
        "today": now.isoformat(),
        "here": request.build_absolute_uri(request.path + of.query),
        "dashboard": _dashboard(of.customer),
        "readable": any(one.id == of.customer.account_id and calls.can_read(one) for one in accounts.accounts()),
        "drift": _drift(request, of),
        **context,
    }
    frame = shell("customers", livemode=of.customer.livemode)
    return respond(request, template if of.known else "console/customer_then.html", full, frame=frame)


def respond_drawer(
    request: HttpRequest, of: Subject, template: str, context: Mapping[str, Any], *, label: str
) -> HttpResponseBase:
    """A drawer for htmx, else a page of its own."""
    full = {**shared(request, of), **context}
    if wants_part(request):
        return respond_part(request, template, full)
    full |= {"inner": template, "crumb": label}
    return respond(
        request, "console/customer_inner.html", full, frame=shell("customers", livemode=of.customer.livemode)
    )


def _dashboard(customer: Customer) -> str:
    """The customer's page at Stripe; empty where the account is not at Stripe itself."""
    account = next((one for one in accounts.accounts() if one.id == customer.account_id), None)
    if account is None or account.api_base is not None:
        return ""
    place = [DASHBOARD, account.stripe_account_id or "", "" if customer.livemode else "test", "customers"]
    return "/".join([*(part for part in place if part), quote(customer.stripe_customer_id)])


def _drift(request: HttpRequest, of: Subject) -> dict[str, Any] | None:
    """What differs from Stripe at this moment: how many things, and where they are listed; None for nothing."""
    if Permission.TRUTH_READ not in may(request) or of.day is not None:
        return None
    ids = of.customer.state.stripe_customer_ids
    counts = {
        one: sum(found.number for found in reconcile.counted(account=of.customer.account_slug, customer=one))
        for one in ids
    }
    open_ = {one: number for one, number in counts.items() if number}
    if not open_:
        return None
    where = reverse("console:differences") + "?" + urlencode({"customer": next(iter(open_))})
    return {"number": sum(open_.values()), "url": where}
