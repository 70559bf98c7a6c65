"""What others may ask about single sign-on: which providers vouch for whom, and who may change that.

Whoever can change a provider can sign in as anybody of its domains. So only an owner does, what is trusted changes only
while the provider is switched off, and switching it on takes another owner where there is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from trueup.audit import service as audit
from trueup.audit.types import Action
from trueup.kernel.actor import Actor
from trueup.kernel.errors import Conflict, NotFound
from trueup.operators import ranks
from trueup.operators import service as operators
from trueup.operators import store as people
from trueup.operators.approvals import service as approvals
from trueup.operators.approvals.kinds import Kind, register
from trueup.operators.approvals.types import Approval
from trueup.operators.permissions import Permission
from trueup.operators.sso import oidc, rules, saml_metadata, store
from trueup.operators.sso.errors import SsoInvalid
from trueup.operators.sso.types import Connection, Given, Switched
from trueup.operators.sso.types import Kind as Speaks
from trueup.operators.types import Person, Role
from trueup.runtime import clock, database

LONGEST_NAME: Final = 60
FACTOR_WORDS: Final = rules.FACTOR_WORDS
LONGEST: Final = 2000
MOST_LINES: Final = 200


def connections() -> list[Connection]:
    """All providers, by name."""
    return store.connections()


def connection(connection_id: int) -> Connection:
    """One provider; ``NotFound`` where there is none."""
    found = store.find(connection_id)
    if found is None:
        raise NotFound(f"There is no provider {connection_id}.", code="sso_connection_unknown")
    return found


def offered() -> list[Connection]:
    """The providers that somebody may sign in with."""
    return [one for one in store.connections() if one.is_on]


def connections_of(operator_id: int) -> list[Connection]:
    """The providers that a person signed in with, and may again."""
    return store.connections_of(operator_id)


def required_for(email: str) -> Connection | None:
    """The provider that people of this address's domain have to come in by; None where there is none."""
    return next((one for one in offered() if one.is_required and rules.is_of(email, one)), None)


def may_use_password(person: Person) -> bool:
    """Whether a person may come in without their provider. Owners may, so that a broken provider locks nobody out."""
    return Role.OWNER in person.roles or required_for(person.email) is None


def add(*, given: Given, by: Actor) -> Connection:
    """Keep a provider, switched off; ``SsoInvalid`` says what cannot be used. Asks the provider who it is."""
    operators.require(by, Permission.SSO_MANAGE)
    columns = _columns(given, None)
    with database.transaction() as connection_:
        made = store.insert(columns)
        audit.record(
            connection_,
            by=by,
            action=Action.SSO_CONNECTION_ADDED,
            object_type="sso_connection",
            object_id=str(made.id),
            after=_facts(made),
        )
    return made


def change(*, connection_id: int, given: Given, by: Actor) -> Connection:
    """Change a provider; ``Conflict`` for what is trusted while it is switched on."""
    operators.require(by, Permission.SSO_MANAGE)
    before = connection(connection_id)
    columns = _columns(given, before)
    with database.transaction() as connection_:
        before = _locked(connection_id)
        trusted = rules.changes_trust(before, given)
        if trusted and before.is_on:
            raise Conflict(
                "Whom a provider vouches for changes only while it is switched off.",
                code="sso_connection_on",
                hint="Switch it off, change it, try it, and switch it on again.",
            )
        revision = before.revision + (1 if trusted else 0)
        after = store.update(connection_id, **columns, revision=revision, changed_at=clock.now())
        audit.record(
            connection_,
            by=by,
            action=Action.SSO_CONNECTION_CHANGED,
            object_type="sso_connection",
            object_id=str(connection_id),
            before=_facts(before),
            after=_facts(after) | {"client_secret_replaced": "client_secret" in columns},
        )
    return after


def refresh(*, connection_id: int, by: Actor) -> Connection:
    """Read a SAML provider's metadata again at the address that was agreed to: its certificates are others by now."""
    operators.require(by, Permission.SSO_MANAGE)
    before = connection(connection_id)
    if not before.metadata_url:
        raise SsoInvalid("There is no address to read the metadata from.", hint="Paste the new metadata.")
    found = saml_metadata.fetched(before.metadata_url)
    if found.entity_id != before.issuer:
        raise SsoInvalid("The metadata is of another provider by now.")
    with database.transaction() as connection_:
        before = _locked(connection_id)
        after = store.update(
            connection_id,
            sign_in_url=found.sign_in_url,
            certificates=list(found.certificates),
            changed_at=clock.now(),
        )
        audit.record(
            connection_,
            by=by,
            action=Action.SSO_CONNECTION_CHANGED,
            object_type="sso_connection",
            object_id=str(connection_id),
            before=_facts(before),
            after=_facts(after),
        )
    return after


def switch_on(*, connection_id: int, why: str = "", by: Actor) -> Switched:
    """Let people in by a provider, or ask another owner for it, where there is one; ``why`` is needed then."""
    operators.require(by, Permission.SSO_MANAGE)
    found = connection(connection_id)
    if found.is_on:
        return Switched(connection=found, approval_id=None)
    if not ranks.needs_another(by, {Role.OWNER}):
        return Switched(connection=_switch(connection_id, is_on=True, by=by), approval_id=None)
    asked = approvals.ask(
        kind=SWITCH.name,
        object_type="sso_connection",
        object_id=str(connection_id),
        change={"revision": found.revision, "issuer": found.issuer, "domains": list(found.domains)},
        why=why,
        by=by,
    )
    return Switched(connection=found, approval_id=asked.id)


def _agreed(approval: Approval, by: Actor) -> None:
    """Switch on what was asked about, unless it is another provider by now."""
    if connection(int(approval.object_id)).revision != approval.change["revision"]:
        raise Conflict(
            "The provider was changed since this was asked for.",
            code="approval_outdated",
            hint="Refuse it; it can be asked for again.",
        )
    operators.require(by, Permission.SSO_MANAGE)
    _switch(int(approval.object_id), is_on=True, by=by, approval=approval.id)


SWITCH: Final = register(
    Kind(
        name="operators.sso",
        asking=Permission.SSO_MANAGE,
        approving=Permission.PEOPLE_APPROVE,
        perform=_agreed,
    )
)


def switch_off(*, connection_id: int, by: Actor) -> Connection:
    """Let nobody in by a provider any more; who is in stays in."""
    operators.require(by, Permission.SSO_MANAGE)
    return _switch(connection_id, is_on=False, by=by)


def _switch(connection_id: int, *, is_on: bool, by: Actor, approval: int | None = None) -> Connection:
    with database.transaction() as connection_:
        before = _locked(connection_id)
        if before.is_on is is_on:
            return before
        after = store.update(connection_id, is_on=is_on, changed_at=clock.now())
        audit.record(
            connection_,
            by=by,
            action=Action.SSO_CONNECTION_SWITCHED,
            object_type="sso_connection",
            object_id=str(connection_id),
            before={"is_on": before.is_on},
            after={"is_on": is_on, "revision": after.revision, "approval": approval},
        )
    return after


def remove(*, connection_id: int, by: Actor) -> None:
    """Forget a provider and whom it linked; ``Conflict`` while it is switched on."""
    operators.require(by, Permission.SSO_MANAGE)
    with database.transaction() as connection_:
        before = _locked(connection_id)
        if before.is_on:
            raise Conflict("Switch it off first.", code="sso_connection_on")
        store.delete(connection_id)
        audit.record(
            connection_,
            by=by,
            action=Action.SSO_CONNECTION_REMOVED,
            object_type="sso_connection",
            object_id=str(connection_id),
            before=_facts(before),
        )


def unlink(*, operator_id: int, by: Actor) -> int:
    """Forget what providers call a person, whose name there is another by now; returns how many did.

    The next sign-in with their address links them anew.
    """
    operators.require(by, Permission.PEOPLE_MANAGE)
    person = people.find_by_id(operator_id)
    if person is None:
        raise NotFound(f"There is no operator {operator_id}.", code="operator_unknown")
    ranks.require(by, person.roles)
    with database.transaction() as connection_:
        gone = store.unlink(operator_id)
        if gone:
            audit.record(
                connection_,
                by=by,
                action=Action.SSO_UNLINKED,
                object_type="operator",
                object_id=str(operator_id),
                after={"connections": gone},
            )
    return len(gone)


def _locked(connection_id: int) -> Connection:
    found = store.find(connection_id, lock=True)
    if found is None:
        raise NotFound(f"There is no provider {connection_id}.", code="sso_connection_unknown")
    return found


def _facts(one: Connection) -> dict[str, Any]:
    """A connection for the audit log: everything but its secret, and of certificates how many."""
    return {
        "name": one.name,
        "kind": one.kind.value,
        "issuer": one.issuer,
        "client_id": one.client_id,
        "metadata_url": one.metadata_url,
        "sign_in_url": one.sign_in_url,
        "certificates": len(one.certificates),
        "domains": list(one.domains),
        "makes_people": one.makes_people,
        "groups_claim": one.groups_claim,
        "groups": store.roles_words(one.groups),
        "without_group": one.without_group.value,
        "is_required": one.is_required,
        "provider_factor": one.provider_factor,
        "factor_words": list(one.factor_words),
        "is_on": one.is_on,
        "revision": one.revision,
    }


def _columns(given: Given, before: Connection | None) -> dict[str, Any]:
    """What to keep of what somebody set; ``SsoInvalid`` for what cannot be used."""
    _check(given)
    speaks = _of_oidc(given, before) if given.kind is Speaks.OIDC else _of_saml(given, before)
    return {
        "name": given.name.strip(),
        "kind": given.kind.value,
        "domains": list(given.domains),
        "makes_people": given.makes_people,
        "groups_claim": given.groups_claim.strip(),
        "groups": store.roles_words(given.groups),
        "without_group": given.without_group.value,
        "is_required": given.is_required,
        "provider_factor": given.provider_factor,
        "factor_words": list(given.factor_words),
        **speaks,
    }


def _check(given: Given) -> None:
    if not given.name.strip() or len(given.name) > LONGEST_NAME:
        raise SsoInvalid(f"A provider has a name of at most {LONGEST_NAME} characters.")
    if not given.domains:
        raise SsoInvalid("Name the domains that it vouches for.", hint="Such as acme.example, one a line.")
    for one in given.domains:
        if not rules.DOMAIN.fullmatch(one):
            raise SsoInvalid(f"{one[:80]} is no domain.", hint="Write acme.example, without @ and in lower case.")
    if max(len(given.domains), len(given.groups), len(given.factor_words)) > MOST_LINES:
        raise SsoInvalid(f"There are at most {MOST_LINES} lines.")
    if given.groups and not given.groups_claim.strip():
        raise SsoInvalid("Name the claim or attribute that holds the groups.", hint="Often it is called groups.")
    if any(Role.OWNER in roles for _group, roles in given.groups):
        raise SsoInvalid("No group makes owners: people do.", hint="A group may give any other role, admin too.")


def _of_oidc(given: Given, before: Connection | None) -> Mapping[str, Any]:
    if not given.client_id or len(given.client_id) > LONGEST or len(given.issuer) > LONGEST:
        raise SsoInvalid("OpenID Connect takes an issuer and a client id.")
    if not given.client_secret and (before is None or not before.has_secret):
        raise SsoInvalid("Enter the client's secret.")
    if before is None or before.issuer != given.issuer:
        oidc.provider(given.issuer)
    kept: dict[str, Any] = {"issuer": given.issuer, "client_id": given.client_id}
    if given.client_secret:
        kept["client_secret"] = store.sealed_secret(given.client_secret)
    return kept


def _of_saml(given: Given, before: Connection | None) -> Mapping[str, Any]:
    if given.metadata:
        found = saml_metadata.read(given.metadata.encode())
    elif given.metadata_url and (before is None or before.metadata_url != given.metadata_url):
        found = saml_metadata.fetched(given.metadata_url)
    elif before is None:
        raise SsoInvalid("SAML takes the provider's metadata.", hint="Its address, or the document itself.")
    else:
        return {}
    return {
        "issuer": found.entity_id,
        "sign_in_url": found.sign_in_url,
        "certificates": list(found.certificates),
        "metadata_url": given.metadata_url,
    }
