"""Calls to providers: addresses that somebody typed, and that a document of theirs names.

Only public addresses are called, so that nobody makes Trueup ask what stands beside it. A provider in a network of
one's own is named in ``TRUEUP_SSO_NETWORKS``. The name is resolved once, and the call goes to the address that was
looked at.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import orjson

from trueup.kernel.errors import Unavailable
from trueup.operators.sso.errors import SsoInvalid
from trueup.runtime import configuration, outgoing

SECONDS: Final = 5.0
_SELF: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_PORTS: Final = {"https": 443, "http": 80}
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def check(url: str) -> None:
    """``SsoInvalid`` for what is no address that may be called: https, or http to this machine where that is named."""
    _address_of(url)


def check_page(url: str) -> None:
    """``SsoInvalid`` for an address that browsers must not be sent to: anything but https, or http to themselves."""
    parts = urlsplit(url) if outgoing.is_address(url) else None
    if parts is None or (parts.scheme == "http" and parts.hostname not in _SELF):
        raise SsoInvalid("The provider's page is not at an https address.")


def get(url: str, *, accept: str = "application/json", headers: Mapping[str, str] | None = None) -> bytes:
    """What is at an address; ``Unavailable`` where it does not answer with 200, ``SsoInvalid`` as ``check``."""
    given = {"Accept": accept, **(headers or {})}
    return _body(url, outgoing.get(url, headers=given, seconds=SECONDS, settled=_address_of(url)))


def post(url: str, fields: Mapping[str, str], *, headers: Mapping[str, str]) -> bytes:
    """What answers a form; as ``get``."""
    full = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded", **headers}
    body = urlencode(fields).encode()
    return _body(url, outgoing.post(url, body, headers=full, seconds=SECONDS, settled=_address_of(url)))


def tree(body: bytes) -> dict[str, Any]:
    """A JSON object; ``Unavailable`` for anything else."""
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise Unavailable("The provider's answer is no JSON object.", code="sso_provider_unavailable")
    return found


def _body(url: str, answer: outgoing.Answer) -> bytes:
    if answer.status != HTTPStatus.OK:
        raise Unavailable(f"{urlsplit(url).hostname} answered with {answer.status}.", code="sso_provider_unavailable")
    return answer.body


def _address_of(url: str) -> str:
    if not outgoing.is_address(url):
        raise SsoInvalid("That is not an address.", hint="Write it as https://login.acme.example/...")
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        raise Unavailable(f"There is no host {host}.", code="sso_provider_unavailable") from None
    addresses = [ipaddress.ip_address(str(one[4][0]).partition("%")[0]) for one in found]
    # One that is not allowed spoils the name: who answers for it would choose which of them is asked.
    if not addresses or not all(_is_allowed(one, parts.scheme) for one in addresses):
        raise SsoInvalid(
            f"{host} may not be called.",
            hint="Providers are called by https at public addresses. For one in a network of yours, whoever runs"
            " Trueup names the network in TRUEUP_SSO_NETWORKS.",
        )
    return str(addresses[0])


def _is_allowed(address: Address, scheme: str) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    named = any(address in network for network in configuration.networks(configuration.current().sso_networks))
    if scheme == "http":
        return named and address.is_loopback
    return named or (address.is_global and not address.is_multicast)
