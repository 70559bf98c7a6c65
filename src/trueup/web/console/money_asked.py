"""What an address of a list of money asks for."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final
from urllib.parse import urlencode

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from trueup.customer.money import service as money
from trueup.kernel.money import exponent
from trueup.kernel.records import Record
from trueup.mirror.money.types import Order, Which
from trueup.mirror.upcast.shape import currency_of
from trueup.runtime import clock
from trueup.web.console.money_words import Kind, order_of
from trueup.web.console.page import account_asked, choice_asked
from trueup.web.console.words import Label

SPANS: Final[dict[str, Label]] = {
    "7": _("Last 7 days"),
    "30": _("Last 30 days"),
    "90": _("Last 90 days"),
    "365": _("Last 12 months"),
}
"""Spans to choose from, in days."""
TO_ANSWER: Final = "to_answer"
"""Stands in addresses for all statuses that wait for an answer."""
PARAMETERS: Final = ("q", "status", "account", "currency", "days", "from", "to", "min", "max", "reason", "sort")


class Asked(Record, frozen=True):
    """What is asked for, and as the form shows it again."""

    which: Which
    order: Order
    q: str
    status: str
    currency: str
    days: str
    since: date | None
    until: date | None
    """The last day, included."""
    least: str
    most: str
    reason: str
    parameters: dict[str, str]

    @property
    def query(self) -> str:
        """The parameters, urlencoded."""
        return urlencode(sorted(self.parameters.items()))

    @property
    def narrowed(self) -> bool:
        """Whether anything but the order is asked for."""
        return bool(self.parameters.keys() - {"sort"})

    @property
    def lacks_currency(self) -> bool:
        """Whether amounts were given that nobody can read without a currency."""
        return bool((self.least or self.most) and not self.currency)

    @property
    def more(self) -> bool:
        """Whether one of the filters is in use that stand in the menu."""
        return bool(self.since or self.until or self.least or self.most or self.reason)


def asked(request: HttpRequest, kind: Kind) -> Asked:
    """What a request asks of a list. What is known to be wrong is refused, what is no value counts as left out."""
    query = request.GET
    known = {**kind.statuses, **({TO_ANSWER: None} if kind.sorted_by_due else {})}
    status = choice_asked(request, "status", known)
    statuses = kind.sorted_by_due if status == TO_ANSWER else (status,) if status else ()
    reason = query.get("reason", "").replace("\x00", "")[:80]
    if reason and not statuses:
        statuses = kind.reasoned
    days = choice_asked(request, "days", SPANS)
    currency = currency_of(query.get("currency", "")) or ""
    since, until = _day(query.get("from", "")), _day(query.get("to", ""))
    least, most = _amount(query.get("min", "")), _amount(query.get("max", ""))
    q = query.get("q", "").replace("\x00", "").strip()[:200]
    which = Which(
        types=kind.types,
        statuses=statuses,
        account_id=account_asked(request),
        currency=currency,
        since=_since(since, days),
        until=None if until is None else _midnight(until + timedelta(days=1)),
        amount_from=_minor(least, currency),
        amount_to=_minor(most, currency),
        reason=reason,
    )
    return Asked(
        which=money.searched(which, q) if q else which,
        order=order_of(kind, statuses, oldest=query.get("sort") == "oldest"),
        q=q,
        status=status,
        currency=currency,
        days="" if since or until else days,
        since=since,
        until=until,
        least=query.get("min", "")[:20] if least is not None else "",
        most=query.get("max", "")[:20] if most is not None else "",
        reason=which.reason,
        parameters={name: value for name in PARAMETERS if (value := query.get(name, "").strip())},
    )


def _since(day: date | None, days: str) -> int | None:
    if day is not None:
        return _midnight(day)
    # By the whole hour, so that the same question within it is the same.
    return int((clock.now() - timedelta(days=int(days))).timestamp()) // 3600 * 3600 if days else None


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None
    return found if found is not None and 1970 < found.year < 9000 else None


def _midnight(day: date) -> int:
    """When a day begins in the reader's zone."""
    return int(datetime.combine(day, time(), timezone.get_current_timezone()).timestamp())


def _amount(text: str) -> Decimal | None:
    """An amount in major units; None for what is none."""
    try:
        found = Decimal(text.strip().replace(",", ".")) if 0 < len(text) <= 20 else None
    except InvalidOperation:
        return None
    return found if found is not None and found.is_finite() and abs(found) < 10**12 else None


def _minor(amount: Decimal | None, currency: str) -> int | None:
    """In minor units: what these are, the currency says."""
    return None if amount is None or not currency else int(amount * 10 ** exponent(currency))
