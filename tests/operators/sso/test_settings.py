"""Who sets providers up, what takes two, and what cannot be set."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from typing_extensions import override

from tests.operators.sso import saml_provider
from trueup.kernel.actor import Actor, ActorKind, system
from trueup.kernel.errors import Conflict, Forbidden, Refused, Unavailable
from trueup.operators import service as operators
from trueup.operators.approvals import service as approvals
from trueup.operators.sso import fetching
from trueup.operators.sso import service as sso
from trueup.operators.sso.errors import SsoInvalid
from trueup.operators.sso.types import Connection, Given, Kind, Without
from trueup.operators.types import Role
from trueup.runtime import configuration, database

BY = system("test")
PASSWORD = "correct horse battery"


def given(**changes: Any) -> Given:
    """A SAML provider as somebody may set it up."""
    usual = {"name": "Acme", "kind": Kind.SAML, "metadata": saml_provider.metadata(), "domains": ("acme.example",)}
    return Given(**(usual | changes))


def somebody(role: Role, name: str) -> Actor:
    person = operators.create_operator(email=f"{name}@acme.example", password=PASSWORD, roles=[role], by=BY)
    return Actor(kind=ActorKind.OPERATOR, id=str(person.id))


@pytest.fixture
def owner(db: None, cheap_hashes: None) -> Actor:
    return somebody(Role.OWNER, "owner")


@pytest.fixture
def added(owner: Actor) -> Connection:
    return sso.add(given=given(), by=owner)


def networks(monkeypatch: pytest.MonkeyPatch, named: str) -> None:
    monkeypatch.setenv("TRUEUP_SSO_NETWORKS", named)
    configuration.current.cache_clear()


@pytest.fixture
def near(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    networks(monkeypatch, "127.0.0.0/8")
    yield
    monkeypatch.undo()
    configuration.current.cache_clear()


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.OWNER])
def test_only_an_owner_says_who_may_vouch_for_people(added: Connection, role: Role) -> None:
    by = somebody(role, "other")

    for attempt in (
        lambda: sso.add(given=given(), by=by),
        lambda: sso.change(connection_id=added.id, given=given(), by=by),
        lambda: sso.refresh(connection_id=added.id, by=by),
        lambda: sso.switch_on(connection_id=added.id, by=by),
        lambda: sso.switch_off(connection_id=added.id, by=by),
        lambda: sso.remove(connection_id=added.id, by=by),
    ):
        with pytest.raises(Forbidden):
            attempt()


def test_switching_on_takes_another_owner_where_there_is_one(added: Connection, owner: Actor) -> None:
    second = somebody(Role.OWNER, "second")

    came = sso.switch_on(connection_id=added.id, why="We want it.", by=owner)

    assert came.approval_id is not None
    assert not sso.connection(added.id).is_on
    with pytest.raises(Forbidden):
        approvals.approve(approval_id=came.approval_id, by=owner)
    approvals.approve(approval_id=came.approval_id, by=second)
    assert sso.connection(added.id).is_on


def test_what_was_agreed_to_is_what_is_switched_on(added: Connection, owner: Actor) -> None:
    second = somebody(Role.OWNER, "second")
    asked = sso.switch_on(connection_id=added.id, why="We want it.", by=owner).approval_id
    assert asked is not None

    sso.change(connection_id=added.id, given=given(metadata="", domains=("acme.example", "evil.example")), by=owner)

    with pytest.raises(Conflict):
        approvals.approve(approval_id=asked, by=second)
    assert not sso.connection(added.id).is_on


@pytest.mark.parametrize(
    "changes",
    [
        {"metadata": saml_provider.metadata(saml_provider.key("other")[1])},
        {"domains": ("acme.example", "evil.example")},
        {"provider_factor": True},
        {"factor_words": ("pwd",)},
        {"groups_claim": "groups", "groups": (("all", (Role.ADMIN,)),)},
    ],
)
def test_what_is_trusted_stays_while_it_is_switched_on(
    added: Connection, owner: Actor, changes: dict[str, Any]
) -> None:
    sso.switch_on(connection_id=added.id, by=owner)

    with pytest.raises(Conflict):
        sso.change(connection_id=added.id, given=given(**({"metadata": ""} | changes)), by=owner)
    usual = {"groups_claim": "groups", "groups": (("all", (Role.SALES,)),), "without_group": Without.KEEP}
    after = sso.change(connection_id=added.id, given=given(metadata="", **usual), by=owner)

    assert (after.is_on, after.revision) == (True, added.revision)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": " "},
        {"name": "x" * 61},
        {"domains": ()},
        {"domains": ("@acme.example",)},
        {"domains": ("localhost",)},
        {"domains": ("acme.example/evil",)},
        {"groups_claim": "groups", "groups": (("all", (Role.OWNER,)),)},
        {"groups_claim": "", "groups": (("all", (Role.SALES,)),)},
        {"metadata": "", "metadata_url": ""},
        {"metadata": saml_provider.metadata().replace("HTTP-Redirect", "SOAP")},
        {"metadata": saml_provider.metadata(page="http://idp.acme.example/sso")},
        {"metadata": saml_provider.metadata(page="javascript:alert(1)")},
        {"metadata": saml_provider.metadata().replace("IDPSSODescriptor", "SPSSODescriptor")},
        {"kind": Kind.OIDC, "issuer": "https://acme.example", "client_id": "", "client_secret": "x"},
        {"kind": Kind.OIDC, "issuer": "https://acme.example", "client_id": "x", "client_secret": ""},
    ],
)
def test_what_cannot_be_used_is_refused(owner: Actor, changes: dict[str, Any]) -> None:
    with pytest.raises(SsoInvalid):
        sso.add(given=given(**changes), by=owner)

    assert sso.connections() == []


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/",
        "https://127.0.0.1:1/",
        "https://localhost:1/",
        "https://[::1]:1/",
        "https://[::ffff:127.0.0.1]:1/",
        "https://10.0.0.1/",
        "https://192.168.1.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[fd00::1]/",
        "https://0.0.0.0/",
        "https://100.64.0.1/",
        "http://8.8.8.8/",
        "ftp://8.8.8.8/",
        "file:///etc/passwd",
        "https://user@8.8.8.8/",
        "https:///x",
        "",
    ],
)
def test_nothing_beside_us_is_called(url: str) -> None:
    with pytest.raises(SsoInvalid):
        fetching.get(url)


def test_a_network_that_is_named_may_be_called_and_plain_http_only_on_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    networks(monkeypatch, "127.0.0.0/8, 10.20.0.0/16")
    try:
        fetching.check("http://127.0.0.1:1/")
        fetching.check("https://10.20.3.4/")
        for url in ("http://10.20.3.4/", "https://10.21.0.1/"):
            with pytest.raises(SsoInvalid):
                fetching.check(url)
        with pytest.raises(Unavailable):
            fetching.get("http://127.0.0.1:1/")
    finally:
        monkeypatch.undo()
        configuration.current.cache_clear()


@contextmanager
def served(documents: list[str]) -> Iterator[str]:
    """The address of documents, one after the other."""

    class _Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = documents.pop(0).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        @override
        def log_message(self, format: str, *args: object) -> None:
            del format, args

    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/metadata"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.usefixtures("near")
def test_metadata_is_read_again_while_it_is_on_and_another_provider_is_not_taken_for_it(owner: Actor) -> None:
    renewed = saml_provider.metadata(saml_provider.key("renewed")[1])
    other = renewed.replace(saml_provider.ENTITY, "https://evil.example")
    with served([saml_provider.metadata(), renewed, other]) as url:
        made = sso.add(given=given(metadata="", metadata_url=url), by=owner)
        sso.switch_on(connection_id=made.id, by=owner)

        after = sso.refresh(connection_id=made.id, by=owner)
        with pytest.raises(SsoInvalid):
            sso.refresh(connection_id=made.id, by=owner)

    assert after.certificates == (saml_provider.key("renewed")[1],)
    actions = database.execute("select action from audit_entries where object_id = %s order by at, id", (str(made.id),))
    assert [action for (action,) in actions.fetchall() if "sso" in action] == [
        "operators.sso_connection.added",
        "operators.sso_connection.switched",
        "operators.sso_connection.changed",
    ]


def test_one_that_is_on_is_not_removed(added: Connection, owner: Actor) -> None:
    sso.switch_on(connection_id=added.id, by=owner)

    with pytest.raises(Refused):
        sso.remove(connection_id=added.id, by=owner)
    sso.switch_off(connection_id=added.id, by=owner)
    sso.remove(connection_id=added.id, by=owner)

    assert sso.connections() == []


def test_unlinking_an_owner_takes_an_owner(owner: Actor) -> None:
    admin = somebody(Role.ADMIN, "admin")

    with pytest.raises(Forbidden):
        sso.unlink(operator_id=int(owner.id), by=admin)
