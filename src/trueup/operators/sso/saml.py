"""SAML 2.0 as a service provider: asked by redirect, answered by a form, each answer held against its question.

https://docs.oasis-open.org/security/saml/v2.0/saml-profiles-2.0-os.pdf, 4.1. Signatures are checked by ``signxml`` with
the certificates of the metadata and no others, and nothing is read but what ``signxml`` says was signed.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

from cryptography import x509
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.exceptions import SignXMLException
from signxml.verifier import SignatureConfiguration, XMLVerifier

from trueup.kernel.records import Record
from trueup.operators.sso import rules, saml_metadata, xml
from trueup.operators.sso.errors import SsoRefused
from trueup.operators.sso.types import Connection, Pending, Purpose, Reason, Said

SUCCESS: Final = "urn:oasis:names:tc:SAML:2.0:status:Success"
BEARER: Final = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
TRANSIENT: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
EMAIL: Final = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
EMAIL_NAMES: Final = (
    "email",
    "mail",
    "emailAddress",
    "urn:oid:0.9.2342.19200300.100.1.3",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
)
NAME_NAMES: Final = (
    "displayName",
    "name",
    "urn:oid:2.16.840.1.113730.3.1.241",
    "http://schemas.microsoft.com/identity/claims/displayname",
)
CONTEXT_NAME: Final = "http://schemas.microsoft.com/claims/authnmethodsreferences"
"""Entra ID tells there, and not in the AuthnContext, how somebody signed in."""
_TRANSFORMS: Final = frozenset(
    {
        "http://www.w3.org/2000/09/xmldsig#enveloped-signature",
        "http://www.w3.org/2001/10/xml-exc-c14n#",
        "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
    }
)
_METHODS: Final = frozenset(
    {
        SignatureMethod.RSA_SHA256,
        SignatureMethod.RSA_SHA384,
        SignatureMethod.RSA_SHA512,
        SignatureMethod.ECDSA_SHA256,
        SignatureMethod.ECDSA_SHA384,
        SignatureMethod.ECDSA_SHA512,
    }
)
_DIGESTS: Final = frozenset({DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512})
_UNREADABLE: Final = (SignXMLException, etree.LxmlError, ValueError, TypeError, KeyError, AttributeError, IndexError)
"""What ``signxml`` raises for signatures that are wrong, and for those that lack what it takes for granted."""
_IDS: Final = ("ID", "Id", "id", "{http://www.w3.org/XML/1998/namespace}id")


class Answer(Record, frozen=True):
    """An answer whose signature is the provider's, before it is held against a question."""

    response: Any
    """The outer element; unsigned where only the assertion is signed."""
    assertion: Any
    """The assertion as it was signed."""
    in_response_to: str
    """The question that the assertion itself names; empty where it names none."""


def address(connection: Connection, pending: Pending, *, request_id: str) -> str:
    """Where to send the browser, with the question (AuthnRequest) in the address."""
    asked = {
        "ID": request_id,
        "Version": "2.0",
        "IssueInstant": f"{pending.created_at:%Y-%m-%dT%H:%M:%SZ}",
        "Destination": connection.sign_in_url,
        "AssertionConsumerServiceURL": pending.callback,
        "ProtocolBinding": saml_metadata.POST,
    }
    if pending.purpose is Purpose.CONFIRM:
        asked["ForceAuthn"] = "true"
    spaces = {"samlp": xml.PROTOCOL.strip("{}"), "saml": xml.ASSERTION.strip("{}")}
    root = etree.Element(f"{xml.PROTOCOL}AuthnRequest", asked, nsmap=spaces)
    etree.SubElement(root, f"{xml.ASSERTION}Issuer").text = pending.entity
    packer = zlib.compressobj(wbits=-15)
    packed = packer.compress(etree.tostring(root)) + packer.flush()
    glue = "&" if "?" in connection.sign_in_url else "?"
    return f"{connection.sign_in_url}{glue}{urlencode({'SAMLRequest': base64.b64encode(packed).decode()})}"


def opened(posted: str, *, connection: Connection, now: datetime) -> Answer:
    """An answer as it was posted, once its signature is known to be the provider's; ``SsoRefused`` else."""
    try:
        body = base64.b64decode("".join(posted.split()), validate=True)
    except binascii.Error:
        raise SsoRefused(Reason.MALFORMED) from None
    root = xml.parsed(body)
    if root.tag != f"{xml.PROTOCOL}Response":
        raise SsoRefused(Reason.MALFORMED)
    if root.find(f"{xml.PROTOCOL}Status/{xml.PROTOCOL}StatusCode[@Value='{SUCCESS}']") is None:
        raise SsoRefused(Reason.PROVIDER_REFUSED)
    if any(root.iter(f"{xml.ASSERTION}EncryptedAssertion", f"{xml.ASSERTION}EncryptedID")):
        raise SsoRefused(Reason.ENCRYPTED)
    assertion = _one_assertion(root)
    signed = [_signed(root, over, connection, now) for over in _signatures(root, assertion)]
    # The assertion's own signature where it has one; else the one of the whole answer.
    trusted = signed[-1]
    if trusted.tag == f"{xml.PROTOCOL}Response":
        trusted = _one_assertion(trusted)
    data = trusted.find(f"{xml.ASSERTION}Subject/{xml.ASSERTION}SubjectConfirmation/{_DATA}")
    asked = "" if data is None else data.get("InResponseTo", "")
    return Answer(response=signed[0] if len(signed) > 1 else root, assertion=trusted, in_response_to=asked)


_DATA: Final = f"{xml.ASSERTION}SubjectConfirmationData"


def _one_assertion(root: etree._Element) -> etree._Element:
    """The one assertion, a child of the root. A second one, wherever it stands, is how signatures are wrapped."""
    everywhere = list(root.iter(f"{xml.ASSERTION}Assertion"))
    if not everywhere:
        raise SsoRefused(Reason.MALFORMED)
    if len(everywhere) > 1 or everywhere[0].getparent() is not root:
        raise SsoRefused(Reason.WRAPPED)
    if len(list(root.iter(f"{xml.PROTOCOL}Response"))) > 1:
        raise SsoRefused(Reason.WRAPPED)
    ids = [value for node in root.iter() for name in _IDS if (value := node.get(name))]
    if len(ids) != len(set(ids)):
        raise SsoRefused(Reason.WRAPPED)
    return everywhere[0]


def _signatures(root: etree._Element, assertion: etree._Element) -> list[etree._Element]:
    """What is signed: the answer, the assertion, or both in this order; a signature anywhere else is refused."""
    over = [signature.getparent() for signature in root.iter(f"{xml.SIGNATURE}Signature")]
    if not over:
        raise SsoRefused(Reason.UNSIGNED)
    if any(one is not root and one is not assertion for one in over) or len(over) > len({id(one) for one in over}):
        raise SsoRefused(Reason.WRAPPED)
    return [one for one in (root, assertion) if any(one is other for other in over)]


def _signed(root: etree._Element, over: etree._Element, connection: Connection, now: datetime) -> etree._Element:
    """The element as it was signed, by any of the provider's certificates."""
    signature = over.find(f"{xml.SIGNATURE}Signature")
    references = [] if signature is None else list(signature.iter(f"{xml.SIGNATURE}Reference"))
    if len(references) != 1 or references[0].get("URI") != f"#{over.get('ID', '')}":
        raise SsoRefused(Reason.WRAPPED)
    transforms = {one.get("Algorithm") for one in references[0].iter(f"{xml.SIGNATURE}Transform")}
    if not transforms <= _TRANSFORMS:
        raise SsoRefused(Reason.SIGNATURE)
    location = "./" if over is root else f"./{xml.ASSERTION}Assertion/"
    expected = SignatureConfiguration(
        location=location,
        expect_references=1,
        signature_methods=_METHODS,
        digest_algorithms=_DIGESTS,
        verification_time=now,
    )
    for pem in connection.certificates:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        try:
            found = XMLVerifier().verify(root, x509_cert=certificate, id_attribute="ID", expect_config=expected)
        except _UNREADABLE:
            continue
        element = found.signed_xml if not isinstance(found, list) else None
        if element is not None and element.tag == over.tag and element.get("ID") == over.get("ID"):
            return element
        raise SsoRefused(Reason.WRAPPED)
    raise SsoRefused(Reason.SIGNATURE)


def said(answer: Answer, *, connection: Connection, pending: Pending, now: datetime) -> Said:
    """What an answer says of a person, held against its question and the clock; ``SsoRefused`` else."""
    response, assertion = answer.response, answer.assertion
    _check_response(response, connection, pending)
    if xml.text(assertion.find(f"{xml.ASSERTION}Issuer")) != connection.issuer:
        raise SsoRefused(Reason.OTHER_PROVIDER)
    _check_conditions(assertion, pending, now)
    _check_confirmation(assertion, pending, now)
    statement = assertion.find(f"{xml.ASSERTION}AuthnStatement")
    if statement is None:
        raise SsoRefused(Reason.MALFORMED)
    until = _moment(statement.get("SessionNotOnOrAfter"))
    if until is not None and now >= until:
        raise SsoRefused(Reason.TOO_LATE)
    if pending.purpose is Purpose.CONFIRM:
        at = _moment(statement.get("AuthnInstant"))
        if at is None or at < pending.created_at - rules.SKEW:
            raise SsoRefused(Reason.NOT_FRESH)
    return _person(assertion, statement, connection, until)


def _check_response(response: etree._Element, connection: Connection, pending: Pending) -> None:
    """The outer element: it may be unsigned, but where it says something this is what it says."""
    issuer = xml.text(response.find(f"{xml.ASSERTION}Issuer"))
    if issuer and issuer != connection.issuer:
        raise SsoRefused(Reason.OTHER_PROVIDER)
    if response.get("Destination", pending.callback) != pending.callback:
        raise SsoRefused(Reason.RECIPIENT)


def _check_conditions(assertion: etree._Element, pending: Pending, now: datetime) -> None:
    conditions = assertion.find(f"{xml.ASSERTION}Conditions")
    if conditions is None:
        raise SsoRefused(Reason.MALFORMED)
    _check_span(conditions, now)
    restrictions = conditions.findall(f"{xml.ASSERTION}AudienceRestriction")
    if not restrictions:
        raise SsoRefused(Reason.AUDIENCE)
    for one in restrictions:
        if pending.entity not in {xml.text(audience) for audience in one.findall(f"{xml.ASSERTION}Audience")}:
            raise SsoRefused(Reason.AUDIENCE)


def _check_confirmation(assertion: etree._Element, pending: Pending, now: datetime) -> None:
    """That whoever brings it may: it is for this address, for this question, and for now."""
    confirmed = assertion.findall(f"{xml.ASSERTION}Subject/{xml.ASSERTION}SubjectConfirmation")
    bearer = [one.find(_DATA) for one in confirmed if one.get("Method") == BEARER]
    if len(confirmed) != 1 or len(bearer) != 1 or bearer[0] is None:
        raise SsoRefused(Reason.MALFORMED)
    if bearer[0].get("Recipient") != pending.callback:
        raise SsoRefused(Reason.RECIPIENT)
    if _moment(bearer[0].get("NotOnOrAfter")) is None:
        raise SsoRefused(Reason.MALFORMED)
    _check_span(bearer[0], now)


def _check_span(node: etree._Element, now: datetime) -> None:
    since, until = _moment(node.get("NotBefore")), _moment(node.get("NotOnOrAfter"))
    if since is not None and now + rules.SKEW < since:
        raise SsoRefused(Reason.TOO_EARLY)
    if until is not None and now - rules.SKEW >= until:
        raise SsoRefused(Reason.TOO_LATE)


def _moment(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise SsoRefused(Reason.MALFORMED) from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found


def _person(
    assertion: etree._Element, statement: etree._Element, connection: Connection, until: datetime | None
) -> Said:
    name_id = assertion.find(f"{xml.ASSERTION}Subject/{xml.ASSERTION}NameID")
    subject = xml.text(name_id)
    if name_id is None or not subject or name_id.get("Format") == TRANSIENT:
        raise SsoRefused(Reason.SUBJECT_MISSING)
    attributes = _attributes(assertion)
    context = xml.text(statement.find(f"{xml.ASSERTION}AuthnContext/{xml.ASSERTION}AuthnContextClassRef"))
    own = subject if rules.domain_of(subject) else ""
    return Said(
        subject=subject,
        email=_first(attributes, EMAIL_NAMES) or own,
        # The provider speaks for its own domains; an assertion has no word for addresses that it did not check.
        email_verified=True,
        name=_first(attributes, NAME_NAMES),
        groups=attributes.get(connection.groups_claim, ()) if connection.groups_claim else (),
        contexts=(*((context,) if context else ()), *attributes.get(CONTEXT_NAME, ())),
        until=until,
        claims={"NameID": subject, **({"AuthnContext": context} if context else {}), **attributes},
    )


def _attributes(assertion: etree._Element) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for one in assertion.iterfind(f"{xml.ASSERTION}AttributeStatement/{xml.ASSERTION}Attribute"):
        values = tuple(filter(None, map(xml.text, one.findall(f"{xml.ASSERTION}AttributeValue"))))
        name = one.get("Name", "")
        found[name] = found.get(name, ()) + values
    return found


def _first(attributes: dict[str, tuple[str, ...]], names: Iterable[str]) -> str:
    return next((attributes[name][0] for name in names if attributes.get(name)), "")
