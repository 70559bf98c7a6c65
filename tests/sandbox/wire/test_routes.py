"""Which operation a request means."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trueup.sandbox.wire.notation import table
from trueup.sandbox.wire.parameters import match


@pytest.mark.parametrize(
    ("method", "path", "operation", "named"),
    [
        ("POST", "/v1/customers", "POST /v1/customers", {}),
        ("post", "/v1/customers/", "POST /v1/customers", {}),
        ("GET", "/v1/customers/cus_1", "GET /v1/customers/{customer}", {"customer": "cus_1"}),
        ("GET", "/v1/customers/a%2Fb%20c", "GET /v1/customers/{customer}", {"customer": "a/b c"}),
        (
            "DELETE",
            "/v1/customers/cus_1/sources/card_1",
            "DELETE /v1/customers/{customer}/sources/{id}",
            {"customer": "cus_1", "id": "card_1"},
        ),
        ("POST", "/v1/invoices/create_preview", "POST /v1/invoices/create_preview", {}),
        ("POST", "/v1/invoices/in_1", "POST /v1/invoices/{invoice}", {"invoice": "in_1"}),
        ("GET", "/v1/subscriptions/search", "GET /v1/subscriptions/search", {}),
        ("GET", "/v1/invoices/search/lines", "GET /v1/invoices/{invoice}/lines", {"invoice": "search"}),
        ("GET", "/v2/core/events/evt_1", "GET /v2/core/events/{id}", {"id": "evt_1"}),
    ],
)
def test_a_request_means_the_operation_with_the_most_literal_path(
    method: str, path: str, operation: str, named: dict[str, str]
) -> None:
    assert match(method, path) == (operation, named)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/nothing"),
        ("PATCH", "/v1/customers"),
        ("GET", "/"),
        ("GET", "/v1/customers/cus_1/nothing"),
        ("GET", "/v1/customers//sources"),
        ("GET", "/v1/invoices/in_1/lines/il_1/more"),
    ],
)
def test_a_request_that_means_nothing_matches_nothing(method: str, path: str) -> None:
    assert match(method, path) is None


def test_every_operation_is_found_by_its_own_path() -> None:
    operations = table("routes.json")
    for operation in operations:
        method, path = operation.split(" ")
        assert match(method, path.replace("{", "").replace("}", "_1")) is not None

        found = match(method, path)

        assert found is not None
        assert found[0] == operation

    assert len(operations) > 600


@settings(deadline=None)
@given(st.text(), st.text())
def test_whatever_path_is_asked_for_is_known_or_not(method: str, path: str) -> None:
    found = match(method, path)

    assert found is None or found[0] in table("routes.json")
