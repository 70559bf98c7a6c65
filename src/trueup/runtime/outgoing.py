"""Calls to places outside that an operator named: bounded in time and size, and led nowhere else.

What is sent goes to the address of the setting and to no other: redirects are answers like any other, and no proxy of
the environment is used. With ``public_only`` it goes to no address of a private network either: the name is resolved
once, all that it resolves to is looked at, and the connection is made to what was looked at.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from typing import Final
from urllib.parse import SplitResult, urlsplit

from typing_extensions import override

from trueup.kernel.errors import Refused, Unavailable
from trueup.kernel.records import Record
from trueup.runtime import clock

SECONDS: Final = 10.0
"""How long a call may take in all."""
MOST_BYTES: Final = 1 << 20
"""Bytes of the largest answer that is read."""
_PIECE: Final = 1 << 16


class Answer(Record, frozen=True):
    """What came back, of whatever status."""

    status: int
    content_type: str
    body: bytes
    retry_after: int | None = None
    """Seconds after which the other side wants to be asked again, where it says so in seconds."""


class AddressPrivate(Refused):
    """An address that only this host or its network can reach, where such are not called."""

    code = "address_private"


class _To(http.client.HTTPConnection):
    """A connection to an address that is settled, whatever the name says by now."""

    address: str

    @override
    def connect(self) -> None:
        """Connect to the settled address."""
        self.sock = socket.create_connection((self.address, self.port), self.timeout)


class _SecureTo(http.client.HTTPSConnection):
    """The same over TLS; the certificate has to be the name's."""

    address: str
    secure: ssl.SSLContext

    @override
    def connect(self) -> None:
        """Connect to the settled address, and ask for the certificate of the name."""
        plain = socket.create_connection((self.address, self.port), self.timeout)
        self.sock = self.secure.wrap_socket(plain, server_hostname=self.host)


def is_address(url: str) -> bool:
    """Whether this is the http or https address of a host, without user and fragment."""
    try:
        parts = urlsplit(url)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        return False
    printable = url.isascii() and url.isprintable() and " " not in url
    named = parts.scheme in {"http", "https"} and bool(parts.hostname)
    return printable and named and port_is_fine and "@" not in parts.netloc and not parts.fragment


def post(
    url: str,
    body: bytes,
    *,
    headers: Mapping[str, str],
    seconds: float = SECONDS,
    public_only: bool = False,
    settled: str = "",
) -> Answer:
    """Send a body and read the answer; ``Unavailable`` where none comes in time or it is larger than ``MOST_BYTES``.

    The error names the host and not the rest of the address, which may hold a secret. ``AddressPrivate`` with
    ``public_only`` for a host that is, or resolves to, an address of a private network. ``settled`` is the network
    address to call, for who has looked at those of the host already.
    """
    return _call("POST", url, body, headers, seconds, public_only=public_only, settled=settled)


def is_public(host: str) -> bool:
    """Whether all addresses of a host are ones that the whole internet can reach; ``OSError`` if it has none."""
    return all(_is_public(one) for one in _addresses(host, None))


def _addresses(host: str, port: int | str | None) -> list[str]:
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def _is_public(address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        # An address of IPv4 in the clothes of IPv6 is judged as what it is.
        found = found.ipv4_mapped or found.sixtofour or found
    return found.is_global and not found.is_multicast


def get(url: str, *, headers: Mapping[str, str], seconds: float = SECONDS, settled: str = "") -> Answer:
    """Ask for what is at an address; ``Unavailable`` and ``settled`` as for ``post``."""
    return _call("GET", url, None, headers, seconds, public_only=False, settled=settled)


def _call(
    method: str,
    url: str,
    body: bytes | None,
    headers: Mapping[str, str],
    seconds: float,
    *,
    public_only: bool,
    settled: str,
) -> Answer:
    parts = urlsplit(url)
    until = clock.monotonic() + seconds
    try:
        if settled:
            connection = _settled_connection(parts, seconds, settled)
        else:
            connection = _public_connection(parts, seconds) if public_only else _connection(parts, seconds)
    except OSError as error:
        raise _silent(parts, error) from None
    try:
        connection.request(method, _target(parts), body, {"User-Agent": "trueup", **headers})
        response = connection.getresponse()
        content_type = response.headers.get_content_type()
        later = response.headers.get("Retry-After", "")
        return Answer(
            status=response.status,
            content_type=content_type,
            body=_read(response, connection, until),
            retry_after=int(later) if later.isascii() and later.isdecimal() and len(later) < 7 else None,
        )
    except (OSError, http.client.HTTPException) as error:
        raise _silent(parts, error) from None
    finally:
        connection.close()


def _silent(parts: SplitResult, error: Exception) -> Unavailable:
    return Unavailable(
        f"{parts.hostname} did not answer ({type(error).__name__}).",
        code="outside_unavailable",
        hint="See that it runs, and that this host may reach it.",
    )


def _public_connection(parts: SplitResult, seconds: float) -> http.client.HTTPConnection:
    host = parts.hostname or ""
    found = _addresses(host, parts.port or parts.scheme)
    if not all(map(_is_public, found)):
        raise AddressPrivate(
            f"{host} is an address of a private network, and these are not called.",
            hint="Whoever runs Trueup may allow them with TRUEUP_NOTICES_PRIVATE=true.",
        )
    return _settled_connection(parts, seconds, found[0])


def _settled_connection(parts: SplitResult, seconds: float, address: str) -> http.client.HTTPConnection:
    host = parts.hostname or ""
    if parts.scheme == "https":
        secure = _SecureTo(host, parts.port, timeout=seconds)
        secure.address, secure.secure = address, ssl.create_default_context()
        return secure
    plain = _To(host, parts.port, timeout=seconds)
    plain.address = address
    return plain


def _connection(parts: SplitResult, seconds: float) -> http.client.HTTPConnection:
    host = parts.hostname or ""
    if parts.scheme == "https":
        return http.client.HTTPSConnection(host, parts.port, timeout=seconds, context=ssl.create_default_context())
    return http.client.HTTPConnection(host, parts.port, timeout=seconds)


def _target(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _read(response: http.client.HTTPResponse, connection: http.client.HTTPConnection, until: float) -> bytes:
    """All of the body; one that drips in is given up at the same moment as one that does not come."""
    body = b""
    while piece := response.read1(_PIECE):
        body += piece
        left = until - clock.monotonic()
        if left <= 0:
            raise TimeoutError
        if len(body) > MOST_BYTES:
            raise http.client.HTTPException
        # An answer after which the connection ends has taken the socket over, with the first timeout.
        if connection.sock is not None:
            connection.sock.settimeout(left)
    return body
