"""What was done, said at the top of the page that follows, with what takes it back."""

from __future__ import annotations

from typing import Any

from django import template
from django.contrib.messages import get_messages
from django.template import Context

from trueup.web.console import said as said_of

register = template.Library()


@register.inclusion_tag("console/parts/said.html", takes_context=True)
def said(context: Context) -> dict[str, Any]:
    """The messages of the reader, each once."""
    request = context["request"]
    told, offer = list(get_messages(request)), said_of.offer(request)
    return {
        "told": [(one, offer if offer is not None and offer.text == str(one) else None) for one in told],
        "csrf_token": context.get("csrf_token"),
    }
