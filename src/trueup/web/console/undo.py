"""``/undo``: taking back what was done last, for as long as nothing else was done: owners, a note, a kept list."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from trueup.customer.notes import service as notes
from trueup.customer.owners import service as owners
from trueup.customer.views import service as views
from trueup.kernel.actor import Actor
from trueup.web.console import formats
from trueup.web.console.reader import acting
from trueup.web.console.said import taken

Kept = Mapping[str, Any]


def of_owners(before: Mapping[str, int | None], *, after: int | None, back: str) -> Kept:
    """What gives customers back: ``before`` has the owner of each by our id, ``after`` is who they were given to."""
    return {"kind": "owners", "before": dict(before), "after": after, "back": back}


def of_note(note_id: int, *, back: str) -> Kept:
    """What removes a note that was only just written."""
    return {"kind": "note", "note": note_id, "back": back}


def of_view(name: str, parameters: Mapping[str, Sequence[str]], *, shared: bool) -> Kept:
    """What keeps a list again that was only just removed."""
    told = {key: list(values) for key, values in parameters.items()}
    return {"kind": "view", "name": name, "parameters": told, "shared": shared, "back": reverse("console:customers")}


def _owners(kept: Kept, by: Actor) -> str:
    held = owners.of(list(kept["before"]))
    groups: dict[int | None, list[str]] = defaultdict(list)
    for customer_id, operator_id in kept["before"].items():
        now = held[customer_id].operator_id if customer_id in held else None
        # Whoever was given to a third person meanwhile stays with them.
        if now == kept["after"]:
            groups[operator_id].append(customer_id)
    number = sum(owners.assign(ids=ids, operator_id=person, by=by) for person, ids in groups.items())
    told = ngettext(
        "Taken back: %(n)s customer has the owner of before.", "Taken back: %(n)s customers have the owner of before.",
        number,
    )  # fmt: skip
    return told % {"n": formats.number(number)}


def _note(kept: Kept, by: Actor) -> str:
    notes.remove(note_id=kept["note"], by=by)
    return _("Taken back: the note is gone.")


def _view(kept: Kept, by: Actor) -> str:
    views.save(name=kept["name"], parameters=kept["parameters"], shared=kept["shared"], by=by)
    return _("Taken back: the list is kept again.")


KINDS: Final[Mapping[str, Callable[[Kept, Actor], str]]] = {"owners": _owners, "note": _note, "view": _view}


@require_POST
def undo(request: HttpRequest) -> HttpResponseBase:
    """Take it back, and go back to where it was done."""
    kept = taken(request)
    if kept is None:
        messages.info(request, _("There is nothing to take back any more."))
        return HttpResponseRedirect(reverse("console:home"))
    messages.success(request, KINDS[kept["kind"]](kept, acting(request)))
    back = str(kept["back"])
    ours = url_has_allowed_host_and_scheme(back, allowed_hosts=None)
    return HttpResponseRedirect(back if ours else reverse("console:home"))
