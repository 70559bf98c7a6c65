"""Addresses of the homes and of the list of customers, each with the permission that it needs."""

from __future__ import annotations

from typing import Final

from django.urls import URLPattern, path

from trueup.operators.permissions import Permission
from trueup.web.console import bulk, customers, customers_changes, exporting, home, keys, undo
from trueup.web.console.guard import guarded, personal

_P = Permission

ROUTES: Final[list[URLPattern]] = [
    path("", personal(home.home), name="home"),
    path("home/<slug:role>", personal(home.home), name="home-role"),
    path("help/keyboard", personal(keys.keyboard), name="help-keyboard"),
    path("undo", personal(undo.undo), name="undo"),
    path("customers", guarded(_P.CUSTOMERS_READ, customers.listing), name="customers"),
    path(
        "customers/owner",
        guarded(_P.CUSTOMERS_READ, customers_changes.own, changing=_P.CUSTOMERS_CHANGE),
        name="customers-owner",
    ),
    path(
        "customers/assign",
        guarded(_P.CUSTOMERS_CHANGE, bulk.assign, changing=_P.CUSTOMERS_CHANGE),
        name="customers-assign",
    ),
    path("customers/export", guarded(_P.CUSTOMERS_EXPORT, exporting.customers), name="customers-export"),
    path("customers/views", guarded(_P.CUSTOMERS_READ, customers_changes.keep), name="view-keep"),
    path("customers/views/<int:view_id>/remove", guarded(_P.CUSTOMERS_READ, customers_changes.drop), name="view-drop"),
]
