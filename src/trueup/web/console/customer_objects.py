"""The Stripe objects of a customer: all that are known, each with every version and what changed between two."""

from __future__ import annotations

import math
from typing import Any, Final

import msgspec
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from trueup.kernel.errors import NotFound
from trueup.kernel.records import Record
from trueup.mirror import service as mirror
from trueup.mirror.types import FieldChange, ObjectRow, ObjectVersion
from trueup.web.console import payload
from trueup.web.console.customer_page import Subject, respond_drawer, respond_tab, subject
from trueup.web.console.page import address

LISTED: Final = 100
VERSIONS: Final = 50


class Group(Record, frozen=True):
    """The objects of one type."""

    type: str
    rows: tuple[ObjectRow, ...]
    url: str
    """The list of this type alone."""


class Change(Record, frozen=True):
    """One field that changed, as text; None where there was no value. ``cut`` says that a value goes on."""

    path: str
    before: str | None
    after: str | None
    cut: bool


class Version(Record, frozen=True):
    """One version with its changes as text."""

    told: ObjectVersion
    changes: tuple[Change, ...]


@require_safe
def objects(request: HttpRequest, customer_id: str) -> HttpResponseBase:
    """``/customers/{id}/objects``: by type; ``type`` in the query narrows, and ``after`` pages on within one type."""
    of = subject(request, customer_id)
    type_ = request.GET.get("type", "").strip()[:200]
    rows, following = _rows(of, type_, request.GET.get("after") or None)
    groups: dict[str, list[ObjectRow]] = {}
    for row in rows:
        groups.setdefault(row.type, []).append(row)
    context = {
        "groups": [
            Group(
                type=name,
                rows=tuple(sorted(found, key=lambda one: one.at, reverse=True)),
                url=address(request, type=name, after=None),
            )
            for name, found in sorted(groups.items(), key=_leading)
        ],
        "number": len(rows),
        "type": type_,
        "next_url": address(request, after=following) if following else "",
        "all_url": address(request, type=None, after=None),
        "first_url": address(request, after=None) if request.GET.get("after") else "",
    }
    return respond_tab(request, of, "customer-objects", "console/customer_objects.html", context)


_FIRST: Final = ("customer", "subscription", "subscription_schedule", "invoice", "charge", "payment_intent")


def _leading(group: tuple[str, Any]) -> tuple[int, str]:
    """Types that people ask for most come first."""
    return (_FIRST.index(group[0]) if group[0] in _FIRST else len(_FIRST), group[0])


def _rows(of: Subject, type_: str, after: str | None) -> tuple[list[ObjectRow], str | None]:
    """Objects of all Stripe customers that are this one; only those of one alone are paged."""
    members = of.customer.state.stripe_customer_ids
    pages = [
        mirror.search(
            type=type_,
            customer=one,
            account=of.customer.account_slug,
            limit=LISTED,
            after=after if len(members) == 1 else None,
        )
        for one in members
    ]
    return [row for page in pages for row in page.data], pages[0].next if len(members) == 1 else None


@require_safe
def one(request: HttpRequest, customer_id: str, object_type: str, object_id: str) -> HttpResponseBase:
    """``/customers/{id}/objects/{type}/{id}``: an object whole, its versions, and what changed between two of them.

    ``from`` and ``to`` in the query are the events that told the two. With ``as_of`` only what had happened counts.
    """
    of = subject(request, customer_id)
    named: dict[str, Any] = {"type": object_type, "account": of.customer.account_slug}
    found = mirror.get(object_id, as_of=of.at, **named)
    if not {found.customer, object_id} & set(of.customer.state.stripe_customer_ids):
        raise NotFound(
            _("This object is not this customer's."),
            code="object_elsewhere",
            hint=_("It may have been moved or detached since."),
        )
    page = mirror.versions(object_id, limit=VERSIONS, **named)
    latest = None if of.at is None else math.floor(of.at.timestamp())
    told = [version for version in page.data if latest is None or version.at.timestamp() <= latest]
    context: dict[str, Any] = {
        "object": found,
        "body": payload.html(msgspec.json.encode(found.shape)) if found.shape is not None else None,
        "versions": [Version(told=version, changes=changes(version.changes)) for version in told],
        "older": (page.total or 0) - len(page.data),
        "path": request.path,
        **_compared(request, object_id, named),
    }
    label = f"{object_type.replace('_', ' ')} {object_id}"
    return respond_drawer(request, of, "console/parts/customer_object.html", context, label=label)


def _compared(request: HttpRequest, object_id: str, named: dict[str, Any]) -> dict[str, Any]:
    """What changed between the two versions that the query names; nothing where it names none."""
    before, after = (request.GET.get(name, "").strip()[:500] for name in ("from", "to"))
    if not before or not after:
        return {"compared": None, "between": (before, after)}
    found = mirror.compare(object_id, before=before, after=after, **named)
    return {"compared": found, "between": (before, after), "differing": changes(found.changes)}


def changes(found: tuple[FieldChange, ...] | None) -> tuple[Change, ...]:
    """Changes as text."""
    return tuple(
        Change(path=one.path, before=_text(one.before), after=_text(one.after), cut=one.cut) for one in found or ()
    )


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return value if isinstance(value, str) and value.strip() else msgspec.json.encode(value).decode()
