"""A provider of OpenID Connect on this machine that can be told to say anything; its tokens are signed by joserfc."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey
from typing_extensions import override

from trueup.runtime import clock

CLIENT = "trueup"
SECRET = "s3cret:with a colon"
KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
STRANGER = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})


class Provider:
    """What it says, and what it was asked."""

    def __init__(self, url: str) -> None:
        self.issuer = url
        self.claims: dict[str, Any] = {
            "sub": "u-1",
            "email": "elena@acme.example",
            "email_verified": True,
            "name": "Elena Sato",
        }
        self.described: dict[str, Any] = {}
        self.looks = 0
        self.userinfo: dict[str, Any] = {}
        self.sign: Callable[[dict[str, Any]], str] = signed
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []

    def authorize(self, address: str) -> dict[str, str]:
        """Let the person in who was sent to this address: the query that their browser brings back."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        return {"code": code, "state": asked["state"], "iss": self.issuer}

    def answer(self, path: str, form: dict[str, str], headers: dict[str, str]) -> dict[str, Any]:
        """What is at an address."""
        if path == "/.well-known/openid-configuration":
            self.looks += 1
            own = {name: f"{self.issuer}/{name}" for name in ("authorize", "token", "jwks", "userinfo")}
            return {
                "issuer": self.issuer,
                "authorization_endpoint": own["authorize"],
                "token_endpoint": own["token"],
                "jwks_uri": own["jwks"],
                "userinfo_endpoint": own["userinfo"],
                "scopes_supported": ["openid", "email", "profile", "groups"],
                "authorization_response_iss_parameter_supported": True,
                **self.described,
            }
        if path == "/jwks":
            return {"keys": [KEY.as_dict(private=False)]}
        if path == "/userinfo":
            return self.userinfo
        self.asked.append((headers.get("Authorization", ""), form))
        asked = self.codes.pop(form["code"])
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=")
        assert (asked["code_challenge"], asked["redirect_uri"]) == (challenge.decode(), form["redirect_uri"])
        now = clock.unix()
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        if asked.get("prompt") == "login":
            claims["auth_time"] = now
        return {"access_token": "t", "token_type": "Bearer", "id_token": self.sign(claims | self.claims)}


def signed(claims: dict[str, Any]) -> str:
    """A token as it should be."""
    return jwt.encode({"alg": "RS256", "kid": "one"}, claims, KEY)


def by_a_stranger(claims: dict[str, Any]) -> str:
    """A token of somebody else's key that claims to be the provider's."""
    return jwt.encode({"alg": "RS256", "kid": "one"}, claims, STRANGER)


def unsigned(claims: dict[str, Any]) -> str:
    """A token with ``alg: none``."""
    return ".".join(_part(part) for part in ({"alg": "none"}, claims)) + "."


def by_public_key(claims: dict[str, Any]) -> str:
    """A token with an HMAC whose secret is the provider's public key, which everybody has."""
    told = f"{_part({'alg': 'HS256', 'kid': 'one'})}.{_part(claims)}"
    digest = hmac.digest(KEY.as_pem(private=False), told.encode(), "sha256")
    return f"{told}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def changed_afterwards(claims: dict[str, Any]) -> str:
    """A token whose claims are others than those that were signed."""
    head, _body, signature = signed(claims).split(".")
    return f"{head}.{_part(claims | {'email': 'owner@acme.example'})}.{signature}"


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@contextmanager
def running() -> Iterator[Provider]:
    """One, on a port of its own."""
    held: list[Provider] = []

    class _Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answered({})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
            self._answered({name: values[0] for name, values in parse_qs(body).items()})

        def _answered(self, form: dict[str, str]) -> None:
            body = json.dumps(held[0].answer(urlsplit(self.path).path, form, dict(self.headers))).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        @override
        def log_message(self, format: str, *args: object) -> None:
            del format, args

    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        held.append(Provider(f"http://127.0.0.1:{server.server_address[1]}"))
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield held[0]
        finally:
            server.shutdown()
            thread.join()
