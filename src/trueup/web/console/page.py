"""How a page is put together: the frame around it, the reader's preferences, and the part of it that htmx asks for."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, cast
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django_htmx.middleware import HtmxDetails

from trueup.accounts import service as accounts
from trueup.accounts.types import Account
from trueup.kernel.errors import Refused
from trueup.kernel.modes import mode_name
from trueup.kernel.records import Record
from trueup.runtime import clock
from trueup.web.console.around import around
from trueup.web.console.reader import may


class ConsoleRequest(HttpRequest):
    """A request after the middleware of django-htmx."""

    htmx: HtmxDetails


class Shell(Record, frozen=True):
    """What the frame shows around every signed-in page."""

    section: str
    """The entry of the navigation that is current."""
    title: str
    """The accounts in a few words."""
    accounts: tuple[Account, ...]
    mode: str
    """``test``, ``live`` or ``mixed``: of the account in view, else of all; empty while there is none."""

    @property
    def several(self) -> bool:
        """Whether a list has to say which account a row belongs to."""
        return len(self.accounts) > 1


class Preferences(Record, frozen=True):
    """What the reader chose, from cookies; anything unknown counts as not chosen."""

    theme: str
    density: str
    keys: str


def preferences(request: HttpRequest) -> Preferences:
    """The reader's preferences. Only known words pass, because they end up in attributes of the page."""

    def known(name: str, *values: str) -> str:
        value = request.COOKIES.get(name, "")
        return value if value in values else ""

    return Preferences(
        theme=known("theme", "light", "dark"), density=known("density", "compact"), keys=known("keys", "off")
    )


def mode_of(livemodes: set[bool]) -> str:
    """``test``, ``live`` or ``mixed``; empty for no account at all."""
    if not livemodes:
        return ""
    if len(livemodes) > 1:
        return "mixed"
    return mode_name(livemodes.pop())


def shell(section: str, *, account_id: int | None = None, livemode: bool | None = None) -> Shell:
    """The frame for a page of ``section``; ``account_id`` or ``livemode`` narrow the mode that its badge states."""
    known = accounts.accounts()
    in_view = [account for account in known if account_id in {None, account.id}]
    mode = mode_of({account.livemode for account in in_view} if livemode is None else {livemode})
    return Shell(section=section, title=known[0].name if len(known) == 1 else "", accounts=known, mode=mode)


def wants_part(request: HttpRequest) -> bool:
    """Whether htmx asks for the changing part of the page only.

    When the browser goes back, htmx asks for the whole page under the same header and says that it restores history.
    """
    htmx: HtmxDetails | None = getattr(request, "htmx", None)
    return htmx is not None and bool(htmx) and not htmx.history_restore_request


def respond(
    request: HttpRequest, template: str, context: Mapping[str, Any], *, frame: Shell, status: int = 200
) -> HttpResponse:
    """Render a whole page in its frame."""
    full = {
        "shell": frame,
        "prefs": preferences(request),
        "now": clock.now(),
        "may": _words(request),
        **around(request),
        **context,
    }
    response = render(request, template, full, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


def respond_part(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any],
    *,
    frame: Shell | None = None,
    push: str | None = None,
) -> HttpResponse:
    """Render a fragment for htmx; ``push`` is the canonical address that the browser's bar shall show."""
    full = {"shell": frame, "part": True, "now": clock.now(), "may": _words(request), **context}
    response = render(request, template, full)
    patch_vary_headers(response, ["HX-Request"])
    if push is not None:
        _move(request, response, push)
    return response


def _words(request: HttpRequest) -> frozenset[str]:
    """What the reader may do, for templates: ``{% if "events.replay" in may %}``."""
    return frozenset(one.value for one in may(request))


def _move(request: HttpRequest, response: HttpResponse, to: str) -> None:
    """Put ``to`` in the browser's bar. Places are steps of the back button; the letters of a search are not places."""
    here = cast("ConsoleRequest", request).htmx.current_url_abs_path or ""
    if here == to:
        return
    refined = all(QueryDict(urlsplit(url).query).get("q") for url in (here, to))
    response["HX-Replace-Url" if refined else "HX-Push-Url"] = to


def address(request: HttpRequest, **changes: str | list[str] | None) -> str:
    """The canonical address of this page with ``changes`` to its query; empty values are left out."""
    query = request.GET.copy()
    for name, value in changes.items():
        if not value:
            query.pop(name, None)
        else:
            query.setlist(name, [value] if isinstance(value, str) else value)
    kept = QueryDict(mutable=True)
    for name, values in query.lists():
        nonempty = [value for value in values if value]
        if nonempty:
            kept.setlist(name, nonempty)
    return f"{request.path}?{kept.urlencode()}" if kept else request.path


def choices_asked(request: HttpRequest, name: str, known: Collection[str]) -> list[str]:
    """The values of a filter in the query, each once; ``Refused`` for one that there is not."""
    asked = list(dict.fromkeys(value for value in request.GET.getlist(name) if value))
    for value in asked:
        if value not in known:
            raise Refused(
                _("There is no %(name)s %(value)s to filter by.") % {"name": name, "value": value[:80]},
                code="parameter_invalid",
                hint=_("One of: %(known)s.") % {"known": ", ".join(known)},
            )
    return asked


def choice_asked(request: HttpRequest, name: str, known: Collection[str]) -> str:
    """The value of a filter that has one; empty where nothing is asked for. ``Refused`` as for ``choices_asked``."""
    return next(iter(choices_asked(request, name, known)), "")


def account_asked(request: HttpRequest) -> int | None:
    """The account that the query filters by; None for all. What is not a number counts as all."""
    value = request.GET.get("account", "")
    return int(value) if value.isdecimal() and len(value) < 19 else None


def offset_asked(request: HttpRequest) -> int:
    """How many rows come before this page, for its caption only; a keyset page does not know."""
    value = request.GET.get("skip", "")
    return int(value) if value.isdecimal() and len(value) < 10 else 0
