"""Certificates of a timestamp response are sorted, and nothing else is touched."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trueup.audit.anchors.der import sort_certificates


def element(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes(2)
    return bytes([tag, 0x82]) + length + content


def response(*certificates: bytes) -> bytes:
    """A TimeStampResp in as much of its form as matters here."""
    signed = element(
        0x30, element(2, b"\x03"), element(0x31), element(0x30, b"content"), element(0xA0, *certificates), element(0x31)
    )
    token = element(0x30, element(6, b"oid"), element(0xA0, signed))
    return element(0x30, element(0x30, element(2, b"\x00")), token)


@given(st.lists(st.binary(max_size=300), max_size=4))
def test_certificates_come_out_sorted_however_they_went_in(contents: list[bytes]) -> None:
    certificates = [element(0x30, content) for content in contents]

    assert sort_certificates(response(*certificates)) == response(*sorted(certificates))


@given(st.binary(max_size=80))
def test_what_is_no_response_comes_back_as_it_is(data: bytes) -> None:
    assert sorted(sort_certificates(data)) == sorted(data)


@given(st.integers(min_value=0, max_value=40))
def test_a_response_that_is_cut_short_comes_back_as_it_is(length: int) -> None:
    whole = response(element(0x30, b"b" * 20), element(0x30, b"a" * 20))

    assert sort_certificates(whole[:length]) == whole[:length]
