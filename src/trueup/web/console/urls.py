"""Every page of the console and the permission it needs. Only what says ``public`` is open to strangers."""

from __future__ import annotations

from django.urls import path

from trueup.operators.permissions import Permission
from trueup.web.console import (
    account_urls,
    audit_urls,
    customer_urls,
    customers_urls,
    find,
    gallery,
    money_urls,
    notices_urls,
    settings_urls,
    sync_urls,
)
from trueup.web.console.guard import guarded, personal

app_name = "console"
_P = Permission

urlpatterns = [
    *account_urls.ROUTES,
    *settings_urls.ROUTES,
    *notices_urls.ROUTES,
    path("search", personal(find.find), name="search"),
    *customers_urls.ROUTES,
    *customer_urls.ROUTES,
    path("gallery", guarded(_P.GALLERY_READ, gallery.page), name="gallery"),
    *money_urls.ROUTES,
    *sync_urls.ROUTES,
    *audit_urls.ROUTES,
]
