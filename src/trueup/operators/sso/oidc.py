"""OpenID Connect as a relying party: the authorization code flow with PKCE, state and nonce, and nothing else.

https://openid.net/specs/openid-connect-core-1_0.html; mix-up is refused as RFC 9207 says. Everything is asked of the
provider anew at each answer: three calls, and no key is believed longer than it is published. Where a sign-in begins,
which strangers do too, a provider is asked for its addresses at most once a minute.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote_plus, urlencode

import jwt

from trueup.kernel.errors import TrueupError
from trueup.kernel.records import Record
from trueup.operators.sso import fetching, rules
from trueup.operators.sso.errors import SsoInvalid, SsoRefused
from trueup.operators.sso.types import Connection, Pending, Purpose, Reason, Said
from trueup.runtime.recalling import Recalled

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures by the provider's private key; no ``none``, and no HMAC, which a public key could be passed off for."""
SCOPES: Final = "openid email profile"
_WELL_KNOWN: Final = "/.well-known/openid-configuration"
_CHALLENGE: Final = "S256"
_VERIFIED: Final = frozenset({"email_verified", "xms_edov"})
SECONDS_KNOWN: Final = 60.0
"""So long what a provider says of itself is known."""


class Provider(Record, frozen=True):
    """What a provider says of itself."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str
    basic: bool
    """Whether it takes the client's secret in a header only."""
    names_itself: bool
    """Whether each answer says whose it is (RFC 9207)."""
    scopes: tuple[str, ...]


_known: Final = Recalled[Provider](seconds=SECONDS_KNOWN, dear=lambda _described: True)


def provider(issuer: str) -> Provider:
    """Ask a provider for its addresses; ``SsoInvalid`` where it is not who was asked, or names no usable ones."""
    found = fetching.tree(fetching.get(issuer.rstrip("/") + _WELL_KNOWN))
    if found.get("issuer") != issuer:
        raise SsoInvalid(
            "There is another issuer at this address.", hint=f"It calls itself {str(found.get('issuer'))[:200]}."
        )
    methods = found.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    described = Provider(
        issuer=issuer,
        authorization_endpoint=str(found.get("authorization_endpoint", "")),
        token_endpoint=str(found.get("token_endpoint", "")),
        jwks_uri=str(found.get("jwks_uri", "")),
        userinfo_endpoint=str(found.get("userinfo_endpoint") or ""),
        basic="client_secret_basic" in methods,
        names_itself=found.get("authorization_response_iss_parameter_supported") is True,
        scopes=tuple(str(one) for one in found.get("scopes_supported") or ()),
    )
    fetching.check_page(described.authorization_endpoint)
    for url in (described.token_endpoint, described.jwks_uri):
        fetching.check(url)
    return described


def known(issuer: str) -> Provider:
    """As ``provider``, but asked at most once in ``SECONDS_KNOWN`` by each process."""
    return _known.of(issuer, lambda: provider(issuer))


def address(connection: Connection, pending: Pending, *, state: str) -> str:
    """Where to send the browser."""
    described = known(connection.issuer)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(pending.verifier.encode()).digest()).rstrip(b"=")
    asked = {
        "response_type": "code",
        "client_id": connection.client_id,
        "redirect_uri": pending.callback,
        "scope": SCOPES + (" groups" if connection.groups_claim and "groups" in described.scopes else ""),
        "state": state,
        "nonce": pending.nonce,
        "code_challenge": challenge.decode(),
        "code_challenge_method": _CHALLENGE,
    }
    if pending.purpose is Purpose.CONFIRM:
        asked |= {"prompt": "login", "max_age": "0"}
    glue = "&" if "?" in described.authorization_endpoint else "?"
    return f"{described.authorization_endpoint}{glue}{urlencode(asked)}"


def answered(query: Mapping[str, str], *, connection: Connection, secret: str, pending: Pending, now: datetime) -> Said:
    """What the provider says of the person, after it was asked for the token that belongs to the code."""
    issuer = query.get("iss", "")
    if issuer and issuer != connection.issuer:
        raise SsoRefused(Reason.OTHER_PROVIDER)
    if query.get("error"):
        raise SsoRefused(Reason.PROVIDER_REFUSED)
    try:
        described = provider(connection.issuer)
        if described.names_itself and not issuer:
            raise SsoRefused(Reason.OTHER_PROVIDER)
        tokens = _tokens(described, query.get("code", ""), connection, secret, pending)
        claims = _claims(described, str(tokens.get("id_token", "")), connection, pending, now)
        access = str(tokens.get("access_token", ""))
        if described.userinfo_endpoint and access and _lacks(claims, connection):
            claims = _more(described, access, claims) | claims
    except SsoRefused:
        raise
    except TrueupError:
        raise SsoRefused(Reason.PROVIDER_AWAY) from None
    return said(claims, connection)


def _tokens(described: Provider, code: str, connection: Connection, secret: str, pending: Pending) -> dict[str, Any]:
    if not code:
        raise SsoRefused(Reason.MALFORMED)
    fields = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": pending.callback,
        "code_verifier": pending.verifier,
    }
    headers: dict[str, str] = {}
    if described.basic:
        # https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1: both are encoded like a form first.
        pair = f"{quote_plus(connection.client_id)}:{quote_plus(secret)}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    else:
        fields |= {"client_id": connection.client_id, "client_secret": secret}
    return fetching.tree(fetching.post(described.token_endpoint, fields, headers=headers))


def _claims(described: Provider, token: str, connection: Connection, pending: Pending, now: datetime) -> dict[str, Any]:
    """The claims of the ID token, checked as OpenID Connect Core 3.1.3.7 asks."""
    try:
        header = jwt.get_unverified_header(token)
    except jwt.InvalidTokenError:
        raise SsoRefused(Reason.MALFORMED) from None
    if header.get("alg") == "none":
        raise SsoRefused(Reason.UNSIGNED)
    if header.get("alg") not in ALGORITHMS:
        raise SsoRefused(Reason.SIGNATURE)
    key = _key(fetching.tree(fetching.get(described.jwks_uri)), header)
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[str(header["alg"])],
            audience=connection.client_id,
            issuer=connection.issuer,
            leeway=rules.SKEW,
            options={"require": ["exp", "iat", "iss", "aud", "sub"], "strict_aud": False},
        )
    except jwt.ExpiredSignatureError:
        raise SsoRefused(Reason.TOO_LATE) from None
    except jwt.ImmatureSignatureError:
        raise SsoRefused(Reason.TOO_EARLY) from None
    except jwt.InvalidAudienceError:
        raise SsoRefused(Reason.AUDIENCE) from None
    except jwt.InvalidIssuerError:
        raise SsoRefused(Reason.OTHER_PROVIDER) from None
    except jwt.InvalidSignatureError:
        raise SsoRefused(Reason.SIGNATURE) from None
    except jwt.InvalidTokenError:
        raise SsoRefused(Reason.MALFORMED) from None
    _check(claims, connection, pending, now)
    return claims


def _key(keys: Mapping[str, Any], header: Mapping[str, Any]) -> jwt.PyJWK:
    """The provider's key that a token names, made for the method that the token names."""
    fitting = [
        one
        for one in keys.get("keys", ())
        if isinstance(one, dict)
        and one.get("use", "sig") == "sig"
        and one.get("kty") in {"RSA", "EC", "OKP"}
        and header.get("kid") in (None, one.get("kid"))
    ]
    if len(fitting) != 1:
        raise SsoRefused(Reason.SIGNATURE)
    try:
        return jwt.PyJWK(fitting[0], algorithm=str(header["alg"]))
    except (jwt.PyJWTError, ValueError):
        raise SsoRefused(Reason.SIGNATURE) from None


def _check(claims: Mapping[str, Any], connection: Connection, pending: Pending, now: datetime) -> None:
    audience = claims["aud"]
    if isinstance(audience, list) and len(audience) > 1 and claims.get("azp") != connection.client_id:
        raise SsoRefused(Reason.AUDIENCE)
    if claims.get("azp") not in (None, connection.client_id):
        raise SsoRefused(Reason.AUDIENCE)
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), pending.nonce.encode()):
        raise SsoRefused(Reason.NONCE)
    if pending.purpose is Purpose.CONFIRM:
        at = claims.get("auth_time")
        if not isinstance(at, int | float) or at < (pending.created_at - rules.SKEW).timestamp():
            raise SsoRefused(Reason.NOT_FRESH)
    if now.timestamp() - float(claims["iat"]) > rules.PATIENCE.total_seconds():
        raise SsoRefused(Reason.TOO_LATE)


def _lacks(claims: Mapping[str, Any], connection: Connection) -> bool:
    wanted = {"email", *({connection.groups_claim} - {""})}
    return any(name not in claims for name in wanted) or _VERIFIED.isdisjoint(claims)


def _more(described: Provider, access: str, claims: Mapping[str, Any]) -> dict[str, Any]:
    """What the provider tells beside the token; only if it is of the same person."""
    found = fetching.tree(fetching.get(described.userinfo_endpoint, headers={"Authorization": f"Bearer {access}"}))
    if found.get("sub") != claims["sub"]:
        raise SsoRefused(Reason.OTHER_PROVIDER)
    return found


def _is_verified(claims: Mapping[str, Any]) -> bool:
    """Whether the provider vouches that the address is the person's.

    Entra ID says ``xms_edov``: the address is of a domain whose owner it knows.
    """
    return any(claims.get(name) in (True, "true", "1") for name in _VERIFIED)


def said(claims: Mapping[str, Any], connection: Connection) -> Said:
    """The claims as we use them."""
    subject, email = claims.get("sub"), claims.get("email")
    if not isinstance(subject, str) or not subject:
        raise SsoRefused(Reason.SUBJECT_MISSING)
    groups = claims.get(connection.groups_claim) if connection.groups_claim else None
    return Said(
        subject=subject,
        email=email.strip() if isinstance(email, str) else "",
        email_verified=_is_verified(claims),
        name=str(claims.get("name") or ""),
        groups=_words(groups),
        contexts=(*_words(claims.get("amr")), *_words(claims.get("acr"))),
        until=None,
        claims=dict(claims),
    )


def _words(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, Iterable) else ()
