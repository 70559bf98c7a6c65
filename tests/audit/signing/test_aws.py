"""Signature Version 4, against AWS's published examples.

https://docs.aws.amazon.com/general/latest/gr/signature-v4-test-suite.html and the example of IAM's ``ListUsers`` in
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-signing-elements.html.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from trueup.audit.signing.aws import Credentials, signed_headers, signing_key

KEY = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
AT = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)

_CASES = [
    (
        "get-vanilla",
        "GET",
        "https://example.amazonaws.com/",
        "service",
        {},
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ),
    (
        "post-vanilla",
        "POST",
        "https://example.amazonaws.com/",
        "service",
        {},
        "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    ),
    (
        "ListUsers",
        "GET",
        "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08",
        "iam",
        {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
        "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
    ),
]


@pytest.mark.parametrize(("_case", "method", "url", "service", "headers", "signature"), _CASES)
def test_the_published_examples_have_their_signatures(
    _case: str, method: str, url: str, service: str, headers: dict[str, str], signature: str
) -> None:
    signed = signed_headers(
        method=method,
        url=url,
        headers=headers,
        body=b"",
        credentials=Credentials(key_id="AKIDEXAMPLE", secret=KEY),
        region="us-east-1",
        service=service,
        at=AT,
    )

    assert signed["Authorization"].rpartition("Signature=")[2] == signature
    assert signed["Authorization"].startswith(
        f"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/{service}/aws4_request, SignedHeaders="
    )


def test_the_key_of_the_published_example_is_derived() -> None:
    found = signing_key(KEY, "20150830", "us-east-1", "iam")

    assert found.hex() == "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"
