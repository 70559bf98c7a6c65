"""Webhook endpoints and event destinations through the API."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from trueup.sandbox.server.engine import Engine
from trueup.sandbox.server.requests import Request

URL = "https://example.com/hooks"


def test_the_secret_of_an_endpoint_is_told_once(api: Any) -> None:
    made = api.post("/v1/webhook_endpoints", url=URL, enabled_events=["customer.created"], description="ours")

    assert made["secret"].startswith("whsec_")
    assert (made["status"], made["enabled_events"], made["url"]) == ("enabled", ["customer.created"], URL)
    told = {name: value for name, value in made.items() if name != "secret"}
    assert api.get(f"/v1/webhook_endpoints/{made['id']}") == told
    assert api.get("/v1/webhook_endpoints")["data"] == [told]
    assert api.types() == []


def test_the_api_version_of_an_endpoint_is_kept(api: Any) -> None:
    made = api.post("/v1/webhook_endpoints", url=URL, enabled_events=["*"], api_version="2024-06-20")

    assert api.get(f"/v1/webhook_endpoints/{made['id']}")["api_version"] == "2024-06-20"


def test_an_endpoint_is_changed_disabled_and_deleted(api: Any) -> None:
    made = api.post("/v1/webhook_endpoints", url=URL, enabled_events=["*"], metadata={"a": "1"})
    path = f"/v1/webhook_endpoints/{made['id']}"

    changed = api.post(path, url=f"{URL}/new", enabled_events=["charge.failed"], disabled=True, metadata={"b": "2"})

    assert (changed["url"], changed["enabled_events"], changed["status"]) == (
        f"{URL}/new",
        ["charge.failed"],
        "disabled",
    )
    assert changed["metadata"] == {"a": "1", "b": "2"}
    assert "secret" not in changed
    assert api.post(path, disabled=False)["status"] == "enabled"
    assert api.delete(path) == {"id": made["id"], "object": "webhook_endpoint", "deleted": True}
    assert api.get(path, error=True)["status"] == 404


@pytest.mark.parametrize("url", ["example.com/hooks", "ftp://example.com", "https://"])
def test_a_url_that_nothing_can_be_sent_to_is_refused(api: Any, url: str) -> None:
    refused = api.post("/v1/webhook_endpoints", url=url, enabled_events=["*"], error=True)

    assert (refused["status"], refused["code"], refused["param"]) == (400, "url_invalid", "url")


def test_an_event_that_there_is_not_cannot_be_enabled(api: Any) -> None:
    refused = api.post("/v1/webhook_endpoints", url=URL, enabled_events=["customer.sneezed"], error=True)

    assert refused["param"].startswith("enabled_events")


def test_a_seventeenth_endpoint_is_refused(api: Any) -> None:
    for _ in range(16):
        api.post("/v1/webhook_endpoints", url=URL, enabled_events=["*"])

    assert "maximum of 16" in api.post("/v1/webhook_endpoints", url=URL, enabled_events=["*"], error=True)["message"]


def _ask(engine: Engine, method: str, path: str, body: Any = None, query: str = "") -> dict[str, Any]:
    answer = engine.answer(
        Request(
            method=method,
            path=path,
            query=query,
            body=orjson.dumps(body or {}) if method == "POST" else b"",
            headers={"authorization": "Bearer sk_test_x", "content-type": "application/json"},
        )
    )
    found: dict[str, Any] = orjson.loads(answer.body)
    return found | ({"status": answer.status} if answer.status != 200 else {})


def _destination(engine: Engine, **params: Any) -> dict[str, Any]:
    wanted = {
        "name": "ours",
        "type": "webhook_endpoint",
        "event_payload": "thin",
        "enabled_events": ["v1.customer.created"],
        "webhook_endpoint": {"url": URL},
    }
    return _ask(engine, "POST", "/v2/core/event_destinations", wanted | params)


def test_a_destination_shows_its_secret_and_url_only_where_they_are_asked_for(engine: Engine) -> None:
    plain = _destination(engine)
    told = _destination(engine, include=["webhook_endpoint.signing_secret", "webhook_endpoint.url"])

    assert plain["webhook_endpoint"] is None
    assert told["webhook_endpoint"]["url"] == URL
    assert told["webhook_endpoint"]["signing_secret"].startswith("whsec_")
    path = f"/v2/core/event_destinations/{told['id']}"
    assert _ask(engine, "GET", path)["webhook_endpoint"] is None
    assert _ask(engine, "GET", path, query="include[0]=webhook_endpoint.url")["webhook_endpoint"] == {"url": URL}


def test_a_destination_of_snapshots_has_an_api_version_and_one_of_thin_events_has_none(engine: Engine) -> None:
    snapshot = _destination(engine, event_payload="snapshot", enabled_events=["customer.created"])

    assert snapshot["snapshot_api_version"] == "2026-10-28.endive"
    assert snapshot["created"] == "2026-01-01T00:00:00.000Z"
    assert snapshot["events_from"] == ["@self"]
    assert _destination(engine)["snapshot_api_version"] is None
    assert _destination(engine, snapshot_api_version="2026-10-28.endive")["status"] == 400


@pytest.mark.parametrize(
    "params",
    [
        {"enabled_events": ["customer.created"]},
        {"event_payload": "snapshot"},
        {"enabled_events": []},
        {"webhook_endpoint": {"url": "nowhere"}},
        {"type": "amazon_eventbridge", "amazon_eventbridge": {"aws_account_id": "1", "aws_region": "x"}},
    ],
)
def test_a_destination_that_could_get_nothing_is_refused(engine: Engine, params: dict[str, Any]) -> None:
    assert _destination(engine, **params)["status"] == 400


def test_a_destination_is_changed_disabled_enabled_and_deleted(engine: Engine) -> None:
    made = _destination(engine, metadata={"a": "1", "b": "2"})
    path = f"/v2/core/event_destinations/{made['id']}"
    engine.advance(engine.now() + 60)

    changed = _ask(engine, "POST", path, {"name": "other", "metadata": {"a": None}, "enabled_events": ["*"]})

    assert (changed["name"], changed["metadata"], changed["enabled_events"]) == ("other", {"b": "2"}, ["*"])
    assert changed["updated"] == "2026-01-01T00:01:00.000Z"
    disabled = _ask(engine, "POST", f"{path}/disable")
    assert (disabled["status"], disabled["status_details"]) == ("disabled", {"disabled": {"reason": "user"}})
    enabled = _ask(engine, "POST", f"{path}/enable")
    assert (enabled["status"], enabled["status_details"]) == ("enabled", None)
    assert _ask(engine, "DELETE", path) == {"id": made["id"], "object": "v2.core.event_destination"}
    assert _ask(engine, "GET", path)["status"] == 404


def test_a_page_of_v2_names_the_address_of_the_next(engine: Engine) -> None:
    made = [_destination(engine, name=str(number))["id"] for number in range(5)]

    first = _ask(engine, "GET", "/v2/core/event_destinations", query="limit=2")
    path, _, query = first["next_page_url"].partition("?")
    second = _ask(engine, "GET", path, query=query)
    path, _, query = second["next_page_url"].partition("?")
    third = _ask(engine, "GET", path, query=query)

    assert [one["id"] for page in (first, second, third) for one in page["data"]] == made[::-1]
    assert not [name for one in first["data"] for name in one if name.startswith("$")]
    assert first["previous_page_url"] is None
    assert second["previous_page_url"].endswith("page=0")
    assert third["next_page_url"] is None
    assert _ask(engine, "GET", "/v2/core/event_destinations", query="page=x")["status"] == 400
