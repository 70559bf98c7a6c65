"""Event destinations of /v2: webhook endpoints that choose between snapshot and thin events."""

from __future__ import annotations

from typing import Any, Final

from trueup.sandbox.answers.calls import Call, Handler
from trueup.sandbox.answers.merging import metadata
from trueup.sandbox.delivery import newer_pages, targets, thin
from trueup.sandbox.delivery.endpoints import add_secret, check_room, check_url
from trueup.sandbox.wire.errors import StripeError, invalid
from trueup.sandbox.world.world import API_VERSION, Obj, World

_URL: Final = "webhook_endpoint.url"
_SECRET: Final = "webhook_endpoint.signing_secret"  # noqa: S105 - the name of a field


def _create(world: World, call: Call) -> Obj:
    kind, payload = call.params["type"], call.params["event_payload"]
    if kind != "webhook_endpoint":
        message = f"The sandbox has no destinations of type {kind}: name a webhook_endpoint."
        raise invalid(message, param="type")
    url = call.params.get("webhook_endpoint", {}).get("url", "")
    check_url(url, param="webhook_endpoint[url]")
    check_room(world)
    _check_events(call.params["enabled_events"], payload)
    if payload == "thin" and call.given("snapshot_api_version"):
        message = "snapshot_api_version can only be set for destinations of snapshot events."
        raise invalid(message, param="snapshot_api_version")
    destination = world.new(
        targets.DESTINATION,
        {
            "created": world.now,
            "description": call.value("description") or "",
            "enabled_events": call.params["enabled_events"],
            "event_payload": payload,
            "events_from": call.value("events_from") or ["@self"],
            "metadata": metadata({}, call.params.get("metadata")),
            "name": call.params["name"],
            "snapshot_api_version": (
                call.value("snapshot_api_version") or API_VERSION if payload == "snapshot" else None
            ),
            "status": "enabled",
            "status_details": None,
            "type": kind,
            "updated": world.now,
            "$url": url,
            "$secrets": [],
        },
    )
    secret = add_secret(world, destination)
    return _shown(destination, call, secret=secret)


def _check_events(types: list[str], payload: str) -> None:
    known = targets.thin_types() if payload == "thin" else targets.snapshot_types()
    for name in types:
        if name != "*" and name not in known:
            message = f"{name} is not a type of a {payload} event."
            raise invalid(message, param="enabled_events")
    if not types:
        message = "You must enable at least one event."
        raise invalid(message, param="enabled_events")


def _shown(destination: Obj, call: Call, *, secret: str | None = None) -> Obj:
    """As /v2 shows it: times as texts, the endpoint only where asked for."""
    wanted = call.params.get("include") or []
    endpoint: dict[str, Any] = {}
    if _URL in wanted:
        endpoint["url"] = destination["$url"]
    if _SECRET in wanted and secret:
        endpoint["signing_secret"] = secret
    return {
        **destination,
        "created": thin.moment(destination["created"]),
        "updated": thin.moment(destination["updated"]),
        "webhook_endpoint": endpoint or None,
    }


def _found(world: World, call: Call) -> Obj:
    return world.get(targets.DESTINATION, call.ids["id"])


def _retrieve(world: World, call: Call) -> Obj:
    return _shown(_found(world, call), call)


def _list(world: World, call: Call) -> Obj:
    return newer_pages.of(call, (_shown(one, call) for one in world.select(targets.DESTINATION)))


def _update(world: World, call: Call) -> Obj:
    destination = _found(world, call)
    for name in ("description", "name"):
        if call.given(name):
            destination[name] = call.params[name]
    if call.given("enabled_events"):
        _check_events(call.params["enabled_events"], destination["event_payload"])
        destination["enabled_events"] = call.params["enabled_events"]
    if call.given("metadata"):
        new = {key: value or "" for key, value in (call.value("metadata") or {}).items()}
        destination["metadata"] = metadata(destination["metadata"], new)
    if url := call.params.get("webhook_endpoint", {}).get("url"):
        check_url(url, param="webhook_endpoint[url]")
        destination["$url"] = url
    return _touched(world, destination, call)


def _touched(world: World, destination: Obj, call: Call) -> Obj:
    destination["updated"] = world.now
    targets.changed(world)
    return _shown(destination, call)


def _disable(world: World, call: Call) -> Obj:
    destination = _found(world, call)
    destination["status"] = "disabled"
    destination["status_details"] = {"disabled": {"reason": "user"}}
    world.signal("endpoint_ended", endpoint=destination["id"])
    return _touched(world, destination, call)


def _enable(world: World, call: Call) -> Obj:
    destination = _found(world, call)
    destination["status"] = "enabled"
    destination["status_details"] = None
    return _touched(world, destination, call)


def _ping(world: World, call: Call) -> Obj:
    """Tell an event that only this destination gets; it is answered as the event itself."""
    destination = _found(world, call)
    if destination["status"] != "enabled":
        message = f"The event destination {destination['id']} is disabled."
        raise StripeError(message)
    event = world.write(
        targets.PING,
        {"object": {"id": destination["id"], "object": targets.DESTINATION}},
        about=destination["id"],
    )
    return thin.full(event)


def _delete(world: World, call: Call) -> Obj:
    destination = _found(world, call)
    world.signal("endpoint_ended", endpoint=destination["id"])
    targets.changed(world)
    world.delete(destination)
    return {"id": destination["id"], "object": targets.DESTINATION}


ROUTES: Final[dict[str, Handler]] = {
    "POST /v2/core/event_destinations": _create,
    "GET /v2/core/event_destinations": _list,
    "GET /v2/core/event_destinations/{id}": _retrieve,
    "POST /v2/core/event_destinations/{id}": _update,
    "DELETE /v2/core/event_destinations/{id}": _delete,
    "POST /v2/core/event_destinations/{id}/disable": _disable,
    "POST /v2/core/event_destinations/{id}/enable": _enable,
    "POST /v2/core/event_destinations/{id}/ping": _ping,
}
