"""Lucide's icons as inline SVG, rendered once per name and size: a table of fifty rows asks for hundreds."""

from __future__ import annotations

from functools import cache

from django.utils.safestring import SafeString
from lucide.templatetags.lucide import lucide


@cache
def icon(name: str, size: int) -> SafeString:
    """The icon as decoration, hidden from assistive technology; an unknown name raises, so that a typo fails a test."""
    return SafeString(lucide(name, size=size, aria_hidden="true", focusable="false"))
