"""Webhook endpoints of /v1."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from trueup.sandbox.answers import pages
from trueup.sandbox.answers.calls import Call, Handler
from trueup.sandbox.answers.merging import metadata, put
from trueup.sandbox.assumptions import ENDPOINTS, ROLLED_SECRET_SECONDS
from trueup.sandbox.delivery import targets
from trueup.sandbox.wire.errors import StripeError, invalid
from trueup.sandbox.world.world import Obj, World

_SECRET_LENGTH: Final = 32


def _create(world: World, call: Call) -> Obj:
    check_url(call.params["url"], param="url")
    check_room(world)
    _check_events(call)
    endpoint = world.new(
        targets.ENDPOINT,
        {
            "api_version": call.value("api_version"),
            "application": None,
            "created": world.now,
            "description": call.value("description"),
            "enabled_events": call.params["enabled_events"],
            "livemode": False,
            "metadata": metadata({}, call.params.get("metadata")),
            "status": "enabled",
            "url": call.params["url"],
            "$connect": call.value("connect", default=False),
            "$secrets": [],
        },
    )
    secret = add_secret(world, endpoint)
    targets.changed(world)
    return {**endpoint, "secret": secret}


def check_url(url: str, *, param: str) -> None:
    """Raise Stripe's 400 where nothing could be sent to a URL. Plain http is taken, as in Stripe's test mode."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        message = "Invalid URL: An explicit scheme (such as https) must be provided."
        raise invalid(message, param=param, code="url_invalid")


def check_room(world: World) -> None:
    """Raise Stripe's 400 where there are as many endpoints as there may be."""
    if targets.count(world) >= ENDPOINTS:
        message = f"You have reached the maximum of {ENDPOINTS} test webhook endpoints."
        raise StripeError(message)


def _check_events(call: Call) -> None:
    if call.given("enabled_events") and not call.params["enabled_events"]:
        message = "You must enable at least one event."
        raise invalid(message, param="enabled_events")


def add_secret(world: World, endpoint: Obj) -> str:
    """Give an endpoint a new secret; those it has sign beside it for a day."""
    until = world.clocks.now() + ROLLED_SECRET_SECONDS
    kept = [{**one, "until": until if one["until"] is None else one["until"]} for one in endpoint["$secrets"]]
    secret = f"whsec_{world.ids.text(_SECRET_LENGTH)}"
    endpoint["$secrets"] = [
        {"text": secret, "until": None},
        *(one for one in kept if one["until"] > world.clocks.now()),
    ]
    targets.changed(world)
    return secret


def _retrieve(world: World, call: Call) -> Obj:
    return world.get(targets.ENDPOINT, call.ids["webhook_endpoint"])


def _list(world: World, call: Call) -> Obj:
    return pages.page(world, call, targets.ENDPOINT)


def _update(world: World, call: Call) -> Obj:
    endpoint = world.get(targets.ENDPOINT, call.ids["webhook_endpoint"])
    _check_events(call)
    if call.given("url"):
        check_url(call.params["url"], param="url")
    put(endpoint, call, ("description", "enabled_events", "url"))
    if call.given("metadata"):
        endpoint["metadata"] = metadata(endpoint["metadata"], call.params["metadata"])
    if call.given("disabled"):
        endpoint["status"] = "disabled" if call.params["disabled"] else "enabled"
        if call.params["disabled"]:
            world.signal("endpoint_ended", endpoint=endpoint["id"])
    targets.changed(world)
    return endpoint


def _delete(world: World, call: Call) -> Obj:
    endpoint = world.get(targets.ENDPOINT, call.ids["webhook_endpoint"])
    world.signal("endpoint_ended", endpoint=endpoint["id"])
    targets.changed(world)
    return world.delete(endpoint)


ROUTES: Final[dict[str, Handler]] = {
    "POST /v1/webhook_endpoints": _create,
    "GET /v1/webhook_endpoints": _list,
    "GET /v1/webhook_endpoints/{webhook_endpoint}": _retrieve,
    "POST /v1/webhook_endpoints/{webhook_endpoint}": _update,
    "DELETE /v1/webhook_endpoints/{webhook_endpoint}": _delete,
}
