"""``/connections``: how each Stripe account is connected: what came, what was missed, its key, limits and backfill."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from trueup.accounts import calls, probing
from trueup.accounts import service as accounts
from trueup.accounts.calls import Limit
from trueup.accounts.errors import AccountUnknown
from trueup.accounts.types import Account
from trueup.inbox import tail
from trueup.inbox.alarms import service as alarms
from trueup.inbox.alarms.types import StandingAlarm
from trueup.inbox.intake.app import PREFIX
from trueup.inbox.sweep import service as sweeps
from trueup.inbox.sweep.types import SweepRow
from trueup.inbox.types import Kind
from trueup.kernel.errors import Conflict, Refused, TrueupError, Unavailable
from trueup.kernel.records import Record
from trueup.mirror.backfill import service as backfills
from trueup.mirror.backfill.types import Progress, Status, TypeProgress, TypeStatus
from trueup.runtime import installation
from trueup.web.console import runbooks
from trueup.web.console.page import respond, respond_part, shell, wants_part
from trueup.web.console.reader import acting
from trueup.web.console.truth import share_read, webhooks_look
from trueup.web.console.words import Look

LONGEST_KEY: Final = 500


class Connection(Record, frozen=True):
    """One account and all that says whether it is connected well."""

    account: Account
    parent: str
    address: str
    """Where Stripe posts its events."""
    last_at: datetime | None
    sweep: SweepRow | None
    webhooks: Look | None
    alarms: tuple[tuple[StandingAlarm, str], ...]
    limit: Limit | None
    backfill: Progress | None
    share: int | None
    refused: tuple[TypeProgress, ...]
    """Lists that its key may not read, as the last backfill found."""
    readable: bool
    secrets: int


@require_safe
def listing(request: HttpRequest) -> HttpResponseBase:
    """``/connections``: each account as a card, the newest numbers with every look."""
    context: dict[str, Any] = {
        "connections": _connections(request),
        "running": Status.RUNNING,
        "resumable": {Status.CANCELLED, Status.INCOMPLETE},
        "types": backfills.types(),
    }
    frame = shell("connections")
    if wants_part(request):
        return respond_part(request, "console/parts/connections.html", context, frame=frame)
    return respond(request, "console/connections.html", context, frame=frame)


def _connections(request: HttpRequest) -> list[Connection]:
    known, standing, last = accounts.accounts(), alarms.standing(), tail.last_received()
    swept = {one.account_slug: one for one in sweeps.sweeps() if one.kind is Kind.SNAPSHOT}
    limits = {one.account: one for one in calls.limits().data if not one.endpoint}
    progress = _newest(backfills.all_progress().data)
    slugs = {one.id: one.slug for one in known}
    return [
        Connection(
            account=one,
            parent=slugs.get(one.parent_id or 0, ""),
            address=request.build_absolute_uri(f"{PREFIX}{one.slug}"),
            last_at=last.get(one.id),
            sweep=swept.get(one.slug),
            webhooks=webhooks_look(swept[one.slug], standing) if one.slug in swept else None,
            alarms=tuple((each, runbooks.of_alarm(each)) for each in standing if each.account_slug == one.slug),
            limit=limits.get(one.slug),
            backfill=progress.get(one.slug),
            share=share_read(progress[one.slug]) if one.slug in progress else None,
            refused=_refused(progress.get(one.slug)),
            readable=calls.can_read(one),
            secrets=0 if one.parent_id else len(accounts.webhook_secrets(one.slug)),
        )
        for one in known
    ]


def _newest(found: Sequence[Progress]) -> dict[str, Progress]:
    """The backfill of each account that runs, else the one that read most."""
    chosen: dict[str, Progress] = {}
    for one in found:
        if one.account not in chosen or one.run.status is Status.RUNNING:
            chosen[one.account] = one
    return chosen


def _refused(progress: Progress | None) -> tuple[TypeProgress, ...]:
    if progress is None:
        return ()
    return tuple(one for one in progress.types if one.status is TypeStatus.FAILED and one.error)


def _account(slug: str) -> Account:
    """An account of our own by its name in addresses. Raises ``AccountUnknown``."""
    found = next((one for one in accounts.accounts() if one.slug == slug and one.parent_id is None), None)
    if found is None:
        raise AccountUnknown(f"There is no account {slug[:80]}.", hint="All of them are listed under Connections.")
    return found


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponseBase:
    """``/connections/new``: connect an account; its key is kept encrypted and shown to nobody."""
    given = {name: request.POST.get(name, "").strip()[:LONGEST_KEY] for name in ("name", "key", "secret")}
    if request.method != "POST":
        return _form(request, {})
    secrets = [given["secret"]] if given["secret"] else []
    try:
        accounts.check(
            name=given["name"],
            api_key=given["key"],
            webhook_secrets=secrets,
            livemode=None,
            access=None,
            api_base=None,
        )
        probed = probing.look(given["key"]) if given["key"] else None
        account = accounts.connect(
            name=given["name"],
            api_key=given["key"],
            webhook_secrets=secrets,
            livemode=None,
            access=None,
            api_base=None,
            stripe_account_id=probed.stripe_account_id if probed else None,
            sealer=installation.sealer(),
            by=acting(request),
        )
        if probed is not None and backfills.last(account) is None:
            backfills.start(account=account, by=acting(request))
    except (Refused, Conflict, Unavailable) as error:
        return _form(request, given, error=error)
    messages.success(
        request, _("%(account)s is connected. Everything that it has is being read.") % {"account": account.slug}
    )
    return _back()


def _form(request: HttpRequest, given: dict[str, str], *, error: TrueupError | None = None) -> HttpResponseBase:
    """The page to connect an account with; a key that was typed is not written into it again."""
    context: dict[str, Any] = {
        "name": given.get("name", ""),
        "error": error,
        "address": request.build_absolute_uri(PREFIX),
        "probed": None,
    }
    status = 200 if error is None else error.status
    return respond(request, "console/connection_new.html", context, frame=shell("connections"), status=status)


@require_POST
def look(request: HttpRequest) -> HttpResponseBase:
    """``/connections/look``: what a key may do, before it is kept; nothing of it is stored or shown."""
    known = next((one for one in accounts.accounts() if one.slug == request.POST.get("account", "")), None)
    key = request.POST.get("key", "").strip()[:LONGEST_KEY]
    context: dict[str, Any] = {"probed": None, "error": None, "known": known}
    try:
        context["probed"] = probing.look(key, api_base=known.api_base if known else None)
    except (Refused, Unavailable) as error:
        context["error"] = error
    if wants_part(request):
        return respond_part(request, "console/parts/connection_probed.html", context)
    return respond(request, "console/connection_looked.html", context, frame=shell("connections"))


@require_http_methods(["GET", "HEAD", "POST"])
def key(request: HttpRequest, slug: str) -> HttpResponseBase:
    """``/connections/{slug}/key``: change the key of an account; one of another Stripe account is refused."""
    account = _account(slug)
    context: dict[str, Any] = {"account": account, "error": None, "probed": None}
    if request.method == "POST":
        given = request.POST.get("key", "").strip()[:LONGEST_KEY]
        try:
            probed = probing.look(given, api_base=account.api_base)
            accounts.connect(
                name=account.slug,
                api_key=given,
                webhook_secrets=[],
                livemode=None,
                access=None,
                api_base=account.api_base,
                stripe_account_id=probed.stripe_account_id,
                sealer=installation.sealer(),
                by=acting(request),
            )
        except (Refused, Conflict, Unavailable) as error:
            context["error"] = error
        else:
            messages.success(request, _("%(account)s is read with the new key from now on.") % {"account": slug})
            return _back()
    status = 200 if context["error"] is None else context["error"].status
    return respond(request, "console/connection_key.html", context, frame=shell("connections"), status=status)


@require_POST
def backfill(request: HttpRequest, slug: str) -> HttpResponseBase:
    """``/connections/{slug}/backfill``: read all of an account, or some types, or since a day; or end or resume it."""
    account, by = backfills.account_of(slug), acting(request)
    try:
        match request.POST.get("act", ""):
            case "cancel":
                backfills.cancel(account=account, by=by)
                messages.success(request, _("The backfill was ended. What it read stays read."))
            case "resume":
                backfills.resume(account=account, by=by)
            case _:
                types = [one[:100] for one in request.POST.getlist("type") if one]
                run = backfills.start(account=account, types=types, since=_since(request), by=by)
                if not backfills.reads(run, types=types, since=_since(request)):
                    messages.info(
                        request, _("Another backfill runs, which reads less. Start this one once it is over.")
                    )
    except (Refused, Conflict) as error:
        messages.error(request, error.message)
    return _back()


def _since(request: HttpRequest) -> int | None:
    """The day that a form names, as its first second in UTC; None for all there is."""
    given = request.POST.get("since", "").strip()
    if not given:
        return None
    try:
        return int(datetime.fromisoformat(given[:10]).replace(tzinfo=UTC).timestamp())
    except ValueError:
        raise Refused(
            _("%(given)s is no day.") % {"given": given[:40]},
            code="parameter_invalid",
            hint=_("Write it as 2026-11-03."),
        ) from None


def _back() -> HttpResponseBase:
    return HttpResponseRedirect(reverse("console:connections"))
