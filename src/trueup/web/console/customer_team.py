"""Who of us looks after a customer, and what was written down about it: a card of its page, and its changes."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from trueup.customer import service as customers
from trueup.customer.notes import service as notes
from trueup.customer.owners import service as owners
from trueup.kernel.errors import NotFound, Refused
from trueup.operators.permissions import Permission
from trueup.web.console.customer_page import Subject
from trueup.web.console.reader import acting, may
from trueup.web.console.said import say, say_refused
from trueup.web.console.undo import of_note, of_owners

SHOWN: Final = 5
REMOVE: Final = "remove"
"""What has to be typed before a note is removed: nothing of it is left behind."""


def team(request: HttpRequest, of: Subject) -> dict[str, Any]:
    """The owner, who could be, and the newest notes as far as the reader may see them; as they are now."""
    granted = may(request)
    whole = request.GET.get("notes") == "all"
    found = None
    if Permission.PERSONAL_FREE_TEXT in granted:
        found = notes.notes(of.customer.id, limit=notes.LARGEST_PAGE if whole else SHOWN)
    return {
        "owner": owners.owner(of.customer.id),
        "candidates": owners.candidates() if Permission.CUSTOMERS_CHANGE in granted else [],
        "notes": found,
        "reader_id": f"operator:{request.user.pk}",
        "remove_word": REMOVE,
    }


def _back(customer_id: str) -> HttpResponseBase:
    return HttpResponseRedirect(reverse("console:customer", args=[customer_id]) + "#h-team")


@require_POST
def owner(request: HttpRequest, customer_id: str) -> HttpResponseBase:
    """``/customers/{id}/owner``: who looks after the customer from now on; an empty choice means nobody."""
    customer = customers.get(customer_id)
    chosen = request.POST.get("operator", "")
    if chosen and not (chosen.isdecimal() and len(chosen) < 19):
        raise Refused(_("Choose somebody from the list."), code="owner_invalid", hint=_("Go back, and choose again."))
    person, held = int(chosen) if chosen else None, owners.owner(customer.id)
    if owners.assign(ids=[customer.id], operator_id=person, by=acting(request)):
        before = {customer.id: None if held is None else held.operator_id}
        back = reverse("console:customer", args=[customer.id])
        told = _("Nobody looks after it now.") if person is None else _("It has a new owner.")
        say(request, told, undo=of_owners(before, after=person, back=back))
    return _back(customer.id)


@require_POST
def note(request: HttpRequest, customer_id: str) -> HttpResponseBase:
    """``/customers/{id}/notes``: write a note, or with ``note`` write that one anew, or with ``confirm`` remove it."""
    customer = customers.get(customer_id)
    named, text = request.POST.get("note", ""), request.POST.get("text", "")
    if not named:
        try:
            written = notes.add(id=customer.id, text=text, by=acting(request))
        except Refused as error:
            if error.code != "note_length":
                raise
            say_refused(request, error)
            return _back(customer.id)
        back = reverse("console:customer", args=[customer.id])
        say(request, _("The note is kept."), undo=of_note(written.id, back=back))
        return _back(customer.id)
    note_id = _of(customer.id, named)
    if "confirm" not in request.POST:
        notes.change(note_id=note_id, text=text, by=acting(request))
    elif request.POST["confirm"].strip().lower() == REMOVE:
        notes.remove(note_id=note_id, by=acting(request))
    else:
        raise Refused(
            _("The note was not removed."),
            code="confirmation_missing",
            hint=_("Type %(word)s to remove it for good.") % {"word": REMOVE},
        )
    return _back(customer.id)


def _of(customer_id: str, named: str) -> int:
    """The number of a note of this customer; ``NotFound`` for one of another."""
    known = {str(one.id): one.id for one in notes.notes(customer_id, limit=notes.LARGEST_PAGE).data}
    if named not in known:
        raise NotFound(_("This customer has no such note."), code="note_unknown", hint=_("It may have been removed."))
    return known[named]
