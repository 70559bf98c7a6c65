"""``/runbooks``: what to do when something is wrong, as the files of this installation say it."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any, Final

from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

from trueup.inbox.alarms import aside
from trueup.inbox.alarms.types import Alarm
from trueup.inbox.sweep.types import Code
from trueup.kernel.errors import NotFound
from trueup.kernel.records import Record
from trueup.web.console.page import respond, shell

FOLDER: Final = Path(__file__).resolve().parents[1] / "runbooks"
FIRST: Final = "README"
"""The file that says which of the others is for what."""
_CLASSES: Final = {"table_open": "tbl stuck", "td_open": "wrap"}
_LINK: Final = re.compile(r"([A-Za-z-]+)\.md(#[\w-]*)?\Z")

OF_ALARMS: Final[dict[str, str]] = {
    **dict.fromkeys(
        (
            *(Code.ENDPOINT_DEAD, Code.WEBHOOKS_SILENT, Code.ENDPOINT_MISSING, Code.ENDPOINT_DISABLED),
            Code.EVENTS_MISSED,
        ),
        "dead-endpoint",
    ),
    **dict.fromkeys((Code.EVENTS_LOST, Code.CURSOR_OLD, "drift", "reconcile_incomplete"), "drift"),
    **dict.fromkeys((aside.SET_ASIDE, aside.QUARANTINED), "poison-event"),
    **dict.fromkeys(("backup_old", "audit_copy_unwritten", "audit_copy_damaged"), "restore"),
}
"""Which runbook is for an alarm, by its code; those of the audit log are in one, and all others begin at the first."""


class Runbook(Record, frozen=True):
    """One runbook: its name in the address, its heading, and the page."""

    name: str
    title: str
    html: SafeString


def of_alarm(alarm: Alarm) -> str:
    """The name of the runbook for an alarm; empty where none is for it alone."""
    return OF_ALARMS.get(alarm.code) or ("audit" if alarm.code.startswith("audit_") else "")


@cache
def names() -> tuple[str, ...]:
    """What there is, without the first."""
    return tuple(sorted(file.stem for file in FOLDER.glob("*.md") if file.stem != FIRST))


@cache
def runbook(name: str) -> Runbook:
    """One runbook by its name; ``NotFound`` for one that there is not. No HTML of a file reaches the page."""
    if name not in {*names(), FIRST}:
        raise NotFound(
            f"There is no runbook {name[:80]}.", code="runbook_unknown", hint="All of them are listed under Runbooks."
        )
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = reader.parse((FOLDER / f"{name}.md").read_text(encoding="utf-8"))
    title = next((one.content for one in tokens if one.type == "inline"), name)
    for token in tokens:
        if token.type == "inline":
            token.children = _linked(token.children or [])
        elif token.type in _CLASSES:
            token.attrSet("class", _CLASSES[token.type])
    # What stands before the page's own heading is its heading.
    body = reader.renderer.render(tokens[3:], reader.options, {})
    return Runbook(name=name, title=title, html=mark_safe(body))  # noqa: S308 - made from our files, HTML in them escaped


def _linked(tokens: list[Token]) -> list[Token]:
    """Links to other runbooks lead to their pages; what leads to other files is text, since they are not here."""
    kept: list[Token] = []
    dropping, named = False, ""
    for token in tokens:
        if token.type == "link_open":
            target = str(token.attrGet("href") or "")
            found = _LINK.match(target)
            if found and found[1] in {*names(), FIRST}:
                token.attrSet("href", address(found[1]) + (found[2] or ""))
                named = found[1]
            elif not target.startswith("https://"):
                dropping = True
                continue
        elif token.type == "link_close":
            named = ""
            if dropping:
                dropping = False
                continue
        elif named and token.content == f"{named}.md":
            # A reader knows headings, and no files.
            token.content = _heading(named)
        kept.append(token)
    return kept


@cache
def _heading(name: str) -> str:
    """The heading of a runbook, which is its first line."""
    with (FOLDER / f"{name}.md").open(encoding="utf-8") as file:
        return file.readline().lstrip("# ").strip()


def address(name: str) -> str:
    """Where a runbook is read."""
    return reverse("console:runbooks") if name == FIRST else reverse("console:runbook", args=[name])


def linked(text: str) -> SafeString | None:
    """A link to the runbook that a path such as ``docs/runbooks/drift.md`` names; None where it names none of ours."""
    name = text.removeprefix("docs/runbooks/").removesuffix(".md")
    if f"docs/runbooks/{name}.md" != text or name not in {*names(), FIRST}:
        return None
    return format_html('<a href="{}">{}</a>', address(name), runbook(name).title)


@require_safe
def listing(request: HttpRequest) -> HttpResponseBase:
    """``/runbooks``: which one is for what."""
    return _show(request, FIRST)


@require_safe
def detail(request: HttpRequest, name: str) -> HttpResponseBase:
    """``/runbooks/{name}``: one of them."""
    return _show(request, name)


def _show(request: HttpRequest, name: str) -> HttpResponseBase:
    context: dict[str, Any] = {
        "runbook": runbook(name),
        "others": [runbook(one) for one in names()],
        "first": name == FIRST,
        "heading": _("Runbooks") if name == FIRST else runbook(name).title,
    }
    return respond(request, "console/runbook.html", context, frame=shell("truth"))
