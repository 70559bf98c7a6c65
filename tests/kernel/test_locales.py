"""Amounts as a locale writes them, and what people type read as money."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest
from babel.numbers import format_currency, list_currencies
from hypothesis import example, given, settings
from hypothesis import strategies as st

from trueup.kernel.errors import Refused
from trueup.kernel.locales import STRIPE_LOCALES, money, parse_money, resolve
from trueup.kernel.money import Money, decimals

LOCALES = st.sampled_from(sorted(STRIPE_LOCALES))
CODES = sorted(code.lower() for code in list_currencies())
CURRENCIES = st.sampled_from(
    ["usd", "eur", "jpy", "kwd", "isk", "huf", "twd", "ugx", "inr", "chf", "sek", "dkk", "bgn"]
)


def of(minor: int, currency: str) -> Money:
    return Money(minor=minor, currency=currency)


def named_locales(part: object) -> set[str]:
    """Every list of locales in the schema that names French Canada."""
    if isinstance(part, dict):
        values = part.get("values")
        own = set(values) if isinstance(values, list) and "fr-CA" in values else set()
        return own.union(*(named_locales(inner) for inner in part.values()))
    return set().union(*(named_locales(inner) for inner in part)) if isinstance(part, list) else set()


def test_every_locale_that_stripe_names_is_known(shared: Path) -> None:
    schema = json.loads((shared / "stripe" / "schema-16.1.0.json").read_bytes())

    assert named_locales(schema) - {"auto"} == STRIPE_LOCALES
    assert [tag for tag in STRIPE_LOCALES if resolve([tag]) == "en"] == ["en"]


@pytest.mark.parametrize(
    ("_case_tags", "_case_found"),
    [
        (["de-AT", "en"], "de-AT"),
        (["xx-YY", "de-AT"], "de-AT"),
        (["de-XX"], "de"),
        (["es_419"], "es-419"),
        (["zh-TW"], "zh-Hant-TW"),
        (["auto"], "en"),
        (["", "!", "x" * 100, "en-" + "x" * 40, "../etc", "d\n", "de-DE-1996-x-y-z"], "de"),
        ([], "en"),
    ],
)
def test_the_first_locale_that_is_known_is_taken(_case_tags: list[str], _case_found: str) -> None:
    assert resolve(_case_tags) == _case_found


@given(st.lists(st.text(max_size=40) | st.from_regex(r"[a-zA-Z]{2,3}([-_][a-zA-Z0-9]{1,8}){0,3}", fullmatch=True)))
def test_whatever_a_customer_prefers_there_is_a_locale(tags: list[str]) -> None:
    found = resolve(tags)

    assert resolve([found]) == found
    assert money(of(100, "eur"), found)


@pytest.mark.parametrize(
    ("_case_minor", "_case_currency", "_case_locale", "_case_words"),
    [
        (123450, "usd", "en", "$1,234.50"),
        (123450, "usd", "en-CA", "US$1,234.50"),
        (-123450, "usd", "en", "-$1,234.50"),
        (123450, "eur", "de", "1.234,50 €"),
        (-123450, "eur", "de", "-1.234,50 €"),
        (123450, "cad", "fr-CA", "1 234,50 $"),
        (12345678950, "inr", "hi-IN", "₹12,34,56,789.50"),
        (-100, "chf", "de-CH", "CHF-1.00"),
        (123450, "chf", "de-CH", "CHF 1\u2019234.50"),
        (-100, "sek", "sv", "\u22121,00 kr"),
        (100, "sar", "ar-SA", "\u200f1.00 ر.س.\u200f"),
        (5000, "jpy", "en", "¥5,000"),
        (5, "jpy", "de", "5 ¥"),
        (1234, "kwd", "en", "KWD 1.234"),
        (5, "kwd", "en", "KWD 0.005"),
        (500, "isk", "en", "ISK 5"),
        (550, "isk", "en", "ISK 5.50"),
        (500, "ugx", "en", "UGX 5"),
        (500, "huf", "en", "HUF 5.00"),
        (500, "twd", "en", "NT$5.00"),
        (0, "usd", "en", "$0.00"),
        (100, "zzq", "en", "ZZQ 1.00"),
        # CLDR's sign for this one is the code of another.
        (100, "ilr", "zh", "ILR 1.00"),
        (100, "usd", "tlh-QQ", "$1.00"),
        (10**40, "usd", "en", "$100,000,000,000,000,000,000,000,000,000,000,000,000.00"),
    ],
)
def test_money_is_written_as_the_locale_writes_it(
    _case_minor: int, _case_currency: str, _case_locale: str, _case_words: str
) -> None:
    assert money(of(_case_minor, _case_currency), _case_locale).replace("\xa0", " ") == _case_words


@given(st.integers(-(10**20), 10**20), st.sampled_from(["usd", "eur", "gbp", "cad", "inr", "brl"]), LOCALES)
@settings(deadline=None)
def test_money_is_written_as_babel_writes_it_where_both_agree_on_decimals(
    minor: int, currency: str, locale: str
) -> None:
    amount = of(minor, currency)
    theirs = format_currency(Decimal(amount.major), currency.upper(), locale=locale.replace("-", "_"))

    # We write the locale's own minus, and keep letters apart from digits.
    assert re.sub("[-\u2212\u200e]", "-", money(amount, locale)).replace("--", "-").replace("\xa0", "") == re.sub(
        "[-\u2212\u200e]", "-", theirs
    ).replace("--", "-").replace("\xa0", "")


@given(st.integers(-(10**30), 10**30), st.sampled_from(CODES), LOCALES)
@example(0, "xaf", "ar-SA")
@settings(deadline=None)
def test_what_is_written_is_read_as_the_same_amount(minor: int, currency: str, locale: str) -> None:
    amount = of(minor * 100 if decimals(currency) == 0 else minor, currency)

    assert parse_money(money(amount, locale), locale=locale, currency=currency) == amount


def test_no_digit_is_lost_in_any_locale_and_currency() -> None:
    written = [
        (locale, code, re.sub(r"\D", "", money(of(1234567890, code), locale)))
        for locale in sorted(STRIPE_LOCALES)
        for code in CODES
    ]

    assert {digits for _, code, digits in written if code not in {"isk", "ugx"}} == {"1234567890"}


@pytest.mark.parametrize(
    ("_case_typed", "_case_locale", "_case_currency", "_case_amount"),
    [
        ("1.234,50 €", "de", None, (123450, "eur")),
        ("1.234,50", "de", "eur", (123450, "eur")),
        (" EUR1234,5 ", "de", None, (123450, "eur")),
        ("1 234,50 eur", "de", None, (123450, "eur")),
        ("1'234,50 EUR", "de", None, (123450, "eur")),
        ("1 234,50", "fr", "eur", (123450, "eur")),
        ("1,234", "en", "usd", (123400, "usd")),
        (".5", "en", "usd", (50, "usd")),
        ("-.5", "en", "usd", (-50, "usd")),
        ("$-5", "en", None, (-500, "usd")),
        ("-$5", "en", None, (-500, "usd")),
        ("\u2212 5 $", "en", None, (-500, "usd")),
        ("+5", "en", "usd", (500, "usd")),
        ("12,34,567.50", "hi-IN", "inr", (123456750, "inr")),
        ("1,234,567.50", "hi-IN", "inr", (123456750, "inr")),
        ("1\u2019234.50", "de-CH", "chf", (123450, "chf")),
        ("kr. 5", "da", None, (500, "dkk")),
        ("kr.5", "da", None, (500, "dkk")),
        ("\u0661\u066c\u0662\u0663\u0664\u066b\u0665\u0660", "ar-SA", "sar", (123450, "sar")),
        ("\uff11\uff12\uff13", "ja", "jpy", (123, "jpy")),
        ("5.000 JPY", "de", None, (5000, "jpy")),
        ("1.234", "en", "kwd", (1234, "kwd")),
        ("1,234.000", "en", "kwd", (1234000, "kwd")),
        ("1,234", "en", "isk", (123400, "isk")),
        ("007", "en", "usd", (700, "usd")),
        ("5 $", "tlh-QQ", None, (500, "usd")),
        ("5 FCFA", "en", "xof", (5, "xof")),
    ],
)
def test_an_amount_is_read_as_the_locale_writes_it(
    _case_typed: str, _case_locale: str, _case_currency: str | None, _case_amount: tuple[int, str]
) -> None:
    found = parse_money(_case_typed, locale=_case_locale, currency=_case_currency)

    assert found == of(*_case_amount)


@pytest.mark.parametrize(
    ("_case_typed", "_case_locale", "_case_currency", "_case_code", "_case_hint"),
    [
        ("1.234", "en", "usd", "amount_unreadable", "Write it as $1,234.00."),
        ("1.23", "de", "eur", "amount_unreadable", "Write it as 1,23 €."),
        ("1,234,50", "en", "usd", "amount_unreadable", "Write it as $1,234.00."),
        ("12,34,567", "en", "usd", "amount_unreadable", "Write it as $1,234.00."),
        ("1234,567.00", "en", "usd", "amount_unreadable", "Write it as $1,234.00."),
        ("0,123", "en", "usd", "amount_unreadable", "Write it as $1,234.00."),
        ("1,234 567", "en", "usd", "amount_unreadable", "Write it as $1,234.00."),
        ("5.", "en", "usd", "amount_unreadable", "Write it as $1,234.00."),
        ("5.001", "en", "usd", "amount_unreadable", "Write it as $5,001.00."),
        ("5.50", "en", "jpy", "amount_unreadable", "Write it as ¥1,234."),
        ("5.50", "en", "isk", "amount_unreadable", "Write it as ISK 1,234."),
        ("5,5,", "en", "usd", "amount_unreadable", "Write it as $1,234.00."),
        ("--5", "en", "usd", "amount_unreadable", "Write it as $1,234.00."),
        ("-5-", "en", None, "amount_unreadable", "Write it as $1,234.00."),
        ("", "en", "usd", "amount_unreadable", "Write it as $1,234.00."),
        ("free", "en", "usd", "amount_unreadable", "Write it as $1,234.00."),
        ("5" * 101, "en", "usd", "amount_unreadable", "Write it as $1,234.00."),
        ("1,234", "en", "kwd", "amount_ambiguous", "Write all its decimals: KWD 1,234.000 or KWD 1.234."),
        ("1.234", "de", "kwd", "amount_ambiguous", "Write all its decimals: 1.234,000 KWD or 1,234 KWD."),
        ("5", "en", None, "currency_missing", "Write its code behind it: 49.00 EUR."),
        ("5 coins", "en", "usd", "currency_unknown", "Write the currency's code behind the number: 49.00 EUR."),
        ("5 QQQ", "en", None, "currency_unknown", "Write the currency's code behind the number: 49.00 EUR."),
        ("(5)", "en", "usd", "currency_unknown", "Write the currency's code behind the number: 49.00 EUR."),
        ("5 or 6", "en", "usd", "currency_unknown", "Write the currency's code behind the number: 49.00 EUR."),
        ("5 FCFA", "en", None, "currency_unknown", "Write the currency's code behind the number: 49.00 EUR."),
        ("5 €", "en", "usd", "currency_mismatch", "Write the amount in USD."),
    ],
)
def test_what_cannot_be_read_for_certain_is_refused_with_the_way_to_write_it(
    _case_typed: str, _case_locale: str, _case_currency: str | None, _case_code: str, _case_hint: str
) -> None:
    with pytest.raises(Refused) as refused:
        parse_money(_case_typed, locale=_case_locale, currency=_case_currency)

    assert (refused.value.code, refused.value.hint) == (_case_code, _case_hint)


def outcome(typed: str, locale: str, currency: str | None) -> Money | Refused:
    try:
        return parse_money(typed, locale=locale, currency=currency)
    except Refused as refused:
        return refused


@given(st.text(alphabet="0123456789.,' -+$€kr%x\xa0\u0663", max_size=12), LOCALES, st.none() | CURRENCIES)
@settings(deadline=None)
def test_whatever_is_typed_is_an_amount_or_is_refused(typed: str, locale: str, currency: str | None) -> None:
    found = outcome(typed, locale, currency)

    if isinstance(found, Money):
        assert currency in {None, found.currency}
        assert parse_money(money(found, locale), locale=locale, currency=found.currency) == found
    else:
        assert found.hint.startswith("Write ")
