"""What is done from the list of customers: giving them to somebody, keeping a list under a name."""

from __future__ import annotations

from typing import Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from trueup.customer.owners import service as owners
from trueup.customer.views import service as views
from trueup.kernel.errors import Refused
from trueup.web.console.bulk import chosen_owner, said_of
from trueup.web.console.reader import acting
from trueup.web.console.said import say, say_refused
from trueup.web.console.undo import of_owners, of_view

MOST_IDS: Final = 200


def _back(request: HttpRequest) -> str:
    """The list or home that a form was sent from; the whole list where it names none of ours."""
    to = request.POST.get("back", "")
    start = reverse("console:customers")
    known = {start, reverse("console:home")}
    ours = url_has_allowed_host_and_scheme(to, allowed_hosts=None) and to.partition("?")[0] in known
    return to if ours else start


@require_POST
def own(request: HttpRequest) -> HttpResponseBase:
    """``/customers/owner``: let somebody look after the customers that were chosen."""
    ids = list(dict.fromkeys(request.POST.getlist("id")))[: MOST_IDS + 1]
    if not ids or len(ids) > MOST_IDS:
        raise Refused(_("Choose 1 to 200 customers first."), code="nothing_chosen", hint=_("Go back and choose them."))
    person, held = chosen_owner(request), owners.of(ids)
    number = owners.assign(ids=ids, operator_id=person, by=acting(request))
    before = {one: held[one].operator_id if one in held else None for one in ids}
    back = _back(request)
    say(request, said_of(number, person), undo=of_owners(before, after=person, back=back) if number else None)
    return HttpResponseRedirect(back)


@require_POST
def keep(request: HttpRequest) -> HttpResponseBase:
    """``/customers/views``: keep the list that is shown under a name."""
    back = QueryDict(_back(request).partition("?")[2], mutable=True)
    shown = {name: values for name, values in back.lists() if name in views.PARAMETERS}
    try:
        view = views.save(
            name=request.POST.get("name", ""),
            parameters=shown,
            shared=request.POST.get("shared") == "1",
            by=acting(request),
        )
    except Refused as error:
        if error.code not in {"view_name", "view_too_many"}:
            raise
        say_refused(request, error)
        return HttpResponseRedirect(_back(request))
    messages.success(request, _("The list is kept as “%(name)s”.") % {"name": view.name})
    for name in ("after", "skip"):
        back.pop(name, None)
    back["view"] = str(view.id)
    return HttpResponseRedirect(f"{reverse('console:customers')}?{back.urlencode()}")


@require_POST
def drop(request: HttpRequest, view_id: int) -> HttpResponseBase:
    """``/customers/views/{id}/remove``: keep it no longer; the customers stay as they are."""
    kept = next((one for one in views.views(operator_id=int(request.user.pk or 0)) if one.id == view_id), None)
    views.remove(view_id=view_id, by=acting(request))
    undo = None if kept is None else of_view(kept.name, kept.parameters, shared=kept.shared)
    say(request, _("The list is not kept any more."), undo=undo)
    return HttpResponseRedirect(reverse("console:customers"))
