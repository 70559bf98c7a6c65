"""A stored body as HTML: indented, never altered otherwise, escaped, with light colouring."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

import msgspec
from django.utils.html import escape
from django.utils.safestring import SafeString

LARGEST_COLOURED: Final = 96 * 1024
"""Bodies beyond this many bytes are shown plain: colouring would quadruple the page."""

_TOKEN: Final = re.compile(
    r'(?P<text>"(?:[^"\\]|\\.)*")(?P<colon>\s*:)?|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?P<word>true|false|null)'
)


def indented(body: bytes) -> str:
    """The body with only the white space between its tokens changed; what is not JSON comes back as it is.

    Bytes that are no UTF-8 appear as backslash escapes, so that nothing is hidden.
    """
    with suppress(msgspec.DecodeError):
        body = msgspec.json.format(body, indent=2)
    return body.decode("utf-8", "backslashreplace")


def _coloured(text: str) -> Iterator[str]:
    end = 0
    for match in _TOKEN.finditer(text):
        yield escape(text[end : match.start()])
        end = match.end()
        kind, token = match.lastgroup, match.group(0)
        if kind == "colon":
            name, colon = match.group("text"), match.group("colon")
            yield f'<span class="k">{escape(name)}</span>{escape(colon)}'
        else:
            css = {"text": "s", "number": "n", "word": "l"}[kind or "word"]
            yield f'<span class="{css}">{escape(token)}</span>'
    yield escape(text[end:])


def html(body: bytes) -> SafeString:
    """The body for a ``<pre>``; safe against any content."""
    text = indented(body)
    if len(body) > LARGEST_COLOURED:
        return SafeString(escape(text))
    return SafeString("".join(_coloured(text)))
