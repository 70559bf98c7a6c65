"""Money, dates and bodies as a reader sees them."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from trueup.customer.types import PaymentMethod
from trueup.web.console import formats, payload
from trueup.web.console.method_words import method_name

NOW = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("minor", "currency", "shown"),
    [
        (4900, "usd", "$49.00"),
        (-1500, "usd", "-$15.00"),
        (4900, "jpy", "¥4,900"),
        (123456, "eur", "€1,234.56"),
        (1500, "kwd", "KWD\xa01.500"),
        (0, "gbp", "£0.00"),
        (700, "zzz", "ZZZ\xa07.00"),
        (500, "isk", "ISK\xa05"),
        (550, "ugx", "UGX\xa05.50"),
    ],
)
def test_money_has_the_currencys_own_decimals(minor: int, currency: str, shown: str) -> None:
    assert formats.money(minor, currency) == shown


@pytest.mark.parametrize(
    ("amount", "currency", "language", "shown"),
    [
        ("2900", "usd", "en", "$29.00"),
        ("2900.000", "usd", "en", "$29.00"),
        ("0.5", "usd", "en", "$0.005"),
        ("123456.75", "eur", "de", "1.234,5675\xa0€"),
        ("0.25", "jpy", "en", "¥0.25"),
        ("5000", "isk", "en", "ISK\xa050"),
        ("5000.5", "isk", "en", "ISK\xa050.005"),
        ("550.25", "isk", "en", "ISK\xa05.5025"),
    ],
)
def test_a_price_below_a_cent_keeps_its_digits(amount: str, currency: str, language: str, shown: str) -> None:
    with translation.override(language):
        assert formats.unit_price(amount, currency) == shown


def test_a_language_is_named_in_the_readers_and_an_unknown_one_stays() -> None:
    assert formats.language("pt-BR") == "Portuguese (Brazil)"
    assert formats.language("xx-nonsense!") == "xx-nonsense!"
    with translation.override("de"):
        assert formats.language("nl") == "Niederländisch"


def test_money_is_written_as_the_readers_language_does() -> None:
    with translation.override("de"):
        assert formats.money(123456, "eur") == "1.234,56\xa0€"


@pytest.mark.parametrize(
    ("language", "tags", "day", "amount"),
    [
        ("en", [], "Nov 20, 2026", "€1,234.56"),
        ("en", ["en-gb", "en-us", "en"], "20 Nov 2026", "€1,234.56"),
        ("en", ["en", "de-de"], "20 Nov 2026", "1.234,56\xa0€"),
        ("de", ["de-at", "de"], "20. Nov. 2026", "€\xa01.234,56"),
        ("de", ["en-us", "de-ch"], "20. Nov. 2026", "EUR\xa01\u2019234.56"),
        ("en", ["en-zz", "xx-xx", "en-latn-", "*", "en-us"], "Nov 20, 2026", "€1,234.56"),
    ],
)
def test_dates_and_amounts_are_written_as_in_the_browsers_region(
    language: str, tags: list[str], day: str, amount: str
) -> None:
    with translation.override(language), formats.region(tags):
        assert formats.day(NOW) == day
        assert formats.money(123456, "eur") == amount
    with translation.override("en"):
        assert formats.day(NOW) == "Nov 20, 2026"


@pytest.mark.parametrize(
    ("away", "shown"),
    [
        (timedelta(minutes=-36), "36 min. ago"),
        (timedelta(seconds=-12), "12 sec. ago"),
        (timedelta(0), "1 sec. ago"),
        (timedelta(days=6), "in 6 days"),
        (timedelta(days=-400), "1 year ago"),
    ],
)
def test_a_distance_in_time_has_a_direction(away: timedelta, shown: str) -> None:
    assert formats.distance(NOW + away, now=NOW) == shown


def test_a_near_day_leaves_the_present_year_out() -> None:
    assert formats.near_day(NOW + timedelta(days=10), now=NOW) == "Nov 30"
    assert formats.near_day(NOW + timedelta(days=60), now=NOW) == "Jan 19, 2027"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Pixel Systems Ltd", "PS"),
        ("acme", "A"),
        ("ops@tidal.example", "OT"),
        ("  ", ""),
        ("🙂 Ünal", "Ü"),
        ("- x", "X"),
    ],
)
def test_initials_are_at_most_two_letters(name: str, shown: str) -> None:
    assert formats.initials(name) == shown


def test_a_payment_method_is_named_as_people_know_it() -> None:
    def method(type_: str | None, brand: str | None, last4: str | None) -> str:
        return method_name(
            PaymentMethod(id="pm_1", type=type_, brand=brand, last4=last4, exp_month=None, exp_year=None)
        )

    assert method("card", "visa", "4242") == "Visa ••••\xa04242"
    assert method("sepa_debit", None, "3000") == "SEPA Direct Debit ••••\xa03000"
    assert method("link", None, None) == "Link"
    assert method("brand_new_type", None, None) == "Brand new type"
    assert method("card", "brand_new", "1111") == "Brand New ••••\xa01111"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON)
def test_a_coloured_body_says_exactly_what_the_body_says(value: object) -> None:
    body = msgspec.json.encode(value)

    shown = html.unescape(re.sub(r"</?span[^>]*>", "", payload.html(body)))

    assert msgspec.json.decode(shown) == value


@given(st.binary(max_size=200) | st.text('"<>&{}[]:,\\a1 ').map(str.encode))
def test_any_bytes_can_be_shown_and_none_becomes_markup(body: bytes) -> None:
    shown = re.sub(r'<span class="[ksnl]">|</span>', "", payload.html(body))

    assert "<" not in shown
    assert ">" not in shown
