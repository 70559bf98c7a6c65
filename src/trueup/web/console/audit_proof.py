"""How the audit log is proved: the badge, the check that somebody asks for, checkpoints, places outside, the policy."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from trueup.audit.anchors import health
from trueup.audit.anchors.health import Health, Light
from trueup.audit.listing import service as listing
from trueup.audit.listing.types import Mode
from trueup.audit.signing import keys, rotation
from trueup.audit.signing.keys import SigningKey
from trueup.audit.verifying import asked
from trueup.audit.verifying import service as verifying
from trueup.audit.verifying.asked import Check
from trueup.audit.verifying.types import LastVerification, Wrong
from trueup.audit.witnesses import places
from trueup.kernel.errors import NotFound
from trueup.kernel.records import Record
from trueup.runtime import database
from trueup.web.console.audit_words import MODES, mode_of
from trueup.web.console.page import address, offset_asked, respond, respond_part, shell, wants_part
from trueup.web.console.words import AUDIT_LIGHTS, AUDIT_PROBLEMS, Label, Look

PAGE: Final = 50
BY_ENTRY: Final = frozenset({Wrong.ENTRY_UNPLACED, Wrong.PENDING_ORPHANED})
"""What is wrong with an entry that has no place: the position is its id."""
BY_SIZE: Final = frozenset(
    {Wrong.CHECKPOINT_MISSING, Wrong.CHECKPOINT_CHANGED, Wrong.NOTE_INVALID, Wrong.WENT_BACK, Wrong.TREE_CHANGED}
)
"""What is wrong at a size of the tree, and with no single entry."""
BY_KEY: Final = frozenset({Wrong.KEY_CHANGED})


class Badge(Record, frozen=True):
    """How the log of a mode stands, in one line."""

    mode: Mode
    label: Label
    health: Health
    look: Look
    last: LastVerification | None
    check: Check | None
    """One that was asked for and goes on."""
    broken_at: str
    """Where the last check found the first broken position, such as ``live/17``; empty where all was well."""
    broken_url: str
    """The page of what stands there."""
    problems: tuple[Label, ...]

    @property
    def share(self) -> int | None:
        """How far the check is, in percent; None while that is not known."""
        return None if self.check is None or not self.check.total else 100 * self.check.done // self.check.total


def badge_of(mode: Mode) -> Badge:
    """The badge of one log."""
    found = health.health(database.connection(), livemode=mode.livemode)
    last = verifying.last(database.connection(), livemode=mode.livemode)
    broken_at, broken_url = _broken(mode, last)
    return Badge(
        mode=mode,
        label=MODES[mode],
        health=found,
        look=AUDIT_LIGHTS[found.light],
        last=last,
        check=asked.standing(livemode=mode.livemode),
        broken_at=broken_at,
        broken_url=broken_url,
        problems=tuple(AUDIT_PROBLEMS.get(one.code, one.message) for one in found.problems),
    )


def badges() -> dict[str, Any]:
    """What the part with the badges shows: the logs that hold something."""
    found = [badge_of(mode) for mode in Mode]
    shown = [one for one in found if one.health.size or one.health.waiting or one.health.problems] or found[:1]
    return {"badges": shown, "checking": any(one.check for one in shown), "lights": Light}


def _broken(mode: Mode, last: LastVerification | None) -> tuple[str, str]:
    """The position as people write it, and the page of what stands there."""
    if last is None or last.verified or last.position is None:
        return "", ""
    if last.code in BY_KEY:
        return f"{mode.value}/{last.position}", reverse("console:audit-verification")
    if last.code in BY_SIZE:
        return f"{mode.value}/{last.position}", reverse("console:audit-checkpoints", args=[mode.value])
    if last.code in BY_ENTRY:
        return str(last.position), reverse("console:audit-entry", args=[last.position])
    return f"{mode.value}/{last.position}", reverse("console:audit-at", args=[mode.value, last.position])


@require_safe
def badge(request: HttpRequest) -> HttpResponseBase:
    """``/audit/badge``: the badges alone, asked for each second while a check goes on."""
    if not wants_part(request):
        return HttpResponseRedirect(reverse("console:audit-verification"))
    return respond_part(request, "console/parts/audit_badge.html", badges())


@require_POST
def verify(request: HttpRequest) -> HttpResponseBase:
    """``/audit/verify``: have a worker check the log of a mode, or both; it goes on beside what the reader does."""
    word = request.POST.get("mode", "")
    for mode in [mode_of(word)] if word else Mode:
        if listing.checkpoints(mode, limit=1).data:
            asked.ask(livemode=mode.livemode)
    if wants_part(request):
        return respond_part(request, "console/parts/audit_badge.html", badges())
    return HttpResponseRedirect(reverse("console:audit-verification"))


class Log(Record, frozen=True):
    """A log with all that proves it."""

    badge: Badge
    keys: tuple[SigningKey, ...]
    has_note: bool


@require_safe
def verification(request: HttpRequest) -> HttpResponseBase:
    """``/audit/verification``: both logs, who remembers them outside, their keys, and what to take along."""
    shown = badges()
    logs = [
        Log(
            badge=one,
            keys=tuple(keys.announced(database.connection(), livemode=one.mode.livemode)),
            has_note=one.health.signed_at is not None,
        )
        for one in shown["badges"]
    ]
    context = {**shown, "logs": logs, "red": Light.RED}
    return respond(request, "console/audit_verification.html", context, frame=shell("audit-verification"))


@require_safe
def checkpoints(request: HttpRequest, mode: str) -> HttpResponseBase:
    """``/audit/{mode}/checkpoints``: the sizes that the tree had, the newest first, and who cosigned them."""
    which = mode_of(mode)
    after = request.GET.get("after") or None
    found = listing.checkpoints(which, limit=PAGE, after=after)
    start = offset_asked(request) if after else 0
    context = {
        "mode": which,
        "label": MODES[which],
        "rows": found.data,
        "first": start + 1,
        "last": start + len(found.data),
        "next_url": address(request, after=found.next, skip=str(start + len(found.data))) if found.next else "",
        "first_url": address(request, after=None, skip=None) if after else "",
    }
    if wants_part(request):
        return respond_part(request, "console/parts/audit_checkpoints.html", context, push=address(request))
    return respond(request, "console/audit_checkpoints.html", context, frame=shell("audit-verification"))


@require_safe
def checkpoint(request: HttpRequest, mode: str) -> HttpResponseBase:
    """``/audit/{mode}/checkpoint``: the newest signed note, or that of a ``size``, as a file to keep elsewhere."""
    which, asked_size = mode_of(mode), request.GET.get("size", "")
    size = int(asked_size) if asked_size.isdecimal() and len(asked_size) < 19 else None
    note = listing.checkpoint(which, size=size)
    return _download(note.encode(), f"{which.value}-{note.splitlines()[1]}.checkpoint")


@require_safe
def policy(request: HttpRequest, mode: str) -> HttpResponseBase:
    """``/audit/{mode}/policy``: what a verifier needs besides a proof: the log's keys and its witnesses, as a file."""
    del request
    which = mode_of(mode)
    if not keys.announced(database.connection(), livemode=which.livemode):
        raise NotFound(f"The {which.value} log has no key yet.", code="audit_key_unknown", hint="Nothing was recorded.")
    outside = [one.key for one in places.elsewhere()]
    text = rotation.policy(database.connection(), livemode=which.livemode, witnesses=outside)
    return _download(text, f"{which.value}.policy")


def _download(content: bytes, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type="application/octet-stream")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
