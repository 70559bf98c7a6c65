"""Names every request, so that an audit entry, a log line and an answer can be found by the same id."""

from __future__ import annotations

import ipaddress
import re
import secrets
from collections.abc import Callable
from functools import cache
from http import HTTPStatus
from typing import Final

import psycopg
import structlog
from django.core.exceptions import BadRequest
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse

from trueup.audit import service as audit
from trueup.runtime import configuration, database
from trueup.web import looking

GIVEN: Final = re.compile(r"[A-Za-z0-9._-]{8,64}\Z")


def client_address(request: HttpRequest) -> str:
    """The network address a request comes from: the peer's, or the one that a trusted proxy says it is speaking for.

    Proxies append to ``X-Forwarded-For``, so it is read from the right until a name that is not one of ours; what
    stands left of that is the client's own word.
    """
    networks = _proxies(configuration.current().trusted_proxies)
    address = str(request.META.get("REMOTE_ADDR", ""))
    for hop in reversed(request.headers.get("X-Forwarded-For", "").split(",")):
        if not _within(address, networks):
            break
        if not hop.strip():
            continue
        address = hop.strip()
    return address


@cache
def _proxies(named: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    parts = (part.strip() for part in named.split(","))
    return tuple(ipaddress.ip_network(part, strict=False) for part in parts if part)


def _within(address: str, networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]) -> bool:
    try:
        return any(ipaddress.ip_address(address) in network for network in networks)
    except ValueError:
        return False


class RequestMiddleware:
    """Takes a well-formed ``X-Request-Id`` or makes one, and answers with it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Bind the id for the time of the request."""
        given = request.headers.get("X-Request-Id", "")
        request_id = given if GIVEN.match(given) else f"req_{secrets.token_hex(12)}"
        token = audit.REQUEST_ID.set(request_id)
        origin = audit.ORIGIN.set(client_address(request))
        structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            response = self._answer(request)
        finally:
            audit.ORIGIN.reset(origin)
            audit.REQUEST_ID.reset(token)
            structlog.contextvars.unbind_contextvars("request_id")
        response["X-Request-Id"] = request_id
        return response

    def _answer(self, request: HttpRequest) -> HttpResponse:
        # The database refuses this character in any text, so nothing can be found by it.
        if "\x00" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            raise BadRequest
        response = self._get_response(request)
        try:
            looking.note(request, response)
        except (OperationalError, InterfaceError, psycopg.OperationalError):
            # What cannot be noted is not shown.
            database.close()
            return HttpResponse("The database does not answer. Try again in a moment.", "text/plain", 503)
        if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED and request.path_info.startswith("/api/"):
            body = {
                "code": "method_not_allowed",
                "message": f"This address does not take {request.method}.",
                "hint": "See /api/v1/openapi.json.",
            }
            refused = JsonResponse({"error": body}, status=response.status_code)
            refused["Allow"] = response["Allow"]
            return refused
        return response
