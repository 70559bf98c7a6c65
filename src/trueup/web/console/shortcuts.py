"""What every key does. The page's script does what this table says, and the page of help shows it."""

from __future__ import annotations

import json
from functools import cache
from typing import Final

from django.utils.translation import gettext_lazy as _

from trueup.kernel.records import Record
from trueup.web.console.words import Label


class Shortcut(Record, frozen=True):
    """A key, or several of which each does the same, and what happens: ``act`` is what the page's script calls it.

    One without an ``act`` is the browser's own doing, or that of the field in focus.
    """

    keys: tuple[str, ...]
    label: Label
    act: str = ""
    shown: tuple[Label, ...] = ()
    """How the keys are written, where that is not as the browser calls them."""

    @property
    def caps(self) -> tuple[Label, ...]:
        """What stands on the keys."""
        return self.shown or self.keys


SHORTCUTS: Final = (
    Shortcut(
        keys=("Control+k",), act="palette", label=_("Find a customer or event, from anywhere"), shown=(_("Ctrl K"),)
    ),
    Shortcut(keys=("/",), act="search", label=_("Search the list of this page")),
    Shortcut(keys=("j",), act="next", label=_("Next row or entry")),
    Shortcut(keys=("k",), act="previous", label=_("Previous row or entry")),
    Shortcut(keys=("Enter",), label=_("Open it")),
    Shortcut(
        keys=("x", "X"), act="pick", label=_("Choose the row; with Shift all up to it"), shown=("x", _("Shift x"))
    ),
    Shortcut(keys=("Escape",), label=_("Close what is open, leave the search"), shown=(_("Esc"),)),
    Shortcut(keys=("g",), act="go", label=_("Go to a page: then its key, as below")),
    Shortcut(keys=("?",), act="help", label=_("This help")),
)
"""In the order of the page."""


@cache
def table() -> str:
    """What each key does, as the page's script reads it."""
    return json.dumps({key: one.act for one in SHORTCUTS if one.act for key in one.keys})
