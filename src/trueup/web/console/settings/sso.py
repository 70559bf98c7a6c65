"""``/settings/sso``: providers that vouch for people, whom they let in and as what, and a way to try each."""

from __future__ import annotations

from typing import Any, Final

from cryptography import x509
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from trueup.kernel.errors import Refused, TrueupError
from trueup.operators import ranks
from trueup.operators.approvals import service as approvals
from trueup.operators.sso import service as sso
from trueup.operators.sso.types import Connection, Given, Kind, Purpose, Without
from trueup.operators.types import Role
from trueup.runtime import clock
from trueup.web.console import sso_asking as way
from trueup.web.console.reader import acting
from trueup.web.console.settings.frame import show
from trueup.web.console.team_words import ROLES
from trueup.web.console.words import Label

SECTION: Final = "settings-sso"
KINDS: Final[dict[Kind, Label]] = {
    Kind.OIDC: gettext_lazy("OpenID Connect"),
    Kind.SAML: gettext_lazy("SAML 2.0"),
}
LONGEST: Final = 2000
LONGEST_METADATA: Final = 1 << 20
MOST_LINES: Final = 250


@require_safe
def listing(request: HttpRequest) -> HttpResponseBase:
    """``/settings/sso``: all providers."""
    rows = [(one, KINDS[one.kind]) for one in sso.connections()]
    return show(request, SECTION, "sso.html", {"rows": rows})


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, kind: str) -> HttpResponseBase:
    """``/settings/sso/new/oidc``: a form; a POST keeps a provider, switched off."""
    speaks = Kind.SAML if kind == Kind.SAML.value else Kind.OIDC
    if request.method != "POST":
        return _form(request, None, _blank(speaks))
    given: Given | None = None
    try:
        given = read(request, speaks)
        made = sso.add(given=given, by=acting(request))
    except Refused as error:
        return _form(request, None, given or _blank(speaks), error=error)
    messages.success(request, _("The provider is kept, switched off. Enter our addresses there, and try it."))
    return _back(made.id)


def _blank(kind: Kind) -> Given:
    return Given(name="", kind=kind, groups_claim="groups", factor_words=sso.FACTOR_WORDS)


@require_http_methods(["GET", "HEAD", "POST"])
def detail(request: HttpRequest, connection_id: int) -> HttpResponseBase:
    """``/settings/sso/7``: one provider; a POST changes it."""
    found = sso.connection(connection_id)
    if request.method != "POST":
        return _form(request, found, _as_given(found))
    given: Given | None = None
    try:
        given = read(request, found.kind)
        sso.change(connection_id=connection_id, given=given, by=acting(request))
    except Refused as error:
        return _form(request, found, given or _as_given(found), error=error)
    messages.success(request, _("The provider is changed."))
    return _back(connection_id)


def _as_given(found: Connection) -> Given:
    return Given(
        name=found.name,
        kind=found.kind,
        issuer=found.issuer,
        client_id=found.client_id,
        metadata_url=found.metadata_url,
        domains=found.domains,
        makes_people=found.makes_people,
        groups_claim=found.groups_claim,
        groups=found.groups,
        without_group=found.without_group,
        is_required=found.is_required,
        provider_factor=found.provider_factor,
        factor_words=found.factor_words,
    )


def read(request: HttpRequest, kind: Kind) -> Given:
    """What a form says; ``Refused`` for a line that cannot be read."""

    def field(name: str) -> str:
        return str(request.POST.get(name, "")).strip()[:LONGEST]

    is_oidc = kind is Kind.OIDC
    return Given(
        name=field("name"),
        kind=kind,
        issuer=field("issuer") if is_oidc else "",
        client_id=field("client_id") if is_oidc else "",
        client_secret=field("client_secret") if is_oidc else "",
        metadata_url="" if is_oidc else field("metadata_url"),
        metadata="" if is_oidc else str(request.POST.get("metadata", "")).strip()[:LONGEST_METADATA],
        domains=tuple(one.lower().lstrip("@") for one in _lines(request, "domains")),
        makes_people="makes_people" in request.POST,
        groups_claim=field("groups_claim"),
        groups=tuple(map(_group, _lines(request, "groups"))),
        without_group=Without.KEEP if field("without_group") == Without.KEEP.value else Without.REFUSE,
        is_required="is_required" in request.POST,
        provider_factor="provider_factor" in request.POST,
        factor_words=tuple(_lines(request, "factor_words")),
    )


def _lines(request: HttpRequest, name: str) -> list[str]:
    lines = (line.strip() for line in str(request.POST.get(name, "")).splitlines()[:MOST_LINES])
    return list(dict.fromkeys(line[:LONGEST] for line in lines if line))


def _group(line: str) -> tuple[str, tuple[Role, ...]]:
    """``engineering = developer, ops``. The last sign counts, because names of groups may have one."""
    group, equals, words = line.rpartition("=")
    named = [word.strip().lower() for word in words.split(",")]
    unknown = [word for word in named if word not in set(Role)]
    if not equals or not group.strip() or unknown:
        raise Refused(
            _("The line %(line)s gives no role.") % {"line": line[:80]},
            code="sso_group_invalid",
            hint=_("Write the group, = and roles, such as: engineering = developer, ops"),
        )
    return group.strip(), tuple(role for role in Role if role.value in named)


def _form(
    request: HttpRequest, found: Connection | None, given: Given, *, error: TrueupError | None = None
) -> HttpResponseBase:
    waiting = None
    if found is not None:
        waiting = approvals.waiting_about(kind=sso.SWITCH.name, object_type="sso_connection", object_id=str(found.id))
    callback, entity = ("", "") if found is None else way.addresses(request, found)
    context: dict[str, Any] = {
        "connection": found,
        "given": given,
        "is_oidc": given.kind is Kind.OIDC,
        "kind": KINDS[given.kind],
        "callback": callback,
        "entity": entity,
        "domains": "\n".join(given.domains),
        "groups": "\n".join(f"{group} = {', '.join(roles)}" for group, roles in given.groups),
        "factor_words": "\n".join(given.factor_words),
        "role_names": [(role.value, named.label) for role, named in ROLES.items() if role is not Role.OWNER],
        "certificates": [] if found is None else [_certificate(pem) for pem in found.certificates],
        "waiting": waiting,
        "asks": ranks.needs_another(acting(request), {Role.OWNER}),
    }
    return show(request, SECTION, "sso_connection.html", context, error=error)


def _certificate(pem: str) -> dict[str, Any]:
    """Until when a certificate is good; answers signed with one that is over are refused."""
    until = x509.load_pem_x509_certificate(pem.encode()).not_valid_after_utc
    left = (until - clock.now()).days
    return {"until": until, "over": left < 0, "soon": left < 30}


@require_POST
def switch_on(request: HttpRequest, connection_id: int) -> HttpResponseBase:
    """Let people in by it, or ask another owner to."""
    found = sso.connection(connection_id)
    try:
        came = sso.switch_on(connection_id=connection_id, why=request.POST.get("why", ""), by=acting(request))
    except Refused as error:
        return _form(request, found, _as_given(found), error=error)
    if came.approval_id is None:
        messages.success(request, _("People may sign in with it now."))
    else:
        messages.info(request, _("Another owner was asked. It is switched on as soon as one of them agrees."))
    return _back(connection_id)


@require_POST
def switch_off(request: HttpRequest, connection_id: int) -> HttpResponseBase:
    """Let nobody in by it any more."""
    sso.switch_off(connection_id=connection_id, by=acting(request))
    messages.success(request, _("Nobody signs in with it any more. Whoever is in stays in."))
    return _back(connection_id)


@require_POST
def refresh(request: HttpRequest, connection_id: int) -> HttpResponseBase:
    """Read the metadata again."""
    found = sso.connection(connection_id)
    try:
        sso.refresh(connection_id=connection_id, by=acting(request))
    except TrueupError as error:
        return _form(request, found, _as_given(found), error=error)
    messages.success(request, _("The metadata is read again."))
    return _back(connection_id)


@require_POST
def remove(request: HttpRequest, connection_id: int) -> HttpResponseBase:
    """Forget a provider."""
    found = sso.connection(connection_id)
    try:
        sso.remove(connection_id=connection_id, by=acting(request))
    except Refused as error:
        return _form(request, found, _as_given(found), error=error)
    messages.success(request, _("The provider is removed."))
    return HttpResponseRedirect(reverse("console:settings-sso"))


@require_safe
def try_out(request: HttpRequest, connection_id: int) -> HttpResponseBase:
    """To the provider and back, to see what it says; nothing comes of it, and it may be switched off."""
    here = reverse("console:settings-sso-connection", args=[connection_id])
    return way.begin(request, sso.connection(connection_id), Purpose.TEST, here)


def _back(connection_id: int) -> HttpResponseBase:
    return HttpResponseRedirect(reverse("console:settings-sso-connection", args=[connection_id]))
