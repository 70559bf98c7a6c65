"""Who has to do something before they come in: sign in again, or set up a second factor."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from trueup.operators import service as operators
from trueup.operators.factors import service as factors
from trueup.operators.permissions import CHANGING
from trueup.web.console.adapters import SECOND_FACTOR
from trueup.web.console.page import preferences
from trueup.web.console.reader import acting, may
from trueup.web.console.sessions import reader_id


class Standing(StrEnum):
    """What a reader still owes before they see anything but their own account."""

    IN = "in"
    FACTOR_MISSING = "factor_missing"
    """They may change something, and have no second factor."""
    FACTOR_NOT_SHOWN = "factor_not_shown"
    """They have one, and did not show it when they signed in."""


def standing(request: HttpRequest) -> Standing:
    """Where somebody who signed in stands."""
    if request.session.get(SECOND_FACTOR):
        return Standing.IN
    if factors.has_factor(reader_id(request)):
        return Standing.FACTOR_NOT_SHOWN
    if settings.TRUEUP_MFA_REQUIRED and not CHANGING.isdisjoint(may(request)):
        return Standing.FACTOR_MISSING
    return Standing.IN


def is_demanded(request: HttpRequest) -> bool:
    """Whether the reader may not go without a second factor."""
    return bool(settings.TRUEUP_MFA_REQUIRED and not CHANGING.isdisjoint(operators.permissions_of(acting(request))))


def can_use_passkeys(request: HttpRequest) -> bool:
    """Whether browsers make passkeys for the host they asked: a name, over TLS or on this machine, and no number."""
    host = request.get_host().rpartition(":")[0] or request.get_host()
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return request.is_secure() or host == "localhost"
    return False


def alone(request: HttpRequest, template: str, context: Mapping[str, Any], *, status: int = 200) -> HttpResponse:
    """A page without the frame: one card for whoever is not in yet."""
    return render(request, template, {"prefs": preferences(request), **context}, status=status)
