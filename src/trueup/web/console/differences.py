"""What differs from Stripe: a list with filters, and each difference field by field."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

import msgspec
from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_safe

from trueup.accounts import service as accounts
from trueup.customer import service as customers
from trueup.kernel.errors import NotFound
from trueup.kernel.records import Record
from trueup.mirror.reconcile import service as reconcile
from trueup.mirror.reconcile.types import STATE, Counted, Difference, FieldDifference, Kind
from trueup.runtime.pages import Page
from trueup.web.console.page import (
    account_asked,
    address,
    choice_asked,
    offset_asked,
    respond,
    respond_part,
    shell,
    wants_part,
)
from trueup.web.console.words import CAUSES, DIFFERENCE_HINTS, DIFFERENCES, Label, Look, type_name

PAGE: Final = 50


class Field(Record, frozen=True):
    """One field that differs, as text; None where there is no value. ``cut`` says that a value goes on."""

    path: str
    ours: str | None
    theirs: str | None
    cut: bool


class Row(Record, frozen=True):
    """One difference with the words for it."""

    one: Difference
    look: Look
    hint: Label
    type: str
    is_state: bool
    cause: Label
    customer: str
    """What to call its customer; empty where there is no page for it, because nobody here knows it."""
    fields: tuple[Field, ...]


def rows(found: Sequence[Difference]) -> list[Row]:
    """Differences with the words for them, and with links only to customers that there are."""
    keys = [(one.account_id, one.livemode, one.customer) for one in found if one.customer is not None]
    names = customers.names(keys)
    return [
        Row(
            one=one,
            look=DIFFERENCES[one.kind],
            hint=DIFFERENCE_HINTS[one.kind],
            type=type_name(one.type),
            is_state=one.type == STATE,
            cause=CAUSES[one.cause],
            customer=names.get((one.account_id, one.livemode, one.customer or ""), ""),
            fields=tuple(_field(field) for field in one.fields),
        )
        for one in found
    ]


def _field(field: FieldDifference) -> Field:
    ours, theirs = _text(field.ours), _text(field.theirs)
    if ours == theirs:
        # A text and a number that read the same are told apart by their quotes.
        ours, theirs = _json(field.ours), _json(field.theirs)
    return Field(path=field.path, ours=ours, theirs=theirs, cut=field.cut)


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return value if isinstance(value, str) and value.strip() else _json(value)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


@require_safe
def listing(request: HttpRequest) -> HttpResponseBase:
    """``/truth/differences``: objects before the states that follow from them; every filter lives in the query."""
    kind = choice_asked(request, "kind", DIFFERENCES)
    type_, customer = _asked(request, "type"), _asked(request, "customer")
    account_id = account_asked(request)
    slug = _slug(account_id)
    after = request.GET.get("after") or None

    found = reconcile.differences(
        account=slug,
        kind=Kind(kind) if kind else None,
        type=type_,
        customer=customer,
        objects_first=True,
        limit=PAGE,
        after=after,
    )
    counted = reconcile.counted(account=slug, customer=customer)
    start = offset_asked(request) if after else 0
    total = _sum(counted, kind=kind, type_=type_)
    context: dict[str, Any] = {
        "found": Page(data=found.data, next=found.next, total=max(total, start + len(found.data))),
        "rows": rows(found.data),
        "first": start + 1,
        "last": start + len(found.data),
        "next_url": address(request, after=found.next, skip=str(start + len(found.data))) if found.next else "",
        "first_url": address(request, after=None, skip=None) if after else "",
        "kind": kind,
        "kinds": [(value, look, _sum(counted, kind=value, type_=type_)) for value, look in DIFFERENCES.items()],
        "type": type_,
        "types": [(value, type_name(value), _sum(counted, kind=kind, type_=value)) for value in _types(counted, type_)],
        "customer": customer,
        "account_id": account_id,
        "filtered": bool(kind or type_ or customer or account_id),
        "compared_at": min((one.compared_at for one in reconcile.drift() if one.compared_at is not None), default=None),
    }
    frame = shell("truth", account_id=account_id)
    if wants_part(request):
        return respond_part(request, "console/parts/differences_list.html", context, frame=frame, push=address(request))
    return respond(request, "console/differences.html", context, frame=frame)


def _asked(request: HttpRequest, name: str) -> str:
    return request.GET.get(name, "").strip()[:200]


def _slug(account_id: int | None) -> str:
    if account_id is None:
        return ""
    found = next((one for one in accounts.accounts() if one.id == account_id), None)
    if found is None:
        raise NotFound("There is no such account.", code="account_unknown", hint="Choose another, or all.")
    return found.slug


def _sum(counted: Collection[Counted], *, kind: str, type_: str) -> int:
    return sum(one.number for one in counted if kind in {"", one.kind} and type_ in {"", one.type})


def _types(counted: Collection[Counted], asked: str) -> list[str]:
    """The types to choose from: those of which something differs, states last, and the one that is chosen."""
    known = {one.type for one in counted} | ({asked} if asked else set())
    return sorted(known, key=lambda one: (one == STATE, one))
