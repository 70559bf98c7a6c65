"""The addresses of a customer's page and its parts, with what each needs; ``urls`` puts them beside the others."""

from __future__ import annotations

from typing import Final

from django.urls import URLPattern, path

from trueup.operators.permissions import Permission
from trueup.web.console import (
    customer,
    customer_audit,
    customer_billing,
    customer_objects,
    customer_people,
    customer_revenue,
    customer_team,
)
from trueup.web.console.guard import guarded

_P = Permission
_CUSTOMER = "customers/<str:customer_id>"

ROUTES: Final[list[URLPattern]] = [
    path(_CUSTOMER, guarded(_P.CUSTOMERS_READ, customer.detail), name="customer"),
    path(f"{_CUSTOMER}/billing", guarded(_P.MONEY_READ, customer_billing.billing), name="customer-billing"),
    path(f"{_CUSTOMER}/upcoming", guarded(_P.MONEY_READ, customer_billing.upcoming), name="customer-upcoming"),
    path(f"{_CUSTOMER}/revenue", guarded(_P.MONEY_READ, customer_revenue.revenue), name="customer-revenue"),
    path(f"{_CUSTOMER}/objects", guarded(_P.CUSTOMERS_READ, customer_objects.objects), name="customer-objects"),
    path(
        f"{_CUSTOMER}/objects/<str:object_type>/<str:object_id>",
        guarded(_P.PERSONAL_PAYLOAD, customer_objects.one),
        name="customer-object",
    ),
    path(f"{_CUSTOMER}/people", guarded(_P.CUSTOMERS_READ, customer_people.people), name="customer-people"),
    path(f"{_CUSTOMER}/merge", guarded(_P.CUSTOMERS_CHANGE, customer_people.merge), name="customer-merge"),
    path(f"{_CUSTOMER}/split", guarded(_P.CUSTOMERS_CHANGE, customer_people.split), name="customer-split"),
    path(f"{_CUSTOMER}/links", guarded(_P.CUSTOMERS_CHANGE, customer_people.link), name="customer-link"),
    path(f"{_CUSTOMER}/repair", guarded(_P.TRUTH_REPAIR, customer_people.repair), name="customer-repair"),
    path(f"{_CUSTOMER}/owner", guarded(_P.CUSTOMERS_CHANGE, customer_team.owner), name="customer-owner"),
    path(f"{_CUSTOMER}/notes", guarded(_P.CUSTOMERS_CHANGE, customer_team.note), name="customer-notes"),
    path(f"{_CUSTOMER}/audit", guarded(_P.AUDIT_READ, customer_audit.audit_of), name="customer-audit"),
    path(f"{_CUSTOMER}/state", guarded(_P.CUSTOMERS_READ, customer.state), name="customer-state"),
    path(f"{_CUSTOMER}/why/<slug:field>", guarded(_P.CUSTOMERS_READ, customer.why), name="customer-why"),
]
"""After the addresses of the list, whose words stand in the same place as an id."""
