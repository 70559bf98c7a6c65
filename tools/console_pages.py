"""Every page of the console, once: what is looked at for accessibility, layout, language, and in pictures.

``tests/browser`` walks them, ``tools.screenshots`` pictures them. A page that is added to the console is added here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from playwright.sync_api import Page

from trueup.operators.types import Role


class Place(NamedTuple):
    """A page: the name of its picture, and its address. ``whole`` asks for a picture of all its height."""

    name: str
    path: str
    """``{customer}`` and the like stand for addresses that ``found`` finds."""
    whole: bool = False


PAGES: Final[tuple[Place, ...]] = (
    Place("home", "/"),
    *(Place(f"home-{role.value}", f"/home/{role.value}") for role in (Role.SALES, Role.OPS, Role.AUDITOR)),
    Place("customers", "/customers"),
    Place("customers-columns", "/customers?owner=none&mrr_from=1&col=status&col=owner&col=trial"),
    Place("customers-trialing", "/customers?stage=trialing"),
    Place("customers-no-match", "/customers?q=nobody-has-this-name"),
    Place("customers-assign", "/customers/assign?stage=active"),
    Place("customer-active", "{customer}", whole=True),
    Place("customer-past-due", "{late}", whole=True),
    Place("customer-trialing", "{trialing}"),
    Place("customer-why", "{customer}/why/mrr"),
    Place("customer-state", "{customer}/state"),
    Place("customer-billing", "{late}/billing", whole=True),
    Place("customer-upcoming", "{customer}/upcoming"),
    Place("customer-revenue", "{customer}/revenue"),
    Place("customer-people", "{customer}/people"),
    Place("customer-objects", "{customer}/objects"),
    Place("customer-audit", "{customer}/audit"),
    Place("customer-past", "{customer}?as_of=2026-10-20"),
    Place("money-payments", "/money/payments"),
    Place("money-payments-failed", "/money/payments?status=failed&days=365&from=2020-01-01"),
    Place("money-no-match", "/money/refunds?q=nobody-has-this-name"),
    Place("money-failed", "/money/failed?days=any", whole=True),
    Place("money-failed-months", "/money/failed/months"),
    Place("money-invoices", "/money/invoices"),
    Place("money-refunds", "/money/refunds"),
    Place("money-disputes", "/money/disputes?status=to_answer"),
    Place("money-ahead", "/money/ahead", whole=True),
    Place("money-ahead-ends", "/money/ahead?what=ends&days=90"),
    Place("events", "/events"),
    Place("events-type", "/events?type=customer.deleted"),
    Place("events-set-aside", "/events?state=set_aside"),
    Place("event", "{event}", whole=True),
    Place("quarantine", "/events/quarantine"),
    Place("issues", "/issues"),
    Place("replays", "/replays"),
    Place("replay-new", "/replays/new?type=customer.deleted", whole=True),
    Place("drift", "/drift", whole=True),
    Place("drift-cell", "/drift/cell?type=subscription"),
    Place("connections", "/connections", whole=True),
    Place("connection-new", "/connections/new"),
    Place("connection-key", "/connections/demo/key"),
    Place("runbooks", "/runbooks", whole=True),
    Place("runbook", "/runbooks/drift", whole=True),
    Place("alarms", "/alarms", whole=True),
    Place("truth", "/truth", whole=True),
    Place("differences", "/truth/differences"),
    Place("audit", "/audit"),
    Place("audit-no-match", "/audit?actor=nobody"),
    Place("audit-entry", "/audit/entries/1", whole=True),
    Place("audit-open", "/audit/entries/1/open", whole=True),
    Place("audit-verification", "/audit/verification", whole=True),
    Place("audit-checkpoints", "/audit/live/checkpoints"),
    Place("audit-export", "/audit/export"),
    Place("audit-access", "/audit/access"),
    Place("audit-access-no-match", "/audit/access?customer=cus_nobody"),
    Place("inbox", "/inbox"),
    Place("settings-team", "/settings/team"),
    Place("settings-person", "/settings/team/1", whole=True),
    Place("settings-roles", "/settings/roles", whole=True),
    Place("settings-sso", "/settings/sso"),
    Place("settings-sso-new", "/settings/sso/new/saml", whole=True),
    Place("settings-tokens", "/settings/tokens"),
    Place("settings-accounts", "/settings/accounts"),
    Place("settings-branding", "/settings/branding", whole=True),
    Place("settings-notifications", "/settings/notifications"),
    Place("settings-notifications-new", "/settings/notifications/new", whole=True),
    Place("settings-notifications-deliveries", "/settings/notifications/deliveries?status=failed"),
    Place("notifications", "/account/notifications"),
    Place("settings-language", "/settings/language"),
    Place("settings-configuration", "/settings/configuration"),
    Place("signing-in", "/account/security", whole=True),
    Place("search", "/search?q=a"),
    Place("help-keyboard", "/help/keyboard", whole=True),
    Place("gallery", "/gallery", whole=True),
    Place("not-found", "/no-such-page"),
)
"""In the order of the navigation."""

_FIRST: Final[Mapping[str, str]] = {
    "customer": "/customers?stage=active&sort=-mrr",
    "late": "/customers?stage=past_due",
    "trialing": "/customers?stage=trialing",
    "event": "/events?type=customer.created",
}
"""Lists whose first row is the page that is meant."""


def found(page: Page, url: str = "") -> dict[str, str]:
    """Addresses of a customer and an event that exist, as somebody who signed in finds them below ``url``."""
    places = {}
    for name, address in _FIRST.items():
        page.goto(url + address)
        places[name] = str(page.locator("a[data-row]").first.get_attribute("href"))
    return places


def addresses(places: Mapping[str, str]) -> Iterator[tuple[Place, str]]:
    """Every page with an address that exists."""
    for one in PAGES:
        yield one, one.path.format_map(places)
