"""The OpenAPI description: complete, consistent, and true of every answer."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from tests.web.api import shapes
from tests.web.api.conftest import Ask
from tests.web.console import world
from trueup.accounts.types import Account


@pytest.fixture
def described(db: None) -> Any:
    """The description, which anybody may read."""
    response = Client().get("/api/v1/openapi.json")
    assert response.status_code == 200
    return response.json()


def operations(described: Any) -> dict[str, Any]:
    """Every operation by ``METHOD path``."""
    return {
        f"{method.upper()} {path}": operation
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    }


def test_the_description_is_openapi_with_all_it_demands(described: Any) -> None:
    assert re.fullmatch(r"3\.1\.\d+", described["openapi"])
    assert {"title", "version"} <= set(described["info"])
    assert set(operations(described)) == {
        "GET /api/v1/customers",
        "GET /api/v1/customers/{customer_id}",
        "GET /api/v1/customers/{customer_id}/contact",
        "GET /api/v1/customers/{customer_id}/links",
        "POST /api/v1/customers/{customer_id}/links",
        "DELETE /api/v1/customers/{customer_id}/links",
        "POST /api/v1/customers/{customer_id}/merge",
        "GET /api/v1/customers/{customer_id}/notes",
        "POST /api/v1/customers/{customer_id}/notes",
        "PUT /api/v1/notes/{note_id}",
        "DELETE /api/v1/notes/{note_id}",
        "GET /api/v1/customers/{customer_id}/owner",
        "PUT /api/v1/customers/{customer_id}/owner",
        "POST /api/v1/customers/{customer_id}/split",
        "GET /api/v1/customers/{customer_id}/timeline",
        "GET /api/v1/customers/{customer_id}/why/{field}",
        "GET /api/v1/events",
        "GET /api/v1/events/{event_id}",
        "GET /api/v1/limits",
        "GET /api/v1/objects",
        "GET /api/v1/objects/{object_id}",
        "GET /api/v1/objects/{object_id}/versions",
        "GET /api/v1/people",
        "GET /api/v1/people/{person_id}",
        "GET /api/v1/duplicates",
        "POST /api/v1/duplicates/dismissals",
        "DELETE /api/v1/duplicates/dismissals",
        "GET /api/v1/violations",
        "GET /api/v1/alarms",
        "GET /api/v1/backfills",
        "GET /api/v1/backfills/{account}",
        "GET /api/v1/sweeps",
        "GET /api/v1/drift",
        "GET /api/v1/drift/differences",
        "GET /api/v1/reconciliations",
        "GET /api/v1/reconciliations/{run_id}",
        "GET /api/v1/dead-letters",
        "GET /api/v1/dead-letters/{cause}",
        "POST /api/v1/dead-letters/retry",
        "POST /api/v1/dead-letters/{cause}/retry",
        "POST /api/v1/dead-letters/{cause}/discard",
        "GET /api/v1/replays",
        "POST /api/v1/replays",
        "POST /api/v1/replays/preview",
        "GET /api/v1/replays/{replay_id}",
        "POST /api/v1/replays/{replay_id}/cancel",
        "GET /api/v1/tokens",
        "POST /api/v1/tokens",
        "POST /api/v1/tokens/current/rotate",
        "POST /api/v1/tokens/{token_id}/rotate",
        "DELETE /api/v1/tokens/{token_id}",
        "GET /api/v1/operators",
        "PUT /api/v1/operators/{operator_id}/roles",
        "PUT /api/v1/operators/{operator_id}/access",
        "POST /api/v1/operators/{operator_id}/deactivate",
        "POST /api/v1/operators/{operator_id}/activate",
        "GET /api/v1/invitations",
        "POST /api/v1/invitations",
        "POST /api/v1/invitations/{invitation_id}/renew",
        "DELETE /api/v1/invitations/{invitation_id}",
        "GET /api/v1/approvals",
        "GET /api/v1/audit/entries",
        "GET /api/v1/audit/entries/{entry_id}",
        "GET /api/v1/audit/entries/{entry_id}/proof",
        "GET /api/v1/audit/verification",
        "GET /api/v1/audit/health",
        "GET /api/v1/audit/{mode}/checkpoint",
        "GET /api/v1/audit/{mode}/checkpoints",
        "GET /api/v1/audit/{mode}/tile/{tile}",
    }
    identifiers = [operation["operationId"] for operation in operations(described).values()]
    assert len(set(identifiers)) == len(identifiers)


def test_every_reference_leads_somewhere(described: Any) -> None:
    found = set(shapes.references(described))

    assert len(found) > 5
    for reference in found:
        assert isinstance(shapes.resolved(described, reference), dict), reference


def test_names_of_components_are_what_openapi_allows(described: Any) -> None:
    for group in described["components"].values():
        assert [name for name in group if re.fullmatch(r"[A-Za-z0-9._-]+", name) is None] == []


def test_every_operation_names_its_parameters_its_answers_and_its_security(described: Any) -> None:
    schemes = set(described["components"]["securitySchemes"])
    for name, operation in operations(described).items():
        in_path = {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "path"}
        assert in_path == set(re.findall(r"\{(\w+)\}", name)), name
        assert all(parameter["required"] for parameter in operation["parameters"] if parameter["in"] == "path"), name
        assert all("schema" in parameter for parameter in operation["parameters"]), name
        conflict = set() if name.startswith("GET ") else {"409"}
        assert {"200", "400", "401", "403", "404", "422", "503"} | conflict == set(operation["responses"]), name
        assert {scheme for need in operation["security"] for scheme in need} <= schemes, name
        assert operation["security"], name


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/customers", "/customers"),
        ("/customers?limit=2", "/customers"),
        ("/customers/cus_000", "/customers/{customer_id}"),
        ("/customers/cus_002?why=true", "/customers/{customer_id}"),
        ("/customers/cus_000/contact", "/customers/{customer_id}/contact"),
        ("/customers/cus_000/timeline", "/customers/{customer_id}/timeline"),
        ("/customers/cus_000/why/name", "/customers/{customer_id}/why/{field}"),
        ("/objects", "/objects"),
        ("/objects/cus_000", "/objects/{object_id}"),
        ("/objects/cus_000?told=true&as_of=2030-01-01", "/objects/{object_id}"),
        ("/objects/cus_000/versions", "/objects/{object_id}/versions"),
        ("/limits", "/limits"),
        ("/backfills", "/backfills"),
        ("/drift", "/drift"),
        ("/drift/differences", "/drift/differences"),
        ("/reconciliations", "/reconciliations"),
        ("/events", "/events"),
        ("/events/evt_same", "/events/{event_id}"),
    ],
)
def test_every_answer_has_the_shape_that_is_described(
    described: Any, ask: Ask, account: Account, path: str, template: str
) -> None:
    world.many(account, 4)
    world.told(account, world.event("customer.created", world.customer("cus_9", None), id="evt_same"), drain=False)
    operation = described["paths"][f"/api/v1{template}"]["get"]
    shape = operation["responses"]["200"]["content"]["application/json"]["schema"]

    answer = ask(path)

    assert shapes.problems(described, shape, answer) == []


@pytest.mark.parametrize("path", ["/customers?limit=0", "/customers/cus_none", "/events?after=x"])
def test_every_refusal_has_the_shape_that_is_described(described: Any, program: Client, path: str) -> None:
    response = program.get(f"/api/v1{path}")
    operation = described["paths"]["/api/v1/customers"]["get"]
    shape = operation["responses"][str(response.status_code)]["content"]["application/json"]["schema"]

    assert shapes.problems(described, shape, response.json()) == []


def test_the_check_sees_what_does_not_fit(described: Any) -> None:
    shape = {"$ref": "#/components/schemas/Money"} if "Money" in described["components"]["schemas"] else {}

    assert shapes.problems(described, shape, {"minor": 1, "currency": "usd"}) == []
    assert shapes.problems(described, shape, {"minor": "1", "currency": "usd"}) == ["$.minor: '1' is no integer"]
    assert shapes.problems(described, shape, {"minor": 1}) == ["$.currency: missing"]
    assert shapes.problems(described, shape, {"minor": 1, "currency": "usd", "x": 1}) == ["$.x: not described"]
    assert shapes.problems(described, {"type": "string", "format": "date-time"}, "2026-01-01") != []
    assert shapes.problems(described, {"oneOf": []}, 1) != []
