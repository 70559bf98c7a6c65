"""The nouns of single sign-on."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from trueup.kernel.records import Record
from trueup.operators.types import Person, Role


class Kind(StrEnum):
    """How a provider speaks."""

    OIDC = "oidc"
    SAML = "saml"


class Without(StrEnum):
    """What becomes of somebody whom no group gives a role."""

    REFUSE = "refuse"
    KEEP = "keep"
    """They come in with the roles that people gave them here, if any."""


class Purpose(StrEnum):
    """Why somebody is sent to a provider."""

    SIGN_IN = "sign_in"
    CONFIRM = "confirm"
    """Somebody who is in shows once more who they are."""
    TEST = "test"
    """To see what the provider says of the one who asks, without anything coming of it."""


class Reason(StrEnum):
    """Why an answer lets nobody in. Each is a code, in the log as it is."""

    UNSOLICITED = "unsolicited"
    """Nobody here asked for it, or too long ago."""
    REPLAYED = "replayed"
    OTHER_BROWSER = "other_browser"
    """It was asked for by another browser than the one that brings it."""
    OTHER_PROVIDER = "other_provider"
    """Another issuer than the one that was asked."""
    SWITCHED_OFF = "switched_off"
    PROVIDER_REFUSED = "provider_refused"
    """The provider itself let the person not in."""
    PROVIDER_AWAY = "provider_away"
    """It could not be asked for the rest, or its address may not be called."""
    MALFORMED = "malformed"
    ENCRYPTED = "encrypted"
    UNSIGNED = "unsigned"
    SIGNATURE = "signature"
    """A signature that is not of the provider's keys, or with a method that nobody should use."""
    WRAPPED = "wrapped"
    """What is signed is not what would be read."""
    AUDIENCE = "audience"
    """It is for somebody else."""
    RECIPIENT = "recipient"
    """It is for another address."""
    TOO_LATE = "too_late"
    TOO_EARLY = "too_early"
    NONCE = "nonce"
    NOT_FRESH = "not_fresh"
    """The person did not show anew who they are, as was asked."""
    SUBJECT_MISSING = "subject_missing"
    """No lasting name for the person."""
    SUBJECT_CHANGED = "subject_changed"
    """The address belongs to somebody whom the provider called otherwise."""
    EMAIL_MISSING = "email_missing"
    EMAIL_UNVERIFIED = "email_unverified"
    DOMAIN = "domain"
    """The address is of a domain that this provider does not vouch for."""
    NOT_INVITED = "not_invited"
    NO_GROUP = "no_group"
    """No group of theirs gives a role."""
    DEACTIVATED = "deactivated"
    OTHER_PERSON = "other_person"
    """Somebody else than who is signed in."""


class Connection(Record, frozen=True):
    """A provider that vouches for people of some domains, without its secret."""

    id: int
    name: str
    kind: Kind
    issuer: str
    """OpenID Connect: the issuer's address. SAML: the provider's entity id."""
    client_id: str
    has_secret: bool
    metadata_url: str
    sign_in_url: str
    certificates: tuple[str, ...]
    """In PEM; any of them may have signed."""
    domains: tuple[str, ...]
    """In lower case. Nobody of another domain is let in, and nobody of another is linked."""
    makes_people: bool
    """Whether somebody unknown is made a person at the first sign-in; else they have to be invited before."""
    groups_claim: str
    """The claim or attribute that names groups; empty where nobody asks."""
    groups: tuple[tuple[str, tuple[Role, ...]], ...]
    """The roles that each group gives."""
    without_group: Without
    is_required: bool
    """Whether people of these domains, but owners, come in by this connection only."""
    provider_factor: bool
    """Whether the provider asks for a second factor, so that we need not."""
    factor_words: tuple[str, ...]
    """Of what the provider tells of how somebody signed in (amr, acr, AuthnContext): what means two factors."""
    is_on: bool
    revision: int
    created_at: datetime
    changed_at: datetime


class Given(Record, frozen=True):
    """What somebody sets about a connection."""

    name: str
    kind: Kind
    issuer: str = ""
    client_id: str = ""
    client_secret: str = ""
    """Empty keeps the one there is."""
    metadata_url: str = ""
    metadata: str = ""
    """SAML: the document itself, in the place of its address. Empty keeps what was read."""
    domains: tuple[str, ...] = ()
    makes_people: bool = False
    groups_claim: str = ""
    groups: tuple[tuple[str, tuple[Role, ...]], ...] = ()
    without_group: Without = Without.REFUSE
    is_required: bool = False
    provider_factor: bool = False
    factor_words: tuple[str, ...] = ()


class Pending(Record, frozen=True):
    """Somebody who was sent to a provider: what the answer is checked against."""

    id: int
    connection_id: int
    purpose: Purpose
    operator_id: int | None
    created_at: datetime
    nonce: str
    verifier: str
    """What proves to the provider that whoever asks for the token is who sent the browser (PKCE)."""
    callback: str
    """The address that the answer comes to."""
    entity: str
    """What we are called: the client's id, or our entity id."""
    next: str


class Said(Record, frozen=True):
    """What a provider said of a person, after every check of form, signature, time and audience."""

    subject: str
    email: str
    email_verified: bool
    name: str
    groups: tuple[str, ...]
    contexts: tuple[str, ...]
    """How they signed in there: amr, acr or AuthnContext; empty where it was not told."""
    until: datetime | None
    """The session is not to outlast this; None where nothing was said."""
    claims: dict[str, Any]
    """Everything that came, for the page that shows it."""


class Outcome(Record, frozen=True):
    """What comes of an answer for the one who brought it."""

    pending: Pending
    connection: Connection
    said: Said
    person: Person | None
    """Who comes in; None for a test that would let nobody in."""
    roles: tuple[Role, ...]
    """Their roles, or in a test those they would have."""
    two_factors: bool
    """Whether the provider's second factor counts as ours."""
    refused: Reason | None = None
    """In a test: why they would not come in."""


class Switched(Record, frozen=True):
    """What came of switching a connection on: it is on, or another owner has to agree (the request's id)."""

    connection: Connection
    approval_id: int | None
