"""``/settings/accounts``: Stripe accounts, what Trueup may do there, and the secrets of their endpoints."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from trueup.accounts import service as accounts
from trueup.inbox.alarms import service as alarms
from trueup.inbox.intake.app import PREFIX
from trueup.inbox.sweep import service as sweeps
from trueup.kernel.errors import Refused, TrueupError
from trueup.runtime import installation
from trueup.web.console.reader import acting
from trueup.web.console.settings.frame import show

SECTION = "settings-accounts"


@require_safe
def listing(request: HttpRequest) -> HttpResponseBase:
    """``/settings/accounts``: each account as a card."""
    return _listing(request)


def _listing(request: HttpRequest, *, error: TrueupError | None = None, slug: str = "") -> HttpResponseBase:
    standing, swept = alarms.standing(), sweeps.sweeps()
    known = accounts.accounts()
    names = {one.id: one.slug for one in known}
    context: dict[str, Any] = {
        "accounts": [
            (
                one,
                names.get(one.parent_id or 0, ""),
                () if one.parent_id else accounts.webhook_secrets(one.slug),
                request.build_absolute_uri(f"{PREFIX}{one.slug}"),
                [alarm for alarm in standing if alarm.account_slug == one.slug],
                next((each for each in swept if each.account_slug == one.slug), None),
            )
            for one in known
        ],
        "slug": slug,
    }
    return show(request, SECTION, "accounts.html", context, error=error)


@require_POST
def add_secret(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Accept another signing secret, beside those that are accepted; it is never shown again."""
    try:
        added = accounts.add_webhook_secret(
            slug=slug,
            secret=request.POST.get("secret", "").strip()[:500],
            sealer=installation.sealer(),
            by=acting(request),
        )
    except Refused as error:
        return _listing(request, error=error, slug=slug)
    messages.success(request, _("%(account)s accepts whsec_…%(hint)s.") % {"account": slug, "hint": added.hint})
    return _back()


@require_POST
def retire_secret(request: HttpRequest, slug: str, secret_id: int) -> HttpResponseBase:
    """Accept a signing secret no more, once its successor is in use."""
    try:
        accounts.retire_webhook_secret(slug=slug, secret_id=secret_id, by=acting(request))
    except Refused as error:
        return _listing(request, error=error, slug=slug)
    messages.success(request, _("The secret is accepted no more."))
    return _back()


def _back() -> HttpResponseBase:
    return HttpResponseRedirect(reverse("console:settings-accounts"))
