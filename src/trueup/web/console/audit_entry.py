"""One entry of the audit log: who and what, how it was before and after, its personal values, and its proof."""

from __future__ import annotations

from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from trueup.audit.listing import service as listing
from trueup.audit.listing.types import ListedEntry
from trueup.audit.merkle.hashing import leaf_hash
from trueup.audit.verifying import service as verifying
from trueup.kernel.errors import Refused
from trueup.kernel.records import Record
from trueup.runtime import database
from trueup.web.console.audit_words import mode_of, thing_address, whos
from trueup.web.console.page import respond, respond_part, shell, wants_part
from trueup.web.console.reader import acting


class Value(Record, frozen=True):
    """A value of one side: its text, or why there is none to show (``hidden``, ``erased`` or ``absent``)."""

    text: str
    state: str = ""


class Change(Record, frozen=True):
    """A field with both of its sides."""

    field: str
    before: Value
    after: Value
    differs: bool


@require_safe
def detail(request: HttpRequest, entry_id: int) -> HttpResponseBase:
    """``/audit/entries/{id}``: a drawer for htmx, else a page; personal values stay closed."""
    return _shown(request, listing.entry(str(entry_id)))


@require_safe
def at(request: HttpRequest, mode: str, position: int) -> HttpResponseBase:
    """``/audit/at/{mode}/{position}``: the entry at a place of the tree, where a check names one."""
    del request
    found = listing.entry(f"{mode_of(mode).value}/{position}")
    return HttpResponseRedirect(reverse("console:audit-entry", args=[found.id]))


@require_http_methods(["GET", "HEAD", "POST"])
def opened(request: HttpRequest, entry_id: int) -> HttpResponseBase:
    """``/audit/entries/{id}/open``: asks for a reason first, records that somebody looks, and shows the values."""
    if request.method != "POST":
        return _shown(request, listing.entry(str(entry_id)), asking=True)
    why = request.POST.get("why", "").strip()[:1000]
    if not why:
        raise Refused("Personal values are opened with a reason.", code="audit_why_missing", hint="Say what it is for.")
    return _shown(request, listing.open_entry(str(entry_id), why=why, by=acting(request)), opened=True)


@require_safe
def proof(request: HttpRequest, entry_id: int) -> HttpResponseBase:
    """``/audit/entries/{id}/proof``: the C2SP proof as a file."""
    del request
    return _download(verifying.prove(database.connection(), entry_id), f"entry-{entry_id}.tlog-proof")


@require_safe
def body(request: HttpRequest, entry_id: int) -> HttpResponseBase:
    """``/audit/entries/{id}/body``: the bytes that the proof is of, named so that the verifier finds them."""
    del request
    return _download(listing.entry(str(entry_id)).body.encode(), f"entry-{entry_id}.tlog-proof.entry")


def _download(content: bytes, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type="application/octet-stream")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _shown(request: HttpRequest, entry: ListedEntry, *, asking: bool = False, opened: bool = False) -> HttpResponseBase:
    people = whos(request, [entry.actor, entry.behind])
    context: dict[str, Any] = {
        "entry": entry,
        "who": people[entry.actor],
        "behind": people.get(entry.behind),
        "thing_url": thing_address(entry.object),
        "changes": changes(entry),
        "leaf": leaf_hash(entry.body.encode()).hex() if entry.place and not entry.altered else "",
        "asking": asking,
        "opened": opened,
    }
    if wants_part(request):
        return respond_part(request, "console/parts/audit_entry.html", context)
    frame = shell("audit", livemode=entry.mode.livemode)
    return respond(request, "console/audit_entry.html", context, frame=frame)


def changes(entry: ListedEntry) -> list[Change]:
    """Every field of before and after, those that cannot be shown among them."""
    before, after = (_side(entry, name) for name in ("before", "after"))
    absent = Value(text="", state="absent")
    return [
        Change(
            field=field,
            before=(one := before.get(field, absent)),
            after=(two := after.get(field, absent)),
            differs=one != two,
        )
        for field in dict.fromkeys([*before, *after])
    ]


def _side(entry: ListedEntry, name: str) -> dict[str, Value]:
    told = {field: Value(text=_text(value)) for field, value in (getattr(entry, name) or {}).items()}
    for places, state in ((entry.hidden, "hidden"), (entry.erased, "erased")):
        inside = [place.partition(".")[2] for place in places if place.startswith(f"{name}.")]
        told |= {field: Value(text="", state=state) for field in inside}
    return told


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
