"""Timestamps of RFC 3161: an authority signs that it saw a checkpoint, and when.

https://www.rfc-editor.org/rfc/rfc3161. What is kept is the whole response in DER, which any tool reads:
``openssl ts -verify -in RESPONSE -data CHECKPOINT -CAfile CERTIFICATES``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from cryptography.x509 import load_pem_x509_certificates
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from trueup.audit.anchors.der import sort_certificates
from trueup.audit.anchors.errors import NotTaken, PlaceInvalid
from trueup.runtime import outgoing

REQUEST_TYPE: Final = "application/timestamp-query"
RESPONSE_TYPE: Final = "application/timestamp-reply"
_OK: Final = 200


def timestamp(note: bytes, *, url: str, certificates: Path) -> bytes:
    """The authority's verified response over a signed note.

    ``NotTaken`` where it does not answer with one over these bytes, for this request, that leads to a root in
    ``certificates``; ``PlaceInvalid`` where that file holds none.
    """
    verifier = _verifier(certificates)
    request = TimestampRequestBuilder().data(note).hash_algorithm(HashAlgorithm.SHA256).cert_request(cert_request=True)
    asked = request.build()
    answer = outgoing.post(url, asked.as_bytes(), headers={"Content-Type": REQUEST_TYPE, "Accept": RESPONSE_TYPE})
    if answer.status != _OK:
        raise NotTaken(f"The timestamp authority answered with {answer.status}.", code=f"audit_tsa_{answer.status}")
    try:
        response = decode_timestamp_response(sort_certificates(answer.body))
        if asked.nonce is None:
            raise VerificationError
        verifier.nonce(asked.nonce).build().verify_message(response, note)
    except (ValueError, VerificationError) as error:
        # A response that refuses has no token to read, which is a ValueError.
        raise NotTaken(
            f"The timestamp authority's answer is no timestamp of the checkpoint: {error}"[:300],
            code="audit_timestamp_invalid",
            hint="See that TRUEUP_AUDIT_TSA_CERTIFICATES holds the authority's root certificate.",
        ) from None
    return answer.body


def _verifier(file: Path) -> VerifierBuilder:
    try:
        certificates = load_pem_x509_certificates(file.read_bytes())
    except (OSError, ValueError):
        certificates = []
    builder = VerifierBuilder()
    roots = 0
    for certificate in dict.fromkeys(certificates):
        if certificate.issuer == certificate.subject:
            builder = builder.add_root_certificate(certificate)
            roots += 1
        else:
            builder = builder.add_intermediate_certificate(certificate)
    if not roots:
        raise PlaceInvalid(
            f"TRUEUP_AUDIT_TSA_CERTIFICATES: there is no root certificate in {file}.",
            hint="Put the authority's root certificate there, in PEM.",
        )
    return builder
