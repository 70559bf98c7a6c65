"""What a page says after something was done, with the one thing that may follow: a link, or taking it back.

The words are Django's messages. What takes them back stays in the reader's session, for the newest of them alone.
"""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest

from trueup.kernel.errors import TrueupError
from trueup.kernel.records import Record
from trueup.web.console.telling import told

_KEPT: Final = "said"


class Offer(Record, frozen=True):
    """What stands beside the words: a link where there is a ``url``, else a button that takes it back."""

    text: str
    """The words that it belongs to."""
    label: str = ""
    url: str = ""


def say(request: HttpRequest, text: str, *, link: tuple[str, str] | None = None, undo: Any = None) -> None:
    """Say ``text`` on the next page. ``link`` is a label and an address; ``undo``, plain data, is what it takes back.

    What was offered before is offered no longer.
    """
    messages.success(request, text)
    label, url = link or ("", "")
    if link is None and undo is None:
        request.session.pop(_KEPT, None)
    else:
        request.session[_KEPT] = {"text": text, "label": label, "url": url, "undo": undo}


def offer(request: HttpRequest) -> Offer | None:
    """What may follow what was said last; None for nothing."""
    kept = request.session.get(_KEPT) if hasattr(request, "session") else None
    return Offer(text=kept["text"], label=kept["label"], url=kept["url"]) if isinstance(kept, dict) else None


def taken(request: HttpRequest) -> Any:
    """What takes back what was done last, once; None where that is over."""
    kept = request.session.pop(_KEPT, None)
    return kept.get("undo") if isinstance(kept, dict) else None


def say_refused(request: HttpRequest, error: TrueupError) -> None:
    """Say at the top of the next page what was wrong with what was sent, and what to do."""
    messages.error(request, " ".join(told(one) for one in (error.message, error.hint) if one))
