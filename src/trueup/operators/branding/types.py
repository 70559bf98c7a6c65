"""The public nouns of branding."""

from __future__ import annotations

from trueup.kernel.records import Record


class Branding(Record, frozen=True):
    """How the console looks for this company; what is empty is ours."""

    accent: str
    """``#rrggbb``: the current place, the primary button and focus."""
    logo_type: str
    """The media type of the logo; empty where there is none."""
    version: str
    """Changes with every change, so that what was kept by a browser is not shown any more."""
