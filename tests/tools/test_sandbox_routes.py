"""The page of the sandbox's routes says what is true today."""

from __future__ import annotations

from tools.sandbox_routes import PAGE, page, resource, stripes
from trueup.sandbox.server.wiring import WIRING


def test_the_page_is_what_the_wiring_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(WIRING.routes, stripes()), "run: python -m tools.sandbox_routes"


def test_the_sandbox_answers_only_routes_that_stripe_has() -> None:
    assert set(WIRING.routes) <= set(stripes())


def test_a_route_belongs_to_its_resource() -> None:
    assert resource("POST /v1/customers/{customer}") == "/v1/customers"
    assert resource("GET /v1/test_helpers/test_clocks/{test_clock}") == "/v1/test_helpers/test_clocks"
    assert resource("GET /v2/core/events/{id}") == "/v2/core/events"


def test_what_is_missing_is_named() -> None:
    text = page(["GET /v1/a"], ["GET /v1/a", "POST /v1/a/{id}", "GET /v1/b"])

    assert "Answered: 1 of 3 routes, 1 resources of 2." in text
    assert "| `/v1/a` | `/` GET | `/{id}` POST |" in text
    assert text.rstrip().endswith("`/v1/b`.")
