"""Addresses of the lists of money, each with the permission that it needs."""

from __future__ import annotations

from typing import Final

from django.urls import URLPattern, path

from trueup.operators.permissions import Permission
from trueup.web.console import money, money_ahead, money_files, money_recovery
from trueup.web.console.guard import guarded

_P = Permission

ROUTES: Final[list[URLPattern]] = [
    path("money/failed", guarded(_P.MONEY_READ, money_recovery.overview), name="money-failed"),
    path("money/failed/months", guarded(_P.MONEY_READ, money_recovery.months), name="money-failed-months"),
    path("money/failed/export", guarded(_P.CUSTOMERS_EXPORT, money_files.failed), name="money-failed-export"),
    path("money/ahead", guarded(_P.MONEY_READ, money_ahead.overview), name="money-ahead"),
    path("money/ahead/weeks", guarded(_P.MONEY_READ, money_ahead.weeks), name="money-ahead-weeks"),
    path("money/ahead/export", guarded(_P.CUSTOMERS_EXPORT, money_files.ahead), name="money-ahead-export"),
    path("money/<slug:kind>", guarded(_P.MONEY_READ, money.listing), name="money"),
    path("money/<slug:kind>/export", guarded(_P.CUSTOMERS_EXPORT, money_files.export), name="money-export"),
]
"""The words come before the lists, whose names stand in the same place."""
