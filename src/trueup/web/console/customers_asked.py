"""What an address of the list of customers asks for: filters, order and columns, from a query or from a kept view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final
from urllib.parse import urlencode

from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext_lazy as _

from trueup.customer.listing import service as listing
from trueup.customer.listing.types import Filters
from trueup.customer.types import Stage
from trueup.customer.views.service import PARAMETERS
from trueup.kernel.records import Record
from trueup.runtime import clock
from trueup.web.console.page import account_asked, address, choice_asked
from trueup.web.console.words import STAGES, SUBSCRIPTION_STATUSES, Label

DEFAULT_SORT: Final = "-last_event_at"
ME: Final = "me"
NOBODY: Final = "none"
TRIALS: Final[dict[str, Label]] = {
    "3": _("Trial ends within 3 days"),
    "7": _("Trial ends within 7 days"),
    "14": _("Trial ends within 14 days"),
    "30": _("Trial ends within 30 days"),
}
COLUMNS: Final[dict[str, tuple[Label, str, str]]] = {
    "stage": (_("Stage"), "", ""),
    "plan": (_("Plan"), "col-plan", ""),
    "mrr": (_("MRR"), "num", "-mrr"),
    "method": (_("Payment method"), "col-method", ""),
    "status": (_("Billing status"), "col-method", ""),
    "owner": (_("Owner"), "col-owner", ""),
    "renews": (_("Renews"), "col-renews", ""),
    "trial": (_("Trial ends"), "col-renews", "trial_end"),
    "last": (_("Last event"), "num col-last", "-last_event_at"),
}
"""Label, class, and the sort of the first click, by the word that stands in the address."""
USUAL: Final = ("stage", "plan", "mrr", "owner", "renews", "last")
"""The columns of whoever chose none."""


class Asked(Record, frozen=True):
    """What is asked for. ``query`` is all of it as an address has it, in one order, so that two of them compare."""

    filters: Filters
    sort: str
    columns: tuple[str, ...]
    parameters: dict[str, tuple[str, ...]]
    """What was not left out, by name, as a view keeps it."""
    trial: str
    owner: str

    @property
    def query(self) -> str:
        """The parameters, urlencoded."""
        return urlencode(sorted(self.parameters.items()), doseq=True)

    @property
    def narrowed(self) -> bool:
        """Whether anything but the order and the columns is asked for."""
        return self.filters != Filters()


def asked(request: HttpRequest) -> Asked:
    """What a request asks for. What is known to be wrong is refused, and what is no value at all counts as left out."""
    query = request.GET
    stage = choice_asked(request, "stage", STAGES)
    status = choice_asked(request, "status", SUBSCRIPTION_STATUSES)
    trial = choice_asked(request, "trial", TRIALS)
    owner = query.get("owner", "")
    owner = owner if owner in {ME, NOBODY} or (owner.isdecimal() and len(owner) < 19) else ""
    sort = query.get("sort", "")
    columns = tuple(dict.fromkeys(one for one in query.getlist("col") if one in COLUMNS))
    filters = Filters(
        q=query.get("q", "").replace("\x00", "").strip()[:200],
        stage=Stage(stage) if stage else None,
        account_id=account_asked(request),
        product_id=query.get("product", "").replace("\x00", "")[:200],
        billing_status=status,
        owner=int(request.user.pk or 0) if owner == ME else int(owner) if owner.isdecimal() else None,
        unowned=owner == NOBODY,
        trial_ends_before=_whole_hour(clock.now() + timedelta(days=int(trial))) if trial else None,
        mrr_from=_amount(query.get("mrr_from", "")),
        mrr_to=_amount(query.get("mrr_to", "")),
        differing=query.get("drift") == "1",
    )
    return Asked(
        filters=filters,
        sort=sort if sort in listing.SORTS else DEFAULT_SORT,
        columns=columns or USUAL,
        parameters=_kept(query),
        trial=trial,
        owner=owner,
    )


def _kept(query: QueryDict) -> dict[str, tuple[str, ...]]:
    told = {name: tuple(value for value in query.getlist(name) if value) for name in sorted(PARAMETERS)}
    return {name: values for name, values in told.items() if values and values not in {(DEFAULT_SORT,), USUAL}}


def here(request: HttpRequest, **changes: str | list[str] | None) -> str:
    """The canonical address of the list with ``changes``; the form sends the usual columns too, which are left out."""
    if tuple(request.GET.getlist("col")) == USUAL:
        changes.setdefault("col", None)
    return address(request, **changes)


def filters_of(request: HttpRequest, parameters: Mapping[str, Sequence[str]]) -> Filters:
    """The filters of a kept view, for the person who looks: ``me`` is whoever that is."""
    other = HttpRequest()
    other.user = request.user
    other.GET = QueryDict(urlencode(list(parameters.items()), doseq=True))
    return asked(other).filters


def _whole_hour(moment: datetime) -> datetime:
    """So that the same question within an hour is the same, and its number can be remembered."""
    return moment.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)


def _amount(text: str) -> Decimal | None:
    """An amount in major units; None for what is none."""
    try:
        found = Decimal(text.strip().replace(",", ".")) if 0 < len(text) <= 20 else None
    except InvalidOperation:
        return None
    return found if found is not None and found.is_finite() and abs(found) < 10**15 else None
