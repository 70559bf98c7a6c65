"""Every page with words, numbers, moments and bytes that nobody meant: it may refuse them, and never breaks."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from http import HTTPStatus
from urllib.parse import quote

import pytest
from django.test import Client

from tests.web.attacks.conftest import signed_in
from tests.web.attacks.walk import IDS, ROUTES, Route, filled
from trueup.accounts.types import Account
from trueup.operators.types import Person
from trueup.web.console.urls import urlpatterns


def cursor(text: str) -> str:
    """A cursor that holds this JSON."""
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


HARD = {
    "broken utf-8": "%ff%fe%c0%80",
    "no number": quote("²"),
    "huge": "9" * 40,
    "the end of the calendar": "9999-12-31T23:59:59.999999-23:59",
    "the last day": "9999-12-31",
    "a cursor of something else": cursor('["x",-9223372036854775808,null,{"a":[]},1e308]'),
}
"""Written as they stand in an address."""
ALONE = ("broken utf-8", "huge", "the end of the calendar")
VALUES = HARD | {
    "nul": "a%00b",
    "a broken escape": "%zz%",
    "half of a pair": "%ed%a0%80",
    "line ends": "a%0d%0aSet-Cookie:%20a=b",
    "long": "x" * 10_000,
    "one beyond": str(2**63),
    "negative": "-1",
    "not a number": "NaN",
    "infinite": "1e309",
    "other digits": quote("٣٤"),
    "the beginning of the calendar": "0001-01-01",
    "no day": "2026-13-45",
    "a quote": quote("' or 1=1); drop table operators_operator; --"),
    "a template": quote("{{ 7*7 }}{% debug %}${7*7}"),
    "a path": quote("../../../../etc/passwd"),
    "markup": quote("\"'><script>alert(1)</script>"),
    "a list": quote("[]") + "&{0}[]=1&{0}=2&{0}=",
    "a cursor with nul": cursor('["\\u0000","\\u0000"]'),
    "a cursor of moments": cursor('["0001-01-01T00:00:00+14:00","9999-12-31T23:59:59Z"]'),
}
OUTWARD = {"connection-key"}
"""What asks Stripe, which no test reaches, and says so."""
SHARES = 6
"""The walk is in parts, so that two workers share it."""
MOST = 5
"""As many pages as may break before the walk gives up, so that a message stays readable."""


def query(names: tuple[str, ...], value: str) -> str:
    """These words, each with this value."""
    return "&".join(f"{name}={value.replace('{0}', name)}" for name in names)


def broke(route: Route, status: int) -> bool:
    """Whether that is an answer that no request may get."""
    return status >= 500 and not (status == HTTPStatus.SERVICE_UNAVAILABLE and route.name in OUTWARD)


def attack(client: Client, route: Route, method: str) -> Iterator[str]:
    """What broke: the method, the page, the words and the kind of the value."""
    together = VALUES if method == "GET" else HARD
    asked = [(route.asked, kind, value) for kind, value in together.items()]
    # Where all words are bad the first refusal hides the others.
    asked += [((name,), kind, HARD[kind]) for name in route.asked for kind in (ALONE if method == "GET" else ())]
    for names, kind, value in asked:
        sent = query(names, value)
        if method == "GET":
            answer = client.generic(method, route.address, QUERY_STRING=sent)
        else:
            answer = client.generic(method, route.address, sent, content_type="application/x-www-form-urlencoded")
        if broke(route, answer.status_code):
            yield f"{method} {route.name} {','.join(names)}: {kind}"


@pytest.mark.timeout(600)
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("share", range(SHARES))
def test_no_value_of_a_query_or_form_breaks_a_page(owner: Person, customers: Account, method: str, share: int) -> None:
    broken: list[str] = []
    for route in ROUTES[share::SHARES]:
        if route.asked and route.name != "sign-out":
            broken += attack(signed_in(owner), route, method)

    assert broken[:MOST] == []


@pytest.mark.timeout(600)
def test_no_value_in_a_place_of_an_address_breaks_a_page(owner: Person, customers: Account) -> None:
    client, broken = signed_in(owner), []
    for one in urlpatterns:
        pattern = str(one.pattern)
        for kind, value in VALUES.items() if "<" in pattern else ():
            here = value.replace("&", "%26")[:2000]
            address = filled(pattern, dict.fromkeys([*IDS, "cause", "secret"], here))
            if client.generic("GET", address).status_code >= 500:
                broken.append(f"{one.name}: {kind}")
    assert broken[:MOST] == []


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"[" * 100_000),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="logo"; filename="../a"\r\n\r\n\xff',
        ),
        ("multipart/form-data", b"--"),
        ("multipart/form-data; boundary=" + "x" * 300, b""),
        ("application/x-www-form-urlencoded", b"a=b&" * 2000),
        ("application/x-www-form-urlencoded; charset=utf-7", b"a=%ff"),
        ("application/x-www-form-urlencoded; charset=nonsense", b"a=%ff"),
        ("text/plain", b"\xff\xfe" * 2_000_000),
    ],
)
def test_no_body_breaks_a_page(owner: Person, customers: Account, kind: str, body: bytes) -> None:
    client, pages = signed_in(owner), [one for one in ROUTES if one.name != "sign-out"]

    broken = [one.name for one in pages if broke(one, client.generic("POST", one.address, body, kind).status_code)]

    assert broken[:MOST] == []
