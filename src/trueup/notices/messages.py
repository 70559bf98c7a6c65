"""A message: what happened to which customers, in the reader's language, for each channel.

What nobody chose to show, and what the reader may not see, is not in it: a customer without name is its id at Stripe.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from functools import cache
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.template.loader import render_to_string
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from trueup.connectors.slack.client import escaped
from trueup.kernel import locales
from trueup.kernel.modes import mode_name
from trueup.kernel.money import Money
from trueup.kernel.records import Record
from trueup.notices import rules, words
from trueup.notices.types import Change, Kind

LONGEST_NAME: Final = 120
MOST_LINES: Final = 40
"""Customers that a digest lists; the console has all."""
_STATES: Final = frozenset(
    {
        *(Kind.STARTED, Kind.TRIALING, Kind.PAST_DUE, Kind.UNPAID, Kind.RECOVERED, Kind.PAUSED, Kind.CANCELED),
        Kind.STAGE,
    }
)


class About(Record, frozen=True):
    """The customer of a change, as far as the reader may see it."""

    id: str
    stripe_id: str
    name: str
    """Empty where it is not shown."""
    email: str
    plan: str
    account: str
    livemode: bool
    url: str


class Line(Record, frozen=True):
    """What a message says of one subscription, payment or customer."""

    title: str
    """Who, by name or by id."""
    told: str
    """What happened, in two or three words."""
    tone: str
    path: str
    """The states that it went through, with arrows; empty where there were none."""
    detail: str
    url: str
    at: datetime


class Message(Record, frozen=True):
    """A message before it is put into the words of a channel."""

    subject: str
    lines: tuple[Line, ...]
    more: int
    """How many customers are left out."""
    test_mode: bool
    rule: str
    settings_url: str


class Preview(Record, frozen=True):
    """What a rule would send: as a person reads it, and the body for a program where its channel is a webhook."""

    message: Message
    event: dict[str, Any] | None


def message(
    changes: Sequence[tuple[Change, About]],
    *,
    rule: str,
    language: str,
    zone: str,
    settings_url: str,
    money: bool = True,
) -> Message:
    """Say what happened, in a language and zone; without ``money`` no amounts."""
    with translation.override(language or None):
        found: dict[tuple[str, str, bool], list[tuple[Change, About]]] = {}
        for change, about in changes:
            # Statuses of one subscription are told as the path that it took.
            found.setdefault((about.id, change.subject, change.kind in _STATES), []).append((change, about))
        lines = [_line(steps, zone=zone, money=money) for steps in found.values()]
        shown = tuple(lines[:MOST_LINES])
        customers = {about.id: about for _change, about in changes}
        return Message(
            subject=_subject(shown, len(customers)),
            lines=shown,
            more=len(lines) - len(shown),
            test_mode=any(not about.livemode for about in customers.values()),
            rule=rule,
            settings_url=settings_url,
        )


def _subject(lines: Sequence[Line], customers: int) -> str:
    if len(lines) == 1:
        return _("%(who)s: %(what)s") % {"who": lines[0].title, "what": lines[0].told}
    return ngettext("%(changes)d changes of one customer", "%(changes)d changes of %(number)d customers", customers) % {
        "changes": len(lines),
        "number": customers,
    }


def _line(steps: Sequence[tuple[Change, About]], *, zone: str, money: bool) -> Line:
    last, about = steps[-1]
    said = words.KINDS[last.kind]
    path = [words.state(one) for one in rules.paths((one.before, one.after) for one, _about in steps)]
    parts = [about.plan, _moment(last, zone), _amount(last.amount, last.kind) if money else "", about.email]
    if last.kind is Kind.PAYMENT_FAILED and last.after:
        parts.insert(1, last.after.replace("_", " "))
    return Line(
        title=about.name[:LONGEST_NAME] or about.stripe_id,
        told=str(said.told),
        tone=said.tone,
        path=" → ".join(path) if last.kind in _STATES and len(path) > 1 else "",
        detail=" · ".join(part for part in parts if part),
        url=about.url,
        at=last.at,
    )


def _moment(change: Change, zone: str) -> str:
    """When it ends, where it is about an end that is known."""
    told = change.after
    if change.kind not in {Kind.CANCEL_SCHEDULED, Kind.TRIAL_ENDING} or not told.isdecimal() or int(told) < 2:
        return ""
    at = datetime.fromtimestamp(int(told), tz=UTC).astimezone(ZoneInfo(zone))
    return _("ends on %(day)s") % {"day": date_format(at, "DATE_FORMAT")}


def _amount(amount: Money | None, kind: Kind) -> str:
    if amount is None:
        return ""
    told = locales.money(amount, translation.get_language() or "en")
    if kind in {Kind.PAYMENT_FAILED, Kind.TRIAL_ENDING}:
        return told
    return _("%(amount)s a month") % {"amount": told}


def html(told: Message, *, language: str) -> str:
    """The message as a whole page, light and dark, that needs nothing from elsewhere."""
    with translation.override(language or None):
        return render_to_string("notices/mail.html", {"message": told, "style": style(), "language": language or "en"})


def text(told: Message, *, language: str) -> str:
    """The message as plain text."""
    with translation.override(language or None):
        lines = [
            f"{one.title}: {one.told}" + _below(one.path) + _below(one.detail) + _below(one.url) for one in told.lines
        ]
        if told.more:
            lines.append(_more(told.more))
        return "\n\n".join([*lines, _foot(told), told.settings_url]) + "\n"


def _below(words_below: str) -> str:
    return f"\n{words_below}" if words_below else ""


def _more(number: int) -> str:
    return ngettext("And %(number)d more.", "And %(number)d more.", number) % {"number": number}


def _foot(told: Message) -> str:
    foot = _("Sent by Trueup, because of the rule “%(rule)s”.") % {"rule": told.rule}
    return f"{_('Test mode.')} {foot}" if told.test_mode else foot


@cache
def style() -> str:
    """How the message looks; the preview in the console uses it too."""
    return (Path(__file__).parent / "templates" / "notices" / "mail.css").read_text(encoding="utf-8")


def mail(told: Message, *, sender: str, mailbox: str, id: str, now: datetime, language: str) -> EmailMessage:  # noqa: A002
    """The message as a mail. The same ``id`` gives the same Message-ID, so that one that came twice is known."""
    written = EmailMessage()
    written["From"], written["To"] = sender, mailbox
    written["Subject"] = " ".join(told.subject.split())
    written["Date"] = format_datetime(now)
    written["Message-ID"] = f"<{id}@{sender.rpartition('@')[2]}>"
    written["Auto-Submitted"] = "auto-generated"
    written.set_content(text(told, language=language), cte="quoted-printable")
    written.add_alternative(html(told, language=language), subtype="html", cte="quoted-printable")
    return written


def slack(told: Message, *, language: str) -> dict[str, Any]:
    """The message as Slack takes it: a text for notifications, and blocks."""
    with translation.override(language or None):
        blocks: list[dict[str, Any]] = []
        if len(told.lines) > 1:
            blocks.append({"type": "header", "text": {"type": "plain_text", "text": told.subject[:150]}})
        blocks += [_block(one) for one in told.lines]
        if told.more:
            blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": _more(told.more)}})
        foot = {"type": "mrkdwn", "text": escaped(_foot(told))}
        return {"text": escaped(told.subject), "blocks": [*blocks, {"type": "context", "elements": [foot]}]}


_SIGNS: Final = {"good": ":large_green_circle:", "warn": ":large_yellow_circle:", "bad": ":red_circle:"}


def _block(line: Line) -> dict[str, Any]:
    title = f"<{line.url}|{escaped(line.title)}>" if line.url else escaped(line.title)
    head = f"{_SIGNS.get(line.tone, ':large_blue_circle:')} *{title}*: {escaped(line.path or line.told)}"
    words_below = f"\n{escaped(line.detail)}" if line.detail else ""
    return {"type": "section", "text": {"type": "mrkdwn", "text": (head + words_below)[:2900]}}


def event(changes: Sequence[tuple[Change, About]], *, rule_id: int, test: bool) -> dict[str, Any]:
    """The message as programs take it: all that is shown to people, in words that do not change with a language."""
    return {
        "type": "notices.test" if test else "notices.changes",
        "rule": rule_id,
        "changes": [
            {
                "id": change.id,
                "kind": change.kind.value,
                "at": change.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
                "subject": change.subject,
                "before": change.before,
                "after": change.after,
                "amount": None if change.amount is None else change.amount.minor,
                "currency": None if change.amount is None else change.amount.currency,
                "event": change.fact,
                "mode": mode_name(change.livemode),
                "account": about.account,
                "customer": about.id,
                "stripe_customer": about.stripe_id,
                "name": about.name or None,
                "email": about.email or None,
                "url": about.url,
            }
            for change, about in changes
        ],
    }
