"""A SAML provider that can be told to say anything. It signs with libxmlsec; the product checks with signxml."""

from __future__ import annotations

import base64
import copy
import zlib
from datetime import timedelta
from functools import cache
from importlib import import_module
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from lxml import etree

from trueup.runtime import clock

xmlsec: Any = import_module("xmlsec")
"""Its stubs know half of it."""
ENTITY = "https://idp.acme.example/saml"
PAGE = "https://idp.acme.example/sso"
SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
SAMLP = "urn:oasis:names:tc:SAML:2.0:protocol"
PASSWORD_CONTEXT = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"


@cache
def key(name: str) -> tuple[str, str]:
    """A private key and a certificate of it, in PEM; each name has its own."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = clock.now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=100))
        .sign(private, hashes.SHA256())
    )
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return pem.decode(), certificate.public_bytes(serialization.Encoding.PEM).decode()


def metadata(certificate: str | None = None, *, page: str = PAGE) -> str:
    """What the provider says of itself."""
    lines = (certificate or key("idp")[1]).strip().splitlines()
    return f"""<?xml version="1.0"?><!-- made by hand -->
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{ENTITY}">
<md:IDPSSODescriptor protocolSupportEnumeration="{SAMLP}"><md:KeyDescriptor use="signing">
<ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>
<ds:X509Certificate>{"".join(lines[1:-1])}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>
<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="{page}"/>
</md:IDPSSODescriptor></md:EntityDescriptor>"""


def asked(address: str) -> dict[str, str]:
    """The question that a browser was sent to the provider with."""
    packed = base64.b64decode(parse_qs(urlsplit(address).query)["SAMLRequest"][0])
    root = etree.fromstring(zlib.decompress(packed, -15))
    issuer = root.findtext(f"{{{SAML}}}Issuer") or ""
    return {**{str(name): str(value) for name, value in root.attrib.items()}, "Issuer": issuer}


def response(question: dict[str, str], **changes: Any) -> etree._Element:
    """An answer, not signed yet. ``changes`` are what it says otherwise than it should."""
    now = clock.now()
    says: dict[str, Any] = {
        "in_response_to": question["ID"],
        "recipient": question["AssertionConsumerServiceURL"],
        "destination": question["AssertionConsumerServiceURL"],
        "audience": question["Issuer"],
        "issuer": ENTITY,
        "name_id": "u-1",
        "format": PERSISTENT,
        "email": "elena@acme.example",
        "groups": (),
        "context": PASSWORD_CONTEXT,
        "not_before": now - timedelta(minutes=1),
        "until": now + timedelta(minutes=5),
        "session_until": None,
        "status": "urn:oasis:names:tc:SAML:2.0:status:Success",
    } | changes
    when = f"{now:%Y-%m-%dT%H:%M:%SZ}"
    since, until = (f"{says[one]:%Y-%m-%dT%H:%M:%SZ}" for one in ("not_before", "until"))
    to = "" if says["in_response_to"] is None else f' InResponseTo="{says["in_response_to"]}"'
    session = says["session_until"]
    ends = "" if session is None else f' SessionNotOnOrAfter="{session:%Y-%m-%dT%H:%M:%SZ}"'
    groups = "".join(f"<saml:AttributeValue>{one}</saml:AttributeValue>" for one in says["groups"])
    return etree.fromstring(
        f"""<samlp:Response xmlns:samlp="{SAMLP}" xmlns:saml="{SAML}" ID="_r1" Version="2.0" IssueInstant="{when}"
 Destination="{says["destination"]}"{to}><saml:Issuer>{says["issuer"]}</saml:Issuer>
<samlp:Status><samlp:StatusCode Value="{says["status"]}"/></samlp:Status>
<saml:Assertion ID="_a1" Version="2.0" IssueInstant="{when}"><saml:Issuer>{says["issuer"]}</saml:Issuer>
<saml:Subject><saml:NameID Format="{says["format"]}">{says["name_id"]}</saml:NameID>
<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">
<saml:SubjectConfirmationData NotOnOrAfter="{until}" Recipient="{says["recipient"]}"{to}/></saml:SubjectConfirmation>
</saml:Subject><saml:Conditions NotBefore="{since}" NotOnOrAfter="{until}"><saml:AudienceRestriction>
<saml:Audience>{says["audience"]}</saml:Audience></saml:AudienceRestriction></saml:Conditions>
<saml:AuthnStatement AuthnInstant="{when}"{ends}><saml:AuthnContext>
<saml:AuthnContextClassRef>{says["context"]}</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>
<saml:AttributeStatement><saml:Attribute Name="email"><saml:AttributeValue>{says["email"]}</saml:AttributeValue>
</saml:Attribute><saml:Attribute Name="groups">{groups}</saml:Attribute></saml:AttributeStatement>
</saml:Assertion></samlp:Response>""".encode()
    )


def sign(element: etree._Element, *, by: str = "idp", method: Any = None, digest: Any = None) -> etree._Element:
    """Sign an element within its document, as providers do: right after its issuer."""
    template = xmlsec.template.create(element, xmlsec.Transform.EXCL_C14N, method or xmlsec.Transform.RSA_SHA256)
    element.insert(1, template)
    reference = xmlsec.template.add_reference(template, digest or xmlsec.Transform.SHA256, uri=f"#{element.get('ID')}")
    xmlsec.template.add_transform(reference, xmlsec.Transform.ENVELOPED)
    xmlsec.template.add_transform(reference, xmlsec.Transform.EXCL_C14N)
    xmlsec.template.add_x509_data(xmlsec.template.ensure_key_info(template))
    private, certificate = key(by)
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(private, xmlsec.KeyFormat.PEM)
    context.key.load_cert_from_memory(certificate, xmlsec.KeyFormat.PEM)
    xmlsec.tree.add_ids(element, ["ID"])
    context.sign(template)
    return element


def assertion_of(root: etree._Element) -> etree._Element:
    """The assertion of an answer."""
    found = root.find(f"{{{SAML}}}Assertion")
    assert found is not None
    return found


def posted(root: etree._Element) -> str:
    """An answer as a browser posts it."""
    return base64.b64encode(etree.tostring(root)).decode()


def signed_response(question: dict[str, str], **changes: Any) -> etree._Element:
    """An answer whose assertion is signed, as most providers do."""
    root = response(question, **changes)
    sign(assertion_of(root))
    return root


def forged(root: etree._Element) -> etree._Element:
    """A copy of the signed assertion that names somebody else and is not signed."""
    fake = copy.deepcopy(assertion_of(root))
    signature = fake.find("{http://www.w3.org/2000/09/xmldsig#}Signature")
    assert signature is not None
    fake.remove(signature)
    fake.set("ID", "_evil")
    for name in fake.iter(f"{{{SAML}}}NameID"):
        name.text = "u-owner"
    for value in fake.iter(f"{{{SAML}}}AttributeValue"):
        value.text = "owner@acme.example"
    return fake
