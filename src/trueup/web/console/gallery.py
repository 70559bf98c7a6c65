"""``/gallery``: every component of the console in every state, light and dark side by side, for whoever builds pages.

The components are written by the templates that pages include; what a page writes itself stands in ``gallery/``. All
names and amounts are invented.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from django.http import HttpRequest, HttpResponseBase
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe
from typing_extensions import override

from trueup.customer import service as customers
from trueup.customer.types import Entry, EntryActor, EntryActorKind, Kind, Stage, Tone
from trueup.inbox.types import State
from trueup.kernel.errors import Conflict
from trueup.kernel.records import Record
from trueup.mirror.types import FieldChange
from trueup.runtime import clock
from trueup.web.console import charts, formats, payload
from trueup.web.console.customer import Day
from trueup.web.console.customer_words import INVOICES, OUTCOMES
from trueup.web.console.customers import Tab
from trueup.web.console.page import respond, shell
from trueup.web.console.words import DIFFERENCES, SUBSCRIPTION_STATUSES, Label

_NAMED: Final = re.compile(r'\b(id|for|form|aria-labelledby|aria-describedby|aria-controls|popovertarget)="([^"]+)"')
_AIMED: Final = re.compile(r'\b(data-copy-from|hx-target|href)="#([^"]+)"')
_LABEL: Final = re.compile(r'\baria-label="([^"]*)"')
_CHOICE: Final = re.compile(r'(type="radio" name=)"([^"]+)"')


class Specimen(Record, frozen=True):
    """One component in one state, as light and as dark."""

    name: Label
    light: SafeString
    dark: SafeString


class Group(Record, frozen=True):
    """Specimens of one kind."""

    slug: str
    name: Label
    specimens: tuple[Specimen, ...]


class Message(Record, frozen=True):
    """What Django would have put up for the next page."""

    tags: str
    text: Label

    @override
    def __str__(self) -> str:
        return str(self.text)


def apart(html: str, mark: str) -> str:
    """The same HTML with ids and labels of its own, so that it can stand beside another copy of it."""
    html = _NAMED.sub(
        lambda found: f'{found[1]}="{" ".join(f"{name}-{mark}" for name in found[2].split())}"',
        html,
    )
    html = _AIMED.sub(rf'\1="#\2-{mark}"', html)
    html = _CHOICE.sub(rf'\1"\2-{mark}"', html)
    return _LABEL.sub(rf'aria-label="\1 ({mark})"', html)


@require_safe
def page(request: HttpRequest) -> HttpResponseBase:
    """``/gallery``."""
    now = clock.now()
    common = {"now": now, "may": frozenset({"personal.payload", "personal.contact"}), "shell": shell("gallery")}
    groups = []
    for slug, name, specimens in _groups(now):
        shown = []
        for place, (label, template, context) in enumerate(specimens):
            html = render_to_string(f"console/{template}", common | dict(context), request)
            light, dark = (SafeString(apart(html, f"{slug}-{place}-{theme}")) for theme in ("light", "dark"))
            shown.append(Specimen(name=label, light=light, dark=dark))
        groups.append(Group(slug=slug, name=name, specimens=tuple(shown)))
    return respond(request, "console/gallery.html", {"groups": groups}, frame=shell("gallery"))


_Specimens = list[tuple[Label, str, Mapping[str, Any]]]


def _groups(now: datetime) -> Iterator[tuple[str, str | Promise, _Specimens]]:
    looks = [*SUBSCRIPTION_STATUSES.values(), *INVOICES.values(), *OUTCOMES.values(), *DIFFERENCES.values()]
    yield (
        "chips",
        _("Chips and badges"),
        [
            (_("Stages"), "gallery/stages.html", {"stages": list(Stage)}),
            (_("States of events"), "gallery/event_states.html", {"states": list(State)}),
            (_("Statuses and outcomes"), "gallery/looks.html", {"looks": looks}),
            (_("Counts, mode and live"), "gallery/badges.html", {}),
        ],
    )
    yield (
        "buttons",
        _("Buttons"),
        [
            (_("Kinds and states"), "gallery/buttons.html", {}),
            (_("An id that can be copied"), "parts/copy_id.html", {"id": "cus_QxYzAbCdEfGhIj"}),
            (_("Asked before it is done"), "gallery/ask.html", {}),
        ],
    )
    yield "told", _("What is told"), _told()
    yield (
        "forms",
        _("Forms"),
        [
            (_("Fields"), "gallery/form.html", {}),
            (_("Refused"), "gallery/form.html", {"wrong": True}),
            (_("Typed to confirm"), "gallery/typed.html", {}),
            (_("Filters"), "gallery/filters.html", {}),
        ],
    )
    yield "lists", _("Lists"), _lists(now)
    yield "figures", _("Figures"), _figures()
    yield "time", _("What happened"), _happened(now)
    yield "data", _("Data"), _data()


def _told() -> _Specimens:
    error = Conflict("This address is invited already.", hint="Make a new link for it instead.")
    reasons = ("insufficient_funds", "expired_card", "stolen_card")
    return [
        (_("It was done"), "settings/told.html", {"messages": [Message(tags="success", text=_("Saved."))]}),
        (_("It was refused"), "settings/told.html", {"error": error}),
        (_("Four tones"), "gallery/callouts.html", {}),
        (_("Over the page"), "parts/failed.html", {"error": error, "heading": _("That cannot be shown")}),
        *(
            (_("A payment failed"), "parts/failure_told.html", {"failure_told": customers.reason_told(one)})
            for one in reasons
        ),
    ]


def _lists(now: datetime) -> _Specimens:
    tabs = [
        Tab(label=_("All"), count=3_412, current=True, url="/gallery"),
        Tab(label=_("Past due"), count=17, current=False, url="/gallery"),
        Tab(label=_("Churned"), count=0, current=False, url="/gallery"),
    ]
    pager = {"first": 1, "last": 50, "found": {"total": 3_412}}
    nothing: dict[str, Any] = {"rows": (), "stats": {"waiting": 0}}
    return [
        (_("Tabs"), "parts/customers_tabs.html", {"tabs": tabs}),
        (_("A table"), "gallery/table.html", {"then": now - timedelta(hours=3)}),
        (_("First page"), "parts/pager.html", {**pager, "next_url": "/gallery"}),
        (_("A later page"), "parts/pager.html", {**pager, "next_url": "/gallery", "first_url": "/gallery"}),
        (_("Nothing matches"), "parts/customers_list.html", {**nothing, "filtered": True}),
        (_("Nothing yet"), "parts/customers_list.html", {**nothing, "shell": {"accounts": ()}}),
        (_("On its way"), "gallery/waiting.html", {}),
    ]


def _figures() -> _Specimens:
    calm = {"events_24h": 1_204, "waiting": 0, "awaiting_fetch": 0, "set_aside": 0, "quarantined": 0}
    trouble = {"events_24h": 0, "waiting": 91_000, "awaiting_fetch": 12, "set_aside": 3, "quarantined": 1}
    months = [formats.month(datetime(2026, month, 1, 12, tzinfo=clock.now().tzinfo)) for month in range(1, 7)]

    def told(minor: int) -> str:
        return formats.money(minor, "eur")

    kept = charts.Series(label=_("Recovered"), css="good", values=(120_00, 80_00, 160_00, 0, 210_00, 90_00))
    lost = charts.Series(label=_("Lost"), css="bad", values=(40_00, 0, 30_00, 75_00, 20_00, 60_00))
    return [
        (_("All is well"), "parts/events_figures.html", {"stats": calm}),
        (_("Something is wrong"), "parts/events_figures.html", {"stats": trouble}),
        (
            _("Columns"),
            "parts/chart.html",
            {"chart": charts.columns(_("Failed payments"), _("Month"), months, (kept, lost), told=told)},
        ),
        (_("A line"), "parts/chart.html", {"chart": charts.line(_("MRR"), _("Month"), months, kept, told=told)}),
        (_("Progress"), "gallery/progress.html", {}),
    ]


def _happened(now: datetime) -> _Specimens:
    told = (
        (Kind.PAYMENT, Tone.GOOD, "Payment of $49.00 succeeded", "", "charge"),
        (Kind.PAYMENT, Tone.BAD, "Payment of $49.00 failed: insufficient funds", "Trying again may help", "charge"),
        (Kind.SUBSCRIPTION, Tone.WARN, "Will cancel on May 26, 2026", "Feedback: too expensive", "subscription"),
        (Kind.METHOD, Tone.PLAIN, "Payment method added: Visa ending 4242", "", "payment_method"),
    )
    entries = tuple(
        Entry(
            at=now - timedelta(hours=place),
            created=int(now.timestamp()) - place * 3600,
            event_id=f"evt_Gallery{place}",
            event_type=f"{kind}.updated",
            object_type=kind,
            object_id=f"{kind[:2]}_Gallery{place}",
            kind=shape,
            tone=tone,
            title=title,
            detail=detail,
            actor=EntryActor(kind=EntryActorKind.STRIPE, told="by Stripe itself"),
        )
        for place, (shape, tone, title, detail, kind) in enumerate(told)
    )
    customer = {"customer": {"id": "tc_gallery"}}
    return [
        (_("Timeline"), "gallery/timeline.html", {**customer, "days": [Day(heading=now, entries=entries)]}),
        (_("Nothing yet"), "gallery/timeline.html", {**customer, "days": []}),
        (_("Nothing of this kind"), "gallery/timeline.html", {**customer, "days": [], "kinds": {"payment"}}),
    ]


def _data() -> _Specimens:
    changes = [
        FieldChange(path="items.data[si_1PQRsTuVwXyZaBcDeFgHiJkLm].quantity", before=5, after=8),
        FieldChange(path="cancel_at_period_end", before=None, after=True),
        FieldChange(path="metadata.note", before="A note that goes on and on. " * 5, after=None, cut=True),
    ]
    body = msgspec.json.encode({"id": "cus_1", "balance": -500, "delinquent": False, "phone": None})
    return [
        (_("What changed"), "parts/customer_changes.html", {"changes": changes, "gone": 2}),
        (_("Nothing changed"), "parts/customer_changes.html", {"changes": [], "gone": 0}),
        (_("A body"), "gallery/json.html", {"body": payload.html(body)}),
        (_("A drawer"), "gallery/drawer.html", {"part": True, "body": payload.html(body)}),
        (_("Found nothing"), "parts/hits.html", {"q": "acme", "customers": (), "events": ()}),
    ]
