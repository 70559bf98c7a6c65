"""The certificates of a timestamp response in the order that DER asks for.

RFC 3161 wants DER, in which the elements of a set are sorted; OpenSSL, and so most authorities, puts certificates as
they come. A reader that takes DER by its word refuses them. They are outside what is signed, so sorting changes nothing
that is verified.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

SEQUENCE: Final = 0x30
TAGGED: Final = 0xA0
"""``[0]``: the content of a ContentInfo, and the certificates of a SignedData."""


def sort_certificates(response: bytes) -> bytes:
    """The same response with its certificates sorted; what is of another form comes back as it is."""
    try:
        # TimeStampResp, its token, the token's content, SignedData, its certificates.
        start, end = _inside(response, 0, len(response), [(SEQUENCE, 0), (SEQUENCE, 1), (TAGGED, 0), (SEQUENCE, 0)])
        at = next(
            (one for one in _elements(response, start, end) if response[one[0]] == TAGGED),
            None,
        )
        if at is None:
            return response
        start, end = at[1], at[2]
        certificates = sorted(response[first:last] for first, _, last in _elements(response, start, end))
    except (IndexError, ValueError):
        return response
    return response[:start] + b"".join(certificates) + response[end:]


def _inside(data: bytes, start: int, end: int, path: list[tuple[int, int]]) -> tuple[int, int]:
    """Where the content begins and ends that is reached by taking, at each level, the n-th element with that tag."""
    for tag, number in path:
        matching = [one for one in _elements(data, start, end) if data[one[0]] == tag]
        _, start, end = matching[number]
    return start, end


def _elements(data: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Where each element begins, where its content begins, and where it ends; ``ValueError`` for what is cut short."""
    at = start
    while at < end:
        length, content = data[at + 1], at + 2
        if length >= 0x80:
            size = length & 0x7F
            length, content = int.from_bytes(data[content : content + size]), content + size
        if not content <= content + length <= end:
            raise ValueError("An element is longer than what holds it.")
        yield at, content, content + length
        at = content + length
