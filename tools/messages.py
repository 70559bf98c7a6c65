"""Keeps the console's catalogues: collects every text, brings ``de`` up to date, compiles, and says what is missing.

``python -m tools.messages`` writes; ``--check`` writes nothing, and is a gate. A text without a translation is shown in
English, so that a page is never broken by one; the gate names it. What to know when translating: docs/translating.md.
"""

from __future__ import annotations

import argparse
import io
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation.template import templatize

from tools.told_sentences import sentences

ROOT: Final = Path(__file__).resolve().parents[1]
SOURCES: Final = ROOT / "src" / "trueup"
LOCALES: Final = SOURCES / "web" / "locale"
LANGUAGES: Final = ("de",)
"""What the console is written in besides English, whose words are those in the code."""
TOLD: Final = "told"
"""The context of what packages below the console say."""
_NAMES: Final = re.compile(r"from django\.utils\.translation import (.+)")
_AS: Final = re.compile(r"(\w+) as (\w+)")
_NEVER: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""Catalogues carry no moment of their own: the same texts make the same bytes."""
_VALUE: Final = re.compile(r"%\(\w+\)s|%%|%[sd]|\{\w*\}")
_TAG: Final = re.compile(r"</?[a-z]+[^>]*>")
_CODE: Final = re.compile(r"`[^`]+`|<code>.*?</code>")


class Text(NamedTuple):
    """A text as the code has it; ``plural`` is empty for most."""

    context: str
    one: str
    plural: str = ""


def collected(sources: Path = SOURCES) -> dict[Text, list[str]]:
    """Every text that people read, and the files that it stands in, in the order of the files."""
    found: dict[Text, list[str]] = {}
    for text, place in (*_of_templates(sources), *_of_code(sources)):
        places = found.setdefault(text, [])
        if place not in places:
            places.append(place)
    for sentence, places in sentences(sources).items():
        found[Text(TOLD, sentence)] = places
    return found


def _of_templates(sources: Path) -> Iterator[tuple[Text, str]]:
    if not settings.configured:
        settings.configure()
    for path in sorted([*sources.rglob("templates/**/*.html"), *sources.rglob("templates/**/*.txt")]):
        # Django writes a template as calls of gettext amid noise; in brackets its lines need no indentation.
        code = f"(\n{templatize(path.read_text(encoding='utf-8'), origin=str(path))}\n)"
        yield from _extracted(code.encode(), path.relative_to(sources).as_posix())


def _of_code(sources: Path) -> Iterator[tuple[Text, str]]:
    for path in sorted(sources.rglob("*.py")):
        code = path.read_bytes()
        if b"gettext" in code:
            called = dict(pair[::-1] for names in _NAMES.findall(code.decode()) for pair in _AS.findall(names))
            yield from _extracted(code, path.relative_to(sources).as_posix(), called)


def _extracted(code: bytes, place: str, called: Mapping[str, str] = {}) -> Iterator[tuple[Text, str]]:
    """The texts in Python; ``called`` says under which other names it has the functions of gettext."""
    eager = {name: spec for name, spec in DEFAULT_KEYWORDS.items() if name.endswith("gettext")}
    keywords = eager | {f"{name}_lazy": spec for name, spec in eager.items()} | {"_": None, "gettext_noop": None}
    keywords |= {alias: keywords[name] for alias, name in called.items() if name in keywords}
    for _line, message, _comments, context in extract("python", io.BytesIO(code), keywords=keywords):
        one, *more = (message,) if isinstance(message, str) else message
        if one:
            yield Text(context or "", one, more[0] if more else ""), place


def po_of(language: str) -> Path:
    """Where the translations are written by people."""
    return LOCALES / language / "LC_MESSAGES" / "django.po"


def read(path: Path, language: str) -> Catalog:
    """A catalogue as it stands; an empty one where there is none yet."""
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def renewed(catalogue: Catalog, texts: Mapping[Text, Sequence[str]]) -> Catalog:
    """The catalogue with exactly these texts, each with the translation that it had."""
    fresh = Catalog(
        locale=catalogue.locale,
        project="trueup",
        version="",
        header_comment="# Texts of the console. Keep the glossary in docs/translating.md.",
        creation_date=_NEVER,
        revision_date=_NEVER,
        last_translator="",
        language_team="",
        fuzzy=False,
        copyright_holder="",
    )
    for text, places in texts.items():
        key = (text.one, text.plural) if text.plural else text.one
        known = catalogue.get(text.one, text.context or None)
        string = known.string if known is not None and known.pluralizable == bool(text.plural) else None
        flags = {"python-format"} if _VALUE.search(text.one) else set()
        flags |= {"fuzzy"} if known is not None and known.fuzzy else set()
        fresh.add(
            key, string or "", locations=[(place, 0) for place in places], flags=flags, context=text.context or None
        )
    return fresh


def written(catalogue: Catalog) -> bytes:
    """The catalogue as text for people."""
    file = io.BytesIO()
    write_po(file, catalogue, width=120, include_lineno=False)
    return file.getvalue()


def compiled(catalogue: Catalog) -> bytes:
    """The catalogue as programs read it."""
    file = io.BytesIO()
    write_mo(file, catalogue)
    return file.getvalue()


def faults(message: Message) -> Iterator[str]:
    """What is wrong with a translation that is there."""
    given = message.id if isinstance(message.id, str) else message.id[-1]
    strings = _strings(message)
    if message.fuzzy:
        yield "is marked fuzzy"
    for string in filter(None, strings):
        # One of anything may be said without its number.
        alone = not isinstance(message.id, str) and string == strings[0]
        wanted, has = (sorted(set(_VALUE.findall(one)) - {"%%"}) for one in (given, string))
        if has != wanted and not (alone and set(has) <= set(wanted)):
            yield f"has {', '.join(has) or 'no values'} where English has {', '.join(wanted) or 'none'}"
        if sorted(_TAG.findall(string)) != sorted(_TAG.findall(given)):
            yield "has other HTML tags"
        if sorted(_CODE.findall(string)) != sorted(_CODE.findall(given)):
            yield "has other code than English"
        if (string[0].isspace(), string[-1].isspace()) != (given[0].isspace(), given[-1].isspace()):
            yield "begins or ends with another space"
        if given[-1] in ".…:?" and string[-1] not in ".…:?!":
            yield "ends without the sign of English"


def missing(catalogue: Catalog) -> list[Message]:
    """The texts that have no translation, or not for every number."""
    return [one for one in catalogue if one.id and not all(_strings(one))]


def _strings(message: Message) -> list[str]:
    """The translation; one for every number of a text that counts."""
    return [message.string] if isinstance(message.string, str) else list(message.string or [""])


def problems(language: str, texts: Mapping[Text, Sequence[str]]) -> Iterator[str]:
    """What keeps a language from being complete and in order, each in a line."""
    path = po_of(language)
    here = path.relative_to(ROOT)
    fresh = renewed(read(path, language), texts)
    if not path.exists() or written(fresh) != path.read_bytes():
        yield f"{here} is out of date: python -m tools.messages"
    binary = path.with_suffix(".mo")
    if not binary.exists() or compiled(fresh) != binary.read_bytes():
        yield f"{binary.relative_to(ROOT)} is out of date: python -m tools.messages"
    left = missing(fresh)
    if left:
        yield f"{len(left)} {'text has' if len(left) == 1 else 'texts have'} no {fresh.locale.english_name}:"
        yield from (f"  {_shown(one)}  ({', '.join(place for place, _line in one.locations[:1])})" for one in left)
    for one in fresh:
        yield from (f"{_shown(one)} {fault}" for fault in (faults(one) if one.id else ()))


def pseudo(texts: Mapping[Text, Sequence[str]]) -> Catalog:
    """A catalogue of a language that does not exist: readable, with its limits marked, and two fifths longer."""
    catalogue = Catalog(locale="en", creation_date=_NEVER, revision_date=_NEVER, fuzzy=False)
    for text in texts:
        strings = tuple(_strange(one) for one in (text.one, text.plural) if one)
        if text.plural:
            catalogue.add((text.one, text.plural), strings, context=text.context or None)
        else:
            catalogue.add(text.one, strings[0], context=text.context or None)
    return catalogue


_KEPT: Final = re.compile(f"(?:{_VALUE.pattern})|(?:{_CODE.pattern})|(?:{_TAG.pattern})|&\\w+;|,")
_ACCENTS: Final = str.maketrans("ACEGHIKLNOPRSTUWYZacdeghijklnoprstuwyz", "ÀÇÉĜĤÎĶĹÑÖÞŘŠŤÛŴÝŽàçđéĝĥîĵķĺñöþřšťûŵýž")


def _strange(text: str) -> str:
    """``⟦Þàýɱéñţš ~~~⟧``; what a program reads in it stays: values, code, tags, and the commas between choices."""
    if "," in text and " " not in text:
        return ",".join(map(_strange, text.split(",")))
    parts, at = [], 0
    for kept in _KEPT.finditer(text):
        parts += [text[at : kept.start()].translate(_ACCENTS), kept.group()]
        at = kept.end()
    parts.append(text[at:].translate(_ACCENTS))
    longer = ("~~~~ " * 200)[: len(_KEPT.sub("", text)) * 2 // 5].strip()
    # A text may begin or end with a space, which is not a part of its words.
    words = "".join(parts)
    return words.replace(words.strip(), f"⟦{words.strip()}{' ' if longer else ''}{longer}⟧")


def _shown(message: Message) -> str:
    return repr(message.id if isinstance(message.id, str) else message.id[0])


def update(language: str, texts: Mapping[Text, Sequence[str]]) -> int:
    """Bring a language's catalogue up to date and compile it; gives how many texts have no translation."""
    path = po_of(language)
    fresh = renewed(read(path, language), texts)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(written(fresh))
    path.with_suffix(".mo").write_bytes(compiled(fresh))
    return len(missing(fresh))


def main(arguments: Sequence[str]) -> int:
    """Write the catalogues, or check them; 1 when something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tools.messages", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; say what is missing or out of date")
    options = parser.parse_args(arguments)
    texts = collected()
    if not options.check:
        for language in LANGUAGES:
            print(f"{language}: {len(texts)} texts, {update(language, texts)} without a translation")
        return 0
    found = [line for language in LANGUAGES for line in problems(language, texts)]
    print("\n".join(found) or f"{len(texts)} texts, complete in {', '.join(LANGUAGES)}.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
