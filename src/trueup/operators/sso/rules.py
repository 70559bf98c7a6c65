"""Whom a provider vouches for, and what their groups give them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from trueup.operators.sso.types import Connection, Given, Kind, Without
from trueup.operators.types import Role

SKEW: Final = timedelta(seconds=60)
"""So far a provider's clock may be from ours."""
PATIENCE: Final = timedelta(minutes=15)
"""So long somebody may stay at the provider's page."""
PICKED_UP: Final = timedelta(minutes=2)
"""So long an answer waits for its browser, which comes at once."""
KEPT: Final = timedelta(days=1)
"""So long we know that a request was answered; signed answers live for minutes."""

DOMAIN: Final = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))+")
UNTOLD: Final = frozenset({"", "0", "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified"})
"""Words for how somebody signed in that say nothing."""
FACTOR_WORDS: Final = (
    "mfa",
    "https://refeds.org/profile/mfa",
    "http://schemas.microsoft.com/claims/multipleauthn",
    "http://schemas.openid.net/pape/policies/2007/06/multi-factor",
    "urn:okta:loa:2fa:any",
    "phr",
    "phrh",
)
"""What providers call two factors."""
_TRUST: Final = ("kind", "domains", "provider_factor", "factor_words")
_TRUST_OF: Final = {Kind.OIDC: ("issuer", "client_id"), Kind.SAML: ("metadata_url",)}
"""What a provider of each kind is known by; the entity of a SAML provider stands in its metadata."""


def domain_of(email: str) -> str:
    """The domain of an address in lower case; empty for what is none."""
    local, at, domain = email.strip().lower().rpartition("@")
    return domain if local and at and "@" not in local else ""


def is_of(email: str, connection: Connection) -> bool:
    """Whether the connection vouches for this address; a domain does not stand for those below it."""
    return domain_of(email) in connection.domains


def given_by(groups: Iterable[str], connection: Connection) -> tuple[Role, ...]:
    """The roles that these groups give, in the order of the roles. Names of groups are compared as they stand."""
    held = set(groups)
    given = {role for group, roles in connection.groups if group in held for role in roles}
    return tuple(role for role in Role if role in given)


def roles_after(current: Iterable[Role], groups: Iterable[str], connection: Connection) -> tuple[Role, ...]:
    """What somebody is here for after a sign-in.

    A role that some group gives is given by groups alone: who left the group has it no more. Other roles were given by
    people here, and stay.
    """
    by_groups = {role for _group, roles in connection.groups for role in roles}
    kept = set(current) - by_groups
    given = set(given_by(groups, connection))
    return tuple(role for role in Role if role in kept | given)


def lets_in(roles: Iterable[Role], groups: Iterable[str], connection: Connection) -> bool:
    """Whether somebody with these groups and, after them, these roles comes in. Nobody without a role does."""
    if connection.without_group is Without.REFUSE and not given_by(groups, connection):
        return False
    return bool(tuple(roles))


def has_two_factors(contexts: Iterable[str], connection: Connection) -> bool:
    """Whether the provider asked for a second factor: it is said to, and nothing that it told speaks against it."""
    if not connection.provider_factor:
        return False
    told = set(contexts) - UNTOLD
    return not told or not told.isdisjoint(connection.factor_words)


def changes_trust(before: Connection, given: Given) -> bool:
    """Whether somebody would be believed who was not: another provider, other domains, its second factor, admins.

    Whoever can change these can sign in as anybody of the domains.
    """
    raised = {group for group, roles in before.groups if Role.ADMIN in roles}
    raising = {group for group, roles in given.groups if Role.ADMIN in roles}
    others = any(getattr(before, name) != getattr(given, name) for name in (*_TRUST, *_TRUST_OF[given.kind]))
    return others or bool(given.metadata) or not raising <= raised
