"""Every page of the console. Whatever is added here is behind sign-in unless it says ``public``."""

from __future__ import annotations

from django.urls import path
from django.views.generic import RedirectView

from trueup.web.console import customer, customers, differences, events, find, sign_in, truth
from trueup.web.console.guard import guarded, public

app_name = "console"

urlpatterns = [
    path("", guarded(RedirectView.as_view(pattern_name="console:customers")), name="home"),
    path("sign-in", public(sign_in.SignIn.as_view()), name="sign-in"),
    path("sign-out", public(sign_in.sign_out), name="sign-out"),
    path("search", guarded(find.find), name="search"),
    path("customers", guarded(customers.listing), name="customers"),
    path("customers/<str:customer_id>", guarded(customer.detail), name="customer"),
    path("customers/<str:customer_id>/state", guarded(customer.state), name="customer-state"),
    path("customers/<str:customer_id>/why/<slug:field>", guarded(customer.why), name="customer-why"),
    path("events", guarded(events.listing), name="events"),
    path("events/quarantine", guarded(events.quarantine), name="quarantine"),
    path("events/quarantine/<int:quarantined_id>/body", guarded(events.quarantined_body), name="quarantined-body"),
    path("events/set-aside", guarded(events.set_aside), name="set-aside"),
    path("events/<str:event_id>", guarded(events.detail), name="event"),
    path("events/<str:event_id>/body", guarded(events.body), name="event-body"),
    path("truth", guarded(truth.overview), name="truth"),
    path("truth/differences", guarded(differences.listing), name="differences"),
    path("truth/backfill", guarded(truth.backfill), name="truth-backfill"),
    path("truth/reconcile", guarded(truth.compare), name="truth-reconcile"),
    path("truth/retry", guarded(truth.retry), name="truth-retry"),
]
