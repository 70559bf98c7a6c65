"""SAML metadata: what a provider says of itself, and what we say of ourselves."""

from __future__ import annotations

import base64
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from trueup.kernel.records import Record
from trueup.operators.sso import fetching, xml
from trueup.operators.sso.errors import SsoInvalid, SsoRefused

MOST_BYTES: Final = 1 << 20
REDIRECT: Final = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
POST: Final = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
_PROTOCOL: Final = "urn:oasis:names:tc:SAML:2.0:protocol"


class Provider(Record, frozen=True):
    """What a provider's metadata says."""

    entity_id: str
    sign_in_url: str
    certificates: tuple[str, ...]


def fetched(url: str) -> Provider:
    """The metadata at an address."""
    return read(fetching.get(url, accept="application/samlmetadata+xml, application/xml, text/xml"))


def read(body: bytes) -> Provider:
    """What a document says; ``SsoInvalid`` where it is none of one provider that we can ask."""
    try:
        root = xml.parsed(body.strip(), comments=True, most=MOST_BYTES)
    except SsoRefused:
        raise SsoInvalid(
            "That is no SAML metadata.", hint="It is an XML document of one EntityDescriptor, without a DOCTYPE."
        ) from None
    found = [one for one in root.iter(f"{xml.METADATA}EntityDescriptor") if _role(one) is not None]
    if len(found) != 1:
        raise SsoInvalid("The metadata does not describe exactly one identity provider.")
    role = _role(found[0])
    entity_id = found[0].get("entityID", "")
    if role is None or not entity_id:
        raise SsoInvalid("The metadata names no entity.")
    urls = [one.get("Location", "") for one in role.iter(f"{xml.METADATA}SingleSignOnService") if _redirects(one)]
    if not urls:
        raise SsoInvalid("The provider takes no sign-in by redirect (HTTP-Redirect).")
    fetching.check_page(urls[0])
    return Provider(entity_id=entity_id, sign_in_url=urls[0], certificates=_certificates(role))


def _role(entity: etree._Element) -> etree._Element | None:
    for role in entity.findall(f"{xml.METADATA}IDPSSODescriptor"):
        if _PROTOCOL in (role.get("protocolSupportEnumeration") or "").split():
            return role
    return None


def _redirects(service: etree._Element) -> bool:
    return service.get("Binding") == REDIRECT


def _certificates(role: etree._Element) -> tuple[str, ...]:
    found = []
    for described in role.findall(f"{xml.METADATA}KeyDescriptor"):
        if described.get("use", "signing") != "signing":
            continue
        for one in described.iter(f"{xml.SIGNATURE}X509Certificate"):
            try:
                certificate = x509.load_der_x509_certificate(base64.b64decode("".join((one.text or "").split())))
            except ValueError:
                raise SsoInvalid("A certificate of the metadata cannot be read.") from None
            found.append(certificate.public_bytes(Encoding.PEM).decode())
    if not found:
        raise SsoInvalid("The metadata has no certificate that answers are signed with.")
    return tuple(dict.fromkeys(found))


def ours(*, entity: str, callback: str) -> bytes:
    """What a provider is told of us: where answers go, and that assertions are to be signed."""
    root = etree.Element(
        f"{xml.METADATA}EntityDescriptor", {"entityID": entity}, nsmap={"md": xml.METADATA.strip("{}")}
    )
    role = etree.SubElement(
        root,
        f"{xml.METADATA}SPSSODescriptor",
        {"AuthnRequestsSigned": "false", "WantAssertionsSigned": "true", "protocolSupportEnumeration": _PROTOCOL},
    )
    etree.SubElement(
        role,
        f"{xml.METADATA}AssertionConsumerService",
        {"Binding": POST, "Location": callback, "index": "0", "isDefault": "true"},
    )
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")
