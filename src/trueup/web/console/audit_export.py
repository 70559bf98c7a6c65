"""Exports of the audit log from the console: made on record, without personal values, and downloaded as one file."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_http_methods

from trueup.accounts import service as accounts
from trueup.audit.exporting import directory, files
from trueup.audit.listing.types import Mode
from trueup.kernel.errors import TrueupError
from trueup.runtime import clock
from trueup.web.console.audit_words import MODES, day_asked, mode_of
from trueup.web.console.page import respond, shell
from trueup.web.console.reader import acting
from trueup.web.streaming import attachment, stored


def _silent(what: str, done: int, total: int) -> None:
    del what, done, total


@require_http_methods(["GET", "HEAD", "POST"])
def export(request: HttpRequest) -> HttpResponseBase:
    """``/audit/export``: a form, and on its way back the archive; that it is made is on record before."""
    given = {name: request.POST.get(name, "")[:1000] for name in ("mode", "since", "until", "why")}
    problem: TrueupError | None = None
    if request.method == "POST":
        try:
            return _made(request, given)
        except TrueupError as error:
            if error.status >= 500:
                raise
            problem = error
    if not given["mode"]:
        # Where every account is a test account, so is nearly all that was recorded.
        known = accounts.accounts()
        given["mode"] = (Mode.LIVE if not known or any(one.livemode for one in known) else Mode.TEST).value
    context: dict[str, Any] = {"modes": MODES, "given": given, "problem": problem}
    status = 200 if problem is None else problem.status
    return respond(request, "console/audit_export.html", context, frame=shell("audit-export"), status=status)


def _made(request: HttpRequest, given: dict[str, str]) -> HttpResponseBase:
    mode = mode_of(given["mode"])
    name = f"trueup-audit-{mode.value}-{clock.now():%Y%m%dT%H%M%SZ}"
    # What is open goes on being read after its name is gone, and nothing of it is left however the answer ends.
    with tempfile.TemporaryDirectory(prefix="trueup-audit-") as folder:
        directory.export(
            Path(folder) / name,
            livemode=mode.livemode,
            by=acting(request),
            why=given["why"].strip(),
            since=day_asked(request, "since"),
            until=day_asked(request, "until", end=True),
            tell=_silent,
        )
        archive = files.archive(Path(folder) / name, _silent)
        size = archive.stat().st_size
        return attachment(stored(archive.open("rb")), archive.name, "application/zip", size=size)
