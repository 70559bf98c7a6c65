"""Which client a request comes from, behind proxies that are named and behind others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import RequestFactory

from trueup.runtime import configuration
from trueup.web.requests import client_address


@pytest.fixture(autouse=True)
def proxies(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Trust what the test's marker names, or nobody."""
    monkeypatch.setenv("TRUEUP_TRUSTED_PROXIES", getattr(request, "param", ""))
    configuration.current.cache_clear()
    yield
    configuration.current.cache_clear()


def seen(peer: str, forwarded: str | None = None) -> str:
    """The client of a request from this peer with this header."""
    headers = {} if forwarded is None else {"x-forwarded-for": forwarded}
    return client_address(RequestFactory().get("/", headers=headers, REMOTE_ADDR=peer))


def test_without_a_trusted_proxy_the_peer_is_the_client_whatever_it_says() -> None:
    assert seen("192.0.2.1") == "192.0.2.1"
    assert seen("192.0.2.1", "203.0.113.9") == "192.0.2.1"
    assert seen("127.0.0.1", "203.0.113.9") == "127.0.0.1"


@pytest.mark.parametrize("proxies", ["127.0.0.1, 10.0.0.0/8, fd00::/8"], indirect=True)
@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        ("10.1.1.1", "198.51.100.1, 203.0.113.9, 10.2.2.2", "203.0.113.9"),
        ("fd00::1", "2001:db8::1", "2001:db8::1"),
        ("10.1.1.1", None, "10.1.1.1"),
        ("10.1.1.1", "", "10.1.1.1"),
        ("10.1.1.1", "10.2.2.2", "10.2.2.2"),
        ("10.1.1.1", "garbage", "garbage"),
        ("10.1.1.1", "203.0.113.9, garbage", "garbage"),
        ("192.0.2.1", "203.0.113.9", "192.0.2.1"),
    ],
)
def test_a_trusted_proxy_is_believed_as_far_as_it_can_know(peer: str, forwarded: str | None, client: str) -> None:
    assert seen(peer, forwarded) == client
