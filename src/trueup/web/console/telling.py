"""Says in the reader's language what packages below the console say in English: errors, alarms, timelines, reasons.

Those packages know no reader. Their sentences stand in the catalogue under a context of their own, those with values as
patterns; ``tools.messages`` collects them. A sentence that the catalogue does not know is shown as it is.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

from babel.dates import format_skeleton
from django.conf import settings
from django.utils.translation import get_language, to_locale

from trueup.kernel import locales
from trueup.kernel.errors import Refused
from trueup.web.console import formats

CONTEXT: Final = "told"
_BETWEEN: Final = " · "
_SENTENCES: Final = re.compile(r"(?<=[.]) (?=[A-Z])")
_VALUE: Final = re.compile(r"%\((\w+)\)s")
_LONGEST: Final = 2_000
_DEEPEST: Final = 4
_SHAPES: Final = (
    ("money", r"\S{1,60}(?: [\d.,]{1,40})?"),
    ("day", r"[A-Z][a-z]{2,8} \d{1,2}, \d{4}"),
    ("number", r"\S{1,200}"),
    ("n", r"[\d,]{1,20}"),
)
"""What a value looks like, by its name without the digits that tell two of them apart."""


class _Pattern(NamedTuple):
    shape: re.Pattern[str]
    translated: str


class _Book:
    """What one language says: whole sentences, and patterns from the one that says most to the one that says least."""

    def __init__(self, path: Path) -> None:
        self._sentences: dict[str, str] = {}
        patterns: list[tuple[int, _Pattern]] = []
        for english, translated in _read(path.read_bytes()):
            if _VALUE.search(english):
                weight = len(_VALUE.sub("", english))
                patterns.append((weight, _Pattern(_shape(english), translated)))
            else:
                self._sentences[english.replace("%%", "%")] = translated.replace("%%", "%")
        self._patterns = [pattern for _weight, pattern in sorted(patterns, key=lambda one: -one[0])]

    def say(self, text: str, depth: int = 0) -> str | None:
        """The sentence in this language; None where nothing is known of it."""
        # A sentence that became a part of a line has lost its full stop.
        whole = self._sentences.get(text) or self._sentences.get(f"{text}.", "").rstrip(".") or None
        if whole is not None or depth >= _DEEPEST:
            return whole
        parts = text.split(_BETWEEN)
        if len(parts) > 1:
            said = [self.say(part, depth + 1) for part in parts]
            if any(one is not None for one in said):
                return _BETWEEN.join(part if one is None else one for part, one in zip(parts, said, strict=True))
        filled = next(self._filled(text, depth), None)
        return self._sentence_by_sentence(text, depth) if filled is None else filled

    def _sentence_by_sentence(self, text: str, depth: int) -> str | None:
        """Sentences that were put one behind the other, where each is known."""
        sentences = _SENTENCES.split(text)
        said = [self.say(one, _DEEPEST) or next(self._filled(one, depth + 1), "") for one in sentences[:8]]
        return " ".join(said) if len(sentences) > 1 and len(said) == len(sentences) and all(said) else None

    def _filled(self, text: str, depth: int) -> Iterator[str]:
        for pattern in self._patterns:
            found = pattern.shape.fullmatch(text)
            if found is None:
                continue
            values = {name: self._value(name, value, depth) for name, value in found.groupdict().items()}
            if None not in values.values():
                yield pattern.translated % values

    def _value(self, name: str, value: str, depth: int) -> str | None:
        if name.startswith("told_"):
            return self.say(value, depth + 1)
        if name.startswith("may_"):
            return self.say(value, depth + 1) or value
        if name.startswith("money"):
            return _money(value)
        return _day(value) if name.startswith("day") else value


def _read(compiled: bytes) -> Iterator[tuple[str, str]]:
    """The sentences of our context in a compiled catalogue, and what they are in its language.

    Source: https://www.gnu.org/software/gettext/manual/html_node/MO-Files.html
    """
    count, originals, translations = struct.unpack("<3I", compiled[8:20])
    for number in range(count):
        pair = []
        for table in (originals, translations):
            length, start = struct.unpack_from("<2I", compiled, table + number * 8)
            pair.append(compiled[start : start + length].decode())
        context, between, english = pair[0].partition("\x04")
        if context == CONTEXT and between:
            yield english, pair[1]


def _shape(sentence: str) -> re.Pattern[str]:
    parts = _VALUE.split(sentence)
    pieces = [
        re.escape(part.replace("%%", "%")) if index % 2 == 0 else _group(part) for index, part in enumerate(parts)
    ]
    return re.compile("".join(pieces), re.DOTALL)


def _group(name: str) -> str:
    stem = name.rstrip("0123456789")
    looks = next((shape for begins, shape in _SHAPES if stem == begins), ".+?")
    return f"(?P<{name}>{looks})"


def _money(text: str) -> str | None:
    """An amount that was written in English, as the reader writes it; None for what is no amount."""
    try:
        amount = locales.parse_money(text, locale="en")
    except Refused:
        return None
    return formats.money(amount.minor, amount.currency)


def _day(text: str) -> str | None:
    """``May 26, 2026``, a day in UTC and in English, as the reader writes it."""
    try:
        moment = datetime.strptime(text, "%B %d, %Y").replace(tzinfo=UTC)
    except ValueError:
        return None
    return format_skeleton("yMMMd", moment, locale=formats.locale())


@lru_cache(maxsize=8)
def _book(language: str) -> _Book | None:
    for folder in settings.LOCALE_PATHS:
        path = Path(str(folder)) / to_locale(language) / "LC_MESSAGES" / "django.mo"
        if path.is_file():
            return _Book(path)
    return None


def told(text: str) -> str:
    """The sentence in the reader's language; as it is where the language does not know it."""
    book = _book(get_language() or "en")
    if book is None or not text or len(text) > _LONGEST:
        return text
    return book.say(text) or text
