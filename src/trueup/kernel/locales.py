"""Amounts of money as a locale writes them, and read from what people type.

Symbols, separators and their places are CLDR's, as Babel carries them; digits are put together as text, so that no
amount of any size loses one. Digits are always 0 to 9. A locale is named by an IETF tag such as ``fr-CA``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from babel import Locale, UnknownLocaleError
from babel.numbers import (
    get_currency_symbol,
    get_decimal_symbol,
    get_group_symbol,
    get_minus_sign_symbol,
    list_currencies,
)

from trueup.kernel.errors import Refused
from trueup.kernel.money import CURRENCY, Money, decimals, exponent

STRIPE_LOCALES: Final = frozenset(
    """
    ar-SA bg bg-BG cs cs-CZ da da-DK de de-DE el el-GR en en-AU en-CA en-GB en-IE en-IN en-NZ en-SG en-US es es-419
    es-ES et et-EE fi fi-FI fil fil-PH fr fr-CA fr-FR he-IL hi-IN hr hr-HR hu hu-HU id id-ID it it-IT ja ja-JP ko ko-KR
    lt lt-LT lv lv-LV ms ms-MY mt mt-MT nb nb-NO nl nl-NL pl pl-PL pt pt-BR pt-PT ro ro-RO ru ru-RU sk sk-SK sl sl-SI
    sv sv-SE th th-TH tr tr-TR vi vi-VN zh zh-HK zh-Hans zh-Hant-HK zh-Hant-TW zh-TW
    """.split()
)
"""The locales that Stripe names anywhere; a customer's ``preferred_locales`` may hold others, which CLDR may know."""

_LONGEST: Final = 100
_LONGEST_TAG: Final = 35
_TAG: Final = re.compile(r"[A-Za-z]{2,8}(?:[-_][A-Za-z0-9]{1,8})*")

_NUMBER: Final = re.compile(r"(?:(?<![^\W\d_])[.,\u066b])?[0-9][0-9.,'\u2019\u066b\u066c\s]*")
"""From its first digit to its last sign; a point behind a letter belongs to the currency, as in ``kr. 5``."""

_THREES: Final = re.compile(r"[1-9][0-9]{0,2}(?:[^0-9][0-9]{3})+")
_TWOS: Final = re.compile(r"[1-9][0-9]?(?:[^0-9][0-9]{2})*[^0-9][0-9]{3}")
_UNSEEN: Final = re.compile("[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_SEEN: Final = dict.fromkeys("\u2212\u2010\u2011\ufe63\uff0d", "-")
_SPACELIKE: Final = frozenset({" ", "'", "\u2019"})
"""Never a decimal sign anywhere, so they may always stand between groups of digits."""


class _Writing:
    """How one locale writes amounts."""

    __slots__ = ("decimal", "first", "group", "locale", "minus", "others", "prefixes", "suffixes", "tag")

    def __init__(self, locale: Locale) -> None:
        pattern = locale.currency_formats["standard"]
        self.locale = locale
        self.tag = str(locale).replace("_", "-")
        self.prefixes, self.suffixes = pattern.prefix, pattern.suffix
        self.first, self.others = pattern.grouping
        self.decimal, self.group = get_decimal_symbol(locale), get_group_symbol(locale)
        self.minus = get_minus_sign_symbol(locale)

    def grouped(self, digits: str) -> str:
        """``1234567`` as ``1,234,567``, or ``12,34,567`` in India."""
        parts = [digits[-self.first :]]
        rest = digits[: -self.first]
        while rest:
            parts.append(rest[-self.others :])
            rest = rest[: -self.others]
        return self.group.join(reversed(parts))

    def symbol(self, currency: str) -> str:
        """The currency's sign in this locale; its code in capitals where it has none, or another currency's code."""
        code = currency.upper()
        sign = get_currency_symbol(code, self.locale)
        return code if sign in _currencies() else sign


def resolve(tags: Iterable[str]) -> str:
    """The tag of the first locale in order of preference that CLDR knows, narrowed as far as needed; else ``en``.

    ``["xx-YY", "de-AT"]`` is ``de-AT``, ``["de-XX"]`` is ``de``. Anything may come in, as customers are free text.
    """
    for tag in tags:
        found = _parsed(tag)
        if found is not None:
            return str(found).replace("_", "-")
    return "en"


def money(amount: Money, locale: str) -> str:
    """The amount with its currency's sign: ``$1,234.50``, ``1.234,50 €``, ``¥5,000``; the spaces do not break.

    All decimals of the currency are written, ISK and UGX without any unless the amount has a fraction. An unknown
    locale writes as English does, an unknown currency by its code.
    """
    writing = _writing(locale)
    places = exponent(amount.currency)
    digits = str(abs(amount.minor)).rjust(places + 1, "0")
    whole, fraction = (digits[:-places], digits[-places:]) if places else (digits, "")
    if decimals(amount.currency) == 0 and not fraction.strip("0"):
        fraction = ""
    number = writing.grouped(whole) + (writing.decimal + fraction if fraction else "")
    negative = amount.minor < 0
    prefix, suffix = (sides[negative].replace("-", writing.minus) for sides in (writing.prefixes, writing.suffixes))
    symbol = writing.symbol(amount.currency)
    # CLDR's rule: letters keep a distance from digits, signs such as $ do not.
    if prefix.endswith("\u00a4") and unicodedata.category(symbol[-1])[0] not in "SZ":
        prefix += "\u00a0"
    return f"{prefix}{number}{suffix}".replace("\u00a4", symbol)


def parse_money(typed: str, *, locale: str, currency: str | None = None) -> Money:
    """The amount that somebody typed, such as ``1.234,50 €`` in German; ``currency`` is what is expected, if anything.

    The currency may be written as its code or as the locale's sign, once, on either side; where it is missing,
    ``currency`` is meant. Groups of digits may be set off by the locale's sign, spaces or apostrophes; fewer decimals
    than the currency has are filled with zeros. Nothing is rounded and nothing is guessed: ``Refused`` with a hint,
    code ``amount_unreadable``, ``amount_ambiguous`` (two readings make sense), ``currency_missing``,
    ``currency_unknown`` or ``currency_mismatch``.
    """
    if len(typed) > _LONGEST:
        raise _unreadable("It is too long for an amount.", locale, currency)
    text = _plain(typed)
    found = _NUMBER.search(text)
    if found is None:
        raise _unreadable("There is no number in it.", locale, currency)
    around = text[: found.start()] + " " + text[found.end() :]
    negative, named = _sign(around, locale, currency)
    code = _currency(named, _writing(locale), currency)
    minor = _minor(" ".join(found.group().split()), locale, code)
    return Money(minor=-minor if negative else minor, currency=code)


def _plain(typed: str) -> str:
    """Without marks that nobody sees, with one kind of space and minus, and with the digits 0 to 9."""
    return "".join(_SEEN.get(sign) or _digit(sign) for sign in _UNSEEN.sub("", typed))


def _digit(sign: str) -> str:
    if sign.isspace():
        return " "
    return str(unicodedata.decimal(sign)) if sign.isdecimal() else sign


def _sign(around: str, locale: str, currency: str | None) -> tuple[bool, str]:
    """Whether the amount is negative, and what else stands around the number."""
    signs = [sign for sign in around if sign in "+-"]
    named = "".join(around.replace("+", "").replace("-", "").split())
    if len(signs) > 1:
        raise _unreadable("It has more than one sign.", locale, currency)
    return signs == ["-"], named


def _currency(named: str, writing: _Writing, expected: str | None) -> str:
    if not named:
        if expected is None:
            raise Refused(
                "The amount names no currency.", code="currency_missing", hint="Write its code behind it: 49.00 EUR."
            )
        return expected
    code = named.lower()
    if CURRENCY.fullmatch(code) is None or code.upper() not in _currencies():
        meant = _signs(writing.tag).get(named.casefold(), ())
        if expected in meant:
            return expected
        if len(meant) != 1:
            raise Refused(
                f"The sign beside the number {'means several currencies' if meant else 'is no currency'} here.",
                code="currency_unknown",
                hint="Write the currency's code behind the number: 49.00 EUR.",
            )
        code = meant[0]
    if expected is not None and code != expected:
        raise Refused(
            f"The amount is in {code.upper()}, and {expected.upper()} is expected.",
            code="currency_mismatch",
            hint=f"Write the amount in {expected.upper()}.",
        )
    return code


def _minor(number: str, locale: str, currency: str) -> int:
    writing = _writing(locale)
    # The Arabic signs for decimals and groups mean nothing else.
    number = number.replace("\u066b", writing.decimal).replace("\u066c", writing.group)
    read = _read(number, writing.decimal, writing.group, writing.others, currency)
    # The other way round, as where the comma is for decimals and the point for groups.
    point, comma = (",", ".") if writing.decimal == "." else (".", ",")
    other = _read(number, point, comma, 3, currency)
    if read is None:
        told = "This is not how an amount is written here."
        raise _unreadable(told, locale, currency, Money(minor=other, currency=currency) if other is not None else None)
    if other not in {None, read} and writing.decimal not in number:
        both = " or ".join(_example(Money(minor=minor, currency=currency), locale) for minor in (read, other or 0))
        raise Refused(
            f"The amount can be read in two ways in {currency.upper()}.",
            code="amount_ambiguous",
            hint=f"Write all its decimals: {both}.",
        )
    return read


def _read(number: str, decimal: str, group: str, size: int, currency: str) -> int | None:
    """Minor units, when the number is well written with these signs and, before the last three, groups of ``size``."""
    whole, point, fraction = number.partition(decimal)
    if point and not (fraction.isdigit() and len(fraction) <= decimals(currency)):
        return None
    if whole and not whole.isdigit():
        separators = {sign for sign in whole if not sign.isdigit()}
        if len(separators) > 1 or not separators <= _SPACELIKE | {group}:
            return None
        if _THREES.fullmatch(whole) is None and (size != 2 or _TWOS.fullmatch(whole) is None):
            return None
    # ISK and UGX are written without decimals and counted in hundredths.
    digits = "".join(sign for sign in whole if sign.isdigit())
    return int(digits + fraction.ljust(exponent(currency), "0"))


def _unreadable(told: str, locale: str, currency: str | None, meant: Money | None = None) -> Refused:
    code = currency or "usd"
    amount = meant or Money(minor=int("1234" + "0" * exponent(code)), currency=code)
    return Refused(told, code="amount_unreadable", hint=f"Write it as {_example(amount, locale)}.")


def _example(amount: Money, locale: str) -> str:
    return money(amount, locale).replace("\u00a0", " ").replace("\u202f", " ")


def _parsed(tag: str) -> Locale | None:
    """The locale of a tag, else of its language; nothing for what is no tag, such as Stripe's ``auto``."""
    if len(tag) > _LONGEST_TAG or _TAG.fullmatch(tag) is None:
        return None
    for name in (tag, re.split("[-_]", tag)[0]):
        try:
            return Locale.parse(name.replace("-", "_"))
        except (UnknownLocaleError, ValueError):
            continue
    return None


@lru_cache(maxsize=128)
def _writing(tag: str) -> _Writing:
    return _Writing(_parsed(tag) or Locale("en"))


@lru_cache(maxsize=1)
def _currencies() -> frozenset[str]:
    return frozenset(list_currencies())


@lru_cache(maxsize=32)
def _signs(tag: str) -> dict[str, tuple[str, ...]]:
    """The currencies that each sign means in a locale, without spaces and unseen marks."""
    writing, found = _writing(tag), dict[str, tuple[str, ...]]()
    for code in sorted(_currencies()):
        symbol = "".join(_UNSEEN.sub("", writing.symbol(code)).split()).casefold()
        found[symbol] = (*found.get(symbol, ()), code.lower())
    return found
