"""XML that somebody else wrote: read without fetching, expanding or believing anything of it."""

from __future__ import annotations

from typing import Final

from lxml import etree

from trueup.operators.sso.errors import SsoRefused
from trueup.operators.sso.types import Reason

MOST_BYTES: Final = 1 << 18
"""Bytes of the largest answer that is read; those of providers have a few thousand."""
ASSERTION: Final = "{urn:oasis:names:tc:SAML:2.0:assertion}"
PROTOCOL: Final = "{urn:oasis:names:tc:SAML:2.0:protocol}"
METADATA: Final = "{urn:oasis:names:tc:SAML:2.0:metadata}"
SIGNATURE: Final = "{http://www.w3.org/2000/09/xmldsig#}"


def parsed(body: bytes, *, comments: bool = False, most: int = MOST_BYTES) -> etree._Element:
    """The root of a document; ``SsoRefused`` for one that is malformed, too large, or has a document type.

    Where ``comments`` is False a comment or processing instruction is refused too: it splits a text in two, and who
    reads only the first part reads somebody else's name. Where it is True, as in metadata, they are dropped.
    """
    # Entities are declared in a document type only; nothing of SAML has one. In other encodings the parser finds it.
    if len(body) > most or b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise SsoRefused(Reason.MALFORMED)
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=comments,
        remove_pis=comments,
    )
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise SsoRefused(Reason.MALFORMED) from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise SsoRefused(Reason.MALFORMED)
    if not all(isinstance(node.tag, str) for node in root.iter()):
        raise SsoRefused(Reason.MALFORMED)
    return root


def text(node: etree._Element | None) -> str:
    """All text of an element without children, stripped; empty for none."""
    if node is None or len(node):
        return ""
    return (node.text or "").strip()
