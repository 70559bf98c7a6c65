"""Who did what to a customer: the audit tab of its page."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_safe

from trueup.audit import service as audit
from trueup.audit.access_log import service as access_log
from trueup.audit.access_log.types import Look
from trueup.audit.types import AuditEntry
from trueup.kernel.actor import ActorKind
from trueup.kernel.records import Record
from trueup.operators import service as operators
from trueup.operators.permissions import Permission
from trueup.runtime import database
from trueup.web.console.customer_page import Subject, respond_tab, subject
from trueup.web.console.customer_words import ACTIONS
from trueup.web.console.page import address
from trueup.web.console.reader import may
from trueup.web.console.words import Look as Shape

ENTRIES: Final = 25
LOOKS: Final = 15


class Value(Record, frozen=True):
    """One value that an entry names, before and after, as text; None where there was none."""

    name: str
    before: str | None
    after: str | None


class Line(Record, frozen=True):
    """One entry with the words for it."""

    entry: AuditEntry
    look: Shape
    who: str
    values: tuple[Value, ...]


@require_safe
def audit_of(request: HttpRequest, customer_id: str) -> HttpResponseBase:
    """``/customers/{id}/audit``: entries about this customer and those merged into it, newest first.

    ``before`` in the query pages on. Personal values stay closed here; opening one is a step of its own.
    """
    of = subject(request, customer_id)
    asked = request.GET.get("before", "")
    before = int(asked) if asked.isdecimal() and len(asked) < 19 else audit.NEWEST
    found = _entries(of, before)
    shown = found[:ENTRIES]
    names = {one.id: one.name or one.email for one in operators.operators()}
    context = {
        "looks": _looks(of, names) if Permission.ACCESS_LOG_READ in may(request) and of.day is None else None,
        "lines": [_line(entry, names) for entry in shown],
        "next_url": address(request, before=str(shown[-1].id)) if len(found) > ENTRIES else "",
        "first_url": address(request, before=None) if before != audit.NEWEST else "",
    }
    return respond_tab(request, of, "customer-audit", "console/customer_audit.html", context)


def _entries(of: Subject, before: int) -> list[AuditEntry]:
    """One more entry than are shown, so that it is known whether there are more."""
    ids = [of.customer.id, *of.customer.merged_ids, *of.customer.state.stripe_customer_ids]
    found = [
        entry
        for one in dict.fromkeys(ids)
        for entry in audit.entries(
            database.connection(),
            object_type="customer",
            object_id=one,
            before_id=before,
            until=of.at,
            limit=ENTRIES + 1,
        )
    ]
    return sorted(found, key=lambda entry: entry.id, reverse=True)


class Looked(Record, frozen=True):
    """That somebody looked at the customer within an hour."""

    look: Look
    who: str


def _looks(of: Subject, names: dict[int, str]) -> list[Looked]:
    customer = of.customer
    keys = [(customer.account_id, customer.livemode, one) for one in customer.state.stripe_customer_ids]
    found = access_log.of_customers(keys, limit=LOOKS).data
    return [Looked(look=one, who=_named(names, one.actor)) for one in found]


def _line(entry: AuditEntry, names: dict[int, str]) -> Line:
    look = ACTIONS.get(entry.action) or Shape(label=entry.action, tone="", icon="circle")
    who = _named(names, f"{entry.actor_kind}:{entry.actor_id}")
    return Line(entry=entry, look=look, who=who, values=tuple(_values(entry)))


def _named(names: dict[int, str], actor: str) -> str:
    """A person by name, anything else as the log names it: ``token:7``."""
    kind, _colon, identifier = actor.partition(":")
    if kind == ActorKind.OPERATOR and identifier.isdecimal():
        return names.get(int(identifier), actor)
    return actor


def _values(entry: AuditEntry) -> list[Value]:
    before, after = _fields(entry.before), _fields(entry.after)
    names = dict.fromkeys([*before, *after])
    return [Value(name=name, before=_text(before.get(name)), after=_text(after.get(name))) for name in names]


def _fields(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {} if value is None else {"": value}


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
