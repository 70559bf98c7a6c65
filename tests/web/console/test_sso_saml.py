"""Signing in with a SAML provider, and every answer of one that lets nobody in."""

from __future__ import annotations

import base64
import copy
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from lxml import etree

from tests.operators.sso import saml_provider as idp
from tests.operators.sso.saml_provider import SAML, SAMLP, assertion_of, posted, response, sign, signed_response
from tests.web.console.conftest import PASSWORD
from tests.web.console.test_sso_oidc import is_in, recorded
from trueup.kernel.actor import system
from trueup.operators import service as operators
from trueup.operators.sso import saml, saml_metadata
from trueup.operators.sso import service as sso
from trueup.operators.sso.errors import SsoInvalid, SsoRefused
from trueup.operators.sso.types import Connection, Given, Kind, Without
from trueup.operators.types import Person, Role
from trueup.runtime import clock, database

BY = system("test")
Question = dict[str, str]


@pytest.fixture
def connection(db: None) -> Connection:
    return connect()


def connect(**changes: Any) -> Connection:
    """A connection to the provider, switched on."""
    given = {"name": "Acme", "kind": Kind.SAML, "metadata": idp.metadata(), "domains": ("acme.example",)}
    made = sso.add(given=Given(**(given | {"without_group": Without.KEEP} | changes)), by=BY)
    return sso.switch_on(connection_id=made.id, by=BY).connection


def ask(client: Client, connection: Connection, **query: str) -> Question:
    """Go to the provider: what it is asked."""
    return idp.asked(client.get(f"/sign-in/sso/{connection.id}", query)["Location"])


def bring(client: Client, connection: Connection, answer: str, **extra: str) -> HttpResponse:
    """Post an answer as the provider's page does, without our cookie, and go on as the browser does."""
    foreign = Client(enforce_csrf_checks=True)
    first = foreign.post(f"/sign-in/sso/{connection.id}/acs", {"SAMLResponse": answer, **extra})
    found = first if first.status_code != 303 else client.get(first["Location"])
    assert isinstance(found, HttpResponse)
    return found


def reasons() -> list[str]:
    return [str(one["reason"]) for one in recorded("operators.sso.refused")]


def test_somebody_known_comes_in_and_the_relay_state_leads_nowhere(
    visitor: Client, person: Person, connection: Connection
) -> None:
    question = ask(visitor, connection, next="/events?state=set_aside")

    answer = bring(visitor, connection, posted(signed_response(question)), RelayState="https://evil.example/")

    assert answer["Location"] == "/events?state=set_aside"
    assert is_in(visitor)
    assert recorded("operators.operator.signed_in") == [{"method": "sso", "factor": "", "connection": connection.id}]


def _whole(question: Question) -> etree._Element:
    return sign(response(question))


def _both(question: Question) -> etree._Element:
    return sign(signed_response(question))


@pytest.mark.parametrize("signed", [_whole, _both])
def test_the_answer_may_be_signed_in_the_place_of_the_assertion_or_both(
    visitor: Client, person: Person, connection: Connection, signed: Callable[[Question], etree._Element]
) -> None:
    bring(visitor, connection, posted(signed(ask(visitor, connection))))

    assert is_in(visitor)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"audience": "https://other.example"}, "audience"),
        ({"recipient": "https://other.example/acs"}, "recipient"),
        ({"destination": "https://other.example/acs"}, "recipient"),
        ({"issuer": "https://other.example"}, "other_provider"),
        ({"until": datetime(2026, 1, 1, tzinfo=UTC)}, "too_late"),
        ({"not_before": clock.now() + timedelta(days=1)}, "too_early"),
        ({"session_until": datetime(2026, 1, 1, tzinfo=UTC)}, "too_late"),
        ({"in_response_to": None}, "unsolicited"),
        ({"in_response_to": "_made_up"}, "unsolicited"),
        ({"format": "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"}, "subject_missing"),
        ({"name_id": ""}, "subject_missing"),
        ({"email": "elena@evil.example"}, "domain"),
        ({"email": "nobody@acme.example", "name_id": "u-2"}, "not_invited"),
        ({"status": "urn:oasis:names:tc:SAML:2.0:status:Responder"}, "provider_refused"),
    ],
)
def test_an_answer_for_somebody_or_something_else_lets_nobody_in(
    visitor: Client, person: Person, connection: Connection, changes: dict[str, Any], reason: str
) -> None:
    answer = bring(visitor, connection, posted(signed_response(ask(visitor, connection), **changes)))

    assert (answer.status_code, reasons()) == (403, [reason])
    assert "You are not signed in" in answer.content.decode()
    assert not is_in(visitor)


def _unsigned(question: Question) -> etree._Element:
    return response(question)


def _by_a_stranger(question: Question) -> etree._Element:
    root = response(question)
    sign(assertion_of(root), by="stranger")
    return root


def _sha1(question: Question) -> etree._Element:
    root = response(question)
    sign(assertion_of(root), method=idp.xmlsec.Transform.RSA_SHA1, digest=idp.xmlsec.Transform.SHA1)
    return root


def _tampered(question: Question) -> etree._Element:
    root = signed_response(question)
    next(root.iter(f"{{{SAML}}}AttributeValue")).text = "owner@acme.example"
    return root


def _stripped(question: Question) -> etree._Element:
    """The signature of the assertion is taken away, and one of nothing put over the answer."""
    root = signed_response(question)
    next(root.iter("{http://www.w3.org/2000/09/xmldsig#}SignatureValue")).text = ""
    return root


def _commented(question: Question) -> etree._Element:
    """A name that a comment splits: who reads up to the comment reads another name than was signed."""
    root = response(question, name_id="owner@acme.example.evil.example", email="")
    name = next(root.iter(f"{{{SAML}}}NameID"))
    name.text = "owner@acme.example"
    comment = etree.Comment("")
    comment.tail = ".evil.example"
    name.append(comment)
    sign(assertion_of(root))
    return root


def _beside_first(question: Question) -> etree._Element:
    """XSW: a forged assertion before the signed one."""
    root = signed_response(question)
    root.insert(list(root).index(assertion_of(root)), idp.forged(root))
    return root


def _beside_last(question: Question) -> etree._Element:
    """XSW: after it."""
    root = signed_response(question)
    root.append(idp.forged(root))
    return root


def _inside(question: Question) -> etree._Element:
    """XSW: the signed one hidden inside the forged one."""
    root = signed_response(question)
    signed, fake = assertion_of(root), idp.forged(root)
    root.replace(signed, fake)
    fake.append(signed)
    return root


def _in_the_signature(question: Question) -> etree._Element:
    """XSW: the signed one as an object of the signature, which stands in the forged one."""
    root = signed_response(question)
    signed, fake = assertion_of(root), idp.forged(root)
    signature = signed.find("{http://www.w3.org/2000/09/xmldsig#}Signature")
    assert signature is not None
    root.replace(signed, fake)
    bare = copy.deepcopy(signed)
    bare.remove(bare[1])
    fake.insert(1, signature)
    etree.SubElement(signature, "{http://www.w3.org/2000/09/xmldsig#}Object").append(bare)
    return root


def _same_id(question: Question) -> etree._Element:
    """XSW: the forged one has the id of the signed one."""
    root = signed_response(question)
    fake = idp.forged(root)
    fake.set("ID", "_a1")
    root.append(fake)
    return root


def _in_extensions(question: Question) -> etree._Element:
    """XSW: the signed one is kept in an element that nobody reads."""
    root = signed_response(question)
    signed, fake = assertion_of(root), idp.forged(root)
    root.replace(signed, fake)
    etree.SubElement(root, f"{{{SAMLP}}}Extensions").append(signed)
    return root


def _whole_wrapped(question: Question) -> etree._Element:
    """XSW: a signed answer within a forged one."""
    signed = _whole(question)
    outer = response(question, email="owner@acme.example", name_id="u-owner")
    outer.set("ID", "_evil")
    assertion_of(outer).set("ID", "_evil2")
    etree.SubElement(outer, f"{{{SAMLP}}}Extensions").append(signed)
    return outer


def _signature_moved(question: Question) -> etree._Element:
    """XSW: a forged assertion with the signature of the whole answer, which is kept elsewhere."""
    root = _whole(question)
    signature = root.find("{http://www.w3.org/2000/09/xmldsig#}Signature")
    assert signature is not None
    assertion_of(root).insert(1, signature)
    return root


@pytest.mark.parametrize(
    ("forge", "reason"),
    [
        (_unsigned, "unsigned"),
        (_by_a_stranger, "signature"),
        (_sha1, "signature"),
        (_tampered, "signature"),
        (_stripped, "signature"),
        (_commented, "malformed"),
        (_beside_first, "wrapped"),
        (_beside_last, "wrapped"),
        (_inside, "wrapped"),
        (_in_the_signature, "wrapped"),
        (_same_id, "wrapped"),
        (_in_extensions, "wrapped"),
        (_whole_wrapped, "wrapped"),
        (_signature_moved, "wrapped"),
    ],
)
def test_what_the_provider_did_not_sign_as_it_stands_lets_nobody_in(
    visitor: Client,
    person: Person,
    connection: Connection,
    forge: Callable[[Question], etree._Element],
    reason: str,
) -> None:
    operators.create_operator(email="owner@acme.example", password=PASSWORD, roles=[Role.OPS], by=BY)

    answer = bring(visitor, connection, posted(forge(ask(visitor, connection))))

    assert (answer.status_code, reasons()) == (403, [reason])
    assert not is_in(visitor)


BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><x>&b;</x>'
FILE = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'


@pytest.mark.parametrize(
    "body",
    [BOMB, FILE, FILE.decode().encode("utf-16"), b"", b"no xml", b"<x/>", b"\xff\xfe", b"<" * 300_000],
)
def test_what_is_no_answer_is_not_read(visitor: Client, connection: Connection, body: bytes) -> None:
    answer = bring(visitor, connection, base64.b64encode(body).decode())

    assert (answer.status_code, reasons()) == (403, ["malformed"])


@pytest.mark.parametrize("body", [BOMB, FILE, FILE.decode().encode("utf-16"), b"<x/>", b"no xml"])
def test_what_is_no_metadata_is_refused(db: None, body: bytes) -> None:
    with pytest.raises(SsoInvalid):
        saml_metadata.read(body)


def test_an_answer_counts_once_and_only_for_the_browser_that_asked(
    visitor: Client, person: Person, connection: Connection
) -> None:
    answer = posted(signed_response(ask(visitor, connection)))
    stranger = Client()
    ask(stranger, connection)

    assert bring(stranger, connection, answer).status_code == 403
    assert bring(visitor, connection, answer).status_code == 403
    assert reasons() == ["other_browser", "replayed"]
    assert (is_in(visitor), is_in(stranger)) == (False, False)


def test_a_ticket_lets_in_once(visitor: Client, person: Person, connection: Connection) -> None:
    answer = posted(signed_response(ask(visitor, connection)))
    first = Client().post(f"/sign-in/sso/{connection.id}/acs", {"SAMLResponse": answer})
    theirs = visitor.cookies.copy()
    visitor.get(first["Location"])
    assert is_in(visitor)

    again = Client()
    again.cookies = theirs  # type: ignore[assignment]

    assert again.get(first["Location"]).status_code == 403
    assert visitor.get(f"/sign-in/sso/{connection.id}/finish?ticket=made-up").status_code == 403


def test_an_answer_that_is_fetched_too_late_is_too_late(
    visitor: Client, person: Person, connection: Connection
) -> None:
    answer = posted(signed_response(ask(visitor, connection)))
    first = Client().post(f"/sign-in/sso/{connection.id}/acs", {"SAMLResponse": answer})
    database.execute("update operators_ssorequest set answered_at = answered_at - interval '3 minutes'")

    assert visitor.get(first["Location"]).status_code == 403
    assert not is_in(visitor)


def test_what_was_said_is_sealed_while_it_waits_and_forgotten_afterwards(
    visitor: Client, person: Person, connection: Connection
) -> None:
    answer = posted(signed_response(ask(visitor, connection)))
    first = Client().post(f"/sign-in/sso/{connection.id}/acs", {"SAMLResponse": answer})

    waiting = bytes(database.execute("select sealed from operators_ssorequest").fetchall()[0][0])
    visitor.get(first["Location"])
    after = bytes(database.execute("select sealed from operators_ssorequest").fetchall()[0][0])

    assert b"elena" not in waiting
    assert len(after) < len(waiting) // 4


def test_a_session_ends_when_the_provider_says_so(visitor: Client, person: Person, connection: Connection) -> None:
    until = clock.now().replace(microsecond=0) + timedelta(minutes=5)
    bring(visitor, connection, posted(signed_response(ask(visitor, connection), session_until=until)))
    assert is_in(visitor)

    database.execute("update operators_session set until = now()")

    assert visitor.get("/events")["Location"] == "/sign-in?next=/events&over=absolute"


def test_groups_of_an_attribute_give_roles(visitor: Client, person: Person) -> None:
    groups = (("eng & ops", (Role.OPS,)), ("books", (Role.FINANCE,)))
    connection = connect(groups_claim="groups", groups=groups, makes_people=True, without_group=Without.REFUSE)
    question = ask(visitor, connection)

    said = {"email": "new@acme.example", "name_id": "u-3", "groups": ("eng &amp; ops", "canteen")}
    bring(visitor, connection, posted(signed_response(question, **said)))

    found = operators.find_operator("new@acme.example")
    assert found is not None
    assert found.roles == (Role.OPS,)


def test_our_metadata_says_where_answers_go(visitor: Client, connection: Connection) -> None:
    answer = visitor.get(f"/sign-in/sso/{connection.id}/metadata")

    root = etree.fromstring(answer.content)
    assert root.get("entityID") == f"http://testserver/sign-in/sso/{connection.id}/metadata"
    assert f"http://testserver/sign-in/sso/{connection.id}/acs" in answer.content.decode()
    assert visitor.get(f"/sign-in/sso/{connection.id}/callback").status_code == 404


def test_a_certificate_that_is_over_signs_nothing_any_more(
    visitor: Client, person: Person, connection: Connection
) -> None:
    answer = posted(signed_response(ask(visitor, connection)))

    with pytest.raises(SsoRefused, match="signature"):
        saml.opened(answer, connection=connection, now=clock.now() + timedelta(days=200))
