"""The gate that keeps every language of the console complete."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message

from tools import messages
from tools.messages import Text, compiled, faults, missing, renewed, written
from tools.told_sentences import sentences

PAGE = """{% load i18n %}
  <h1>{% translate "Payments" %}</h1>\
{% blocktranslate count n=rows|length %}{{ n }} row{% plural %}{{ n }} rows{% endblocktranslate %}
{% translate "Canceled" context "subscription" %}{# {% translate "nobody reads this" %} #} it's noise
"""
CODE = """
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import ngettext
NAME = _lazy("Customers"
             " and more")
def told(n): return ngettext("%(n)s key", "%(n)s keys", n) % {"n": n}
"""
DOMAIN = """
class Away(Unavailable): ...
class Refused(TrueupError): ...
class Unavailable(TrueupError): ...
def fail(slug, many):
    raise Refused(f"There is no account {slug!r} of {len(many)}.",
        hint="List them first." if many else "Add one first.")
def later(): raise Away("It did not answer.", code="away")
log("nobody reads this")
Problem(message=f"{first.n} of {second.n} are 5% away from home")
"""


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    for name, text in {"web/templates/a.html": PAGE, "web/a.py": CODE, "inbox/b.py": DOMAIN}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_texts_are_found_in_templates_in_code_and_in_what_domains_say(sources: Path) -> None:
    found = messages.collected(sources)

    assert set(found) == {
        Text("", "Payments"),
        Text("", "%(n)s row", "%(n)s rows"),
        Text("subscription", "Canceled"),
        Text("", "Customers and more"),
        Text("", "%(n)s key", "%(n)s keys"),
        Text("told", "There is no account %(slug)s of %(many)s."),
        Text("told", "List them first."),
        Text("told", "Add one first."),
        Text("told", "It did not answer."),
        Text("told", "%(n)s of %(n2)s are 5%% away from home"),
    }
    assert found[Text("", "Payments")] == ["web/templates/a.html"]


def test_what_an_error_of_ours_says_by_itself_is_collected(sources: Path) -> None:
    (sources / "errors.py").write_text(
        "class Late(TrueupError):\n"
        "    def __init__(self, when):\n"
        "        super().__init__(f'It came at {when} alone.', hint='Ask for another one.')\n"
        "class Other:\n"
        "    def __init__(self):\n"
        "        super().__init__('No error says this at all.')\n"
        "class TrueupError(Exception):\n    pass\n"
    )

    found = sentences(sources)

    assert {"It came at %(when)s alone.", "Ask for another one."} <= found.keys()
    assert "No error says this at all." not in found


def test_what_nobody_is_shown_is_not_collected(sources: Path) -> None:
    (sources / "ops").mkdir()
    (sources / "ops" / "c.py").write_text('raise TrueupError("Only a terminal says so.")')

    assert "Only a terminal says so." not in sentences(sources)


def test_a_translation_stays_while_its_text_does(sources: Path) -> None:
    texts = messages.collected(sources)
    first = renewed(Catalog(locale="de"), texts)
    first["Payments"].string = "Zahlungen"
    first["%(n)s row"].string = ("%(n)s Zeile", "%(n)s Zeilen")
    del texts[Text("", "%(n)s row", "%(n)s rows")]

    again = renewed(first, texts)

    assert again["Payments"].string == "Zahlungen"
    assert again.get("%(n)s row") is None
    assert len(missing(first)) == len(missing(again)) == 8


def test_the_same_texts_make_the_same_bytes(sources: Path) -> None:
    catalogues = [renewed(Catalog(locale="de"), messages.collected(sources)) for _ in range(2)]

    assert written(catalogues[0]) == written(catalogues[1])
    assert compiled(catalogues[0]) == compiled(catalogues[1])
    assert re.search(rb"Date: (?!2026-01-01)", written(catalogues[0])) is None


@pytest.mark.parametrize(
    ("_case", "english", "german", "fault"),
    [
        ("a value is lost", "of %(n)s", "von", "has no values where English has %(n)s"),
        ("another value", "of %(n)s", "von %(m)s", "has %(m)s where English has %(n)s"),
        ("a tag is lost", "see <code>x</code>", "siehe x", "has other HTML tags"),
        ("code is translated", "run `trueup status`", "starte `trueup stand`", "has other code than English"),
        ("a space is lost", "Failed: ", "Gescheitert:", "begins or ends with another space"),
        ("a full stop is lost", "Saved.", "Gespeichert", "ends without the sign of English"),
    ],
)
def test_a_faulty_translation_is_named(_case: str, english: str, german: str, fault: str) -> None:
    assert fault in list(faults(Message(english, german)))
    assert "is marked fuzzy" in list(faults(Message("Yes", "Ja", flags=["fuzzy"])))


def test_a_good_translation_has_no_fault() -> None:
    assert list(faults(Message("Look at %(a)s.", "Sehen Sie %(a)s an!"))) == []
    assert list(faults(Message(("%(n)s key", "%(n)s keys"), ("ein Schlüssel", "%(n)s Schlüssel")))) == []


def test_the_gate_says_how_many_texts_are_missing(
    sources: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(messages, "ROOT", sources)
    monkeypatch.setattr(messages, "LOCALES", sources / "locale")
    texts = messages.collected(sources)
    assert any("django.po is out of date" in line for line in messages.problems("de", texts))

    assert messages.update("de", texts) == 10
    said = list(messages.problems("de", texts))
    assert said[0] == "10 texts have no German:"
    assert any("'Payments'" in line and "web/templates/a.html" in line for line in said)

    messages.po_of("de").with_suffix(".mo").write_bytes(b"")
    assert any("django.mo is out of date" in line for line in messages.problems("de", texts))
