"""What packages below the console say in English, said in the reader's language."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.test import Client
from django.utils import translation

from trueup.customer.rules import reasons
from trueup.operators.types import Person
from trueup.web.console.telling import told


@pytest.mark.parametrize(
    ("_case", "said", "german"),
    [
        ("a sentence", "There is no such time zone.", "Diese Zeitzone gibt es nicht."),
        ("with a value", "There is no account acme.", "Es gibt kein Konto acme."),
        ("with money", "Payment of $1,234.50 failed", "Zahlung über 1.234,50\xa0$ fehlgeschlagen"),
        ("with a currency's code", "Payment of CHF 12.00 succeeded", "Zahlung über 12,00\xa0CHF erfolgreich"),
        ("with a day", "Will cancel on May 26, 2026", "Wird am 26. Mai 2026 gekündigt"),
        (
            "with words inside",
            "Payment of $49.00 failed: insufficient funds",
            "Zahlung über 49,00\xa0$ fehlgeschlagen: unzureichende Deckung",
        ),
        ("in parts", "Pro, monthly · Requested", "Pro, monatlich · Gewünscht"),
        ("in parts of which one is a name", "Acme Ltd · Until May 26, 2026", "Acme Ltd · Bis 26. Mai 2026"),
        ("with a name", "Upgraded from Team to Owner", "Upgrade von Team zu Owner"),
        ("nobody's", "Something that nobody says", "Something that nobody says"),
        ("empty", "", ""),
    ],
)
def test_a_sentence_is_said_in_german(_case: str, said: str, german: str) -> None:
    with translation.override("de"):
        assert told(said) == german


def test_a_sentence_behind_another_is_said_as_well() -> None:
    english = reasons.sentence("leading.resumed", datetime(2026, 5, 26, 9, 30, tzinfo=UTC))

    with translation.override("de"):
        assert told(english).endswith("eine Zahlung. Das war am 26. Mai 2026 um 09:30 UTC.")


def test_english_stays_as_it_is() -> None:
    with translation.override("en"):
        assert told("Payment of $1,234.50 failed") == "Payment of $1,234.50 failed"


def test_a_very_long_text_costs_nothing() -> None:
    with translation.override("de"):
        assert told("There is no account " + "a" * 5_000) == "There is no account " + "a" * 5_000


def test_a_page_is_written_in_the_browsers_language_and_the_api_in_english(person: Person) -> None:
    # What a request activates stays active in its thread, which the next test shares.
    with translation.override("en"):
        german = Client(headers={"Accept-Language": "de-AT,de;q=0.9"})

        assert "Anmelden" in german.get("/sign-in").content.decode()
        assert 'lang="en"' in Client(headers={"Accept-Language": "xx"}).get("/sign-in").content.decode()
        assert german.get("/api/v1/no-such-thing").json()["error"]["message"] == "There is no page at this address."
        assert "Unter dieser Adresse" in german.get("/no-such-page").content.decode()


def test_our_words_win_over_those_of_other_apps() -> None:
    with translation.override("de"):
        assert translation.gettext("Verified") == "Geprüft"
