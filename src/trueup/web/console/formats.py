"""Money, dates and numbers as the reader's locale writes them. Pure text in, text out; the caller passes ``now``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final
from zoneinfo import available_timezones

from babel import Locale, UnknownLocaleError
from babel.dates import format_datetime, format_skeleton, format_time, format_timedelta
from babel.numbers import format_decimal, get_decimal_symbol
from django.utils import timezone
from django.utils.translation import get_language, to_locale

from trueup.kernel import locales
from trueup.kernel.money import Money, decimals, exponent

NONE = "—"
"""What stands for an absent value."""

_DIGITS: Final = re.compile(r"\d(?:.*\d)?")


_REGION: Final[ContextVar[str]] = ContextVar("region", default="")
_TAG: Final = re.compile(r"[a-z]{2,8}(?:-[a-z]{4})?-([a-z]{2}|[0-9]{3})")


@lru_cache(maxsize=512)
def _locale(language: str, region: str) -> Locale:
    name = to_locale(language)
    for one in (f"{name.partition('_')[0]}_{region}", name) if region else (name,):
        try:
            return Locale.parse(one)
        except (UnknownLocaleError, ValueError):
            continue
    return Locale("en")


def locale() -> Locale:
    """The reader's locale; English where the language is unknown to CLDR."""
    return _locale(get_language() or "en", _REGION.get())


@contextmanager
def region(tags: Iterable[str]) -> Iterator[None]:
    """Write dates and numbers as in the first region that ``tags`` name and CLDR knows with the reader's language.

    ``tags`` are IETF tags, the dearest first: a browser that asks for ``en-GB, en-US`` gets ``26 May 2026``, and so
    does one in ``de-DE`` whose reader chose English. Where none fits, the language's own customs hold.
    """
    language_ = (get_language() or "en").partition("-")[0]
    named = (match[1].upper() for tag in tags if (match := _TAG.fullmatch(tag.lower())))
    fits = next((one for one in named if _locale(language_, one).territory == one), "")
    token = _REGION.set(fits)
    try:
        yield
    finally:
        _REGION.reset(token)


def customs() -> str:
    """A name for how the reader's dates and numbers are written, such as ``en_GB``: who shares it sees one text."""
    return str(locale())


def _tag() -> str:
    return str(locale()).replace("_", "-")


def money(minor: int, currency: str) -> str:
    """``minor`` units of a lower-case ISO ``currency`` with its symbol, such as ``$49.00`` or ``¥4,900``.

    As ``kernel.locales`` writes it: with the decimals that people use, and no digit rounded away.
    """
    return locales.money(Money(minor=minor, currency=currency), _tag())


def unit_price(amount: str, currency: str) -> str:
    """A price in minor units as a decimal string, not negative; below a cent it is kept: ``0.5`` usd is ``$0.005``."""
    exact = Decimal(amount)
    whole = int(exact)
    shown = money(whole, currency)
    below = f"{exact - whole:f}".partition(".")[2].rstrip("0")
    if not below:
        return shown
    places = exponent(currency)
    written = _DIGITS.search(shown)
    if places == 0 or (decimals(currency) == 0 and whole % 10**places == 0):
        # The amount ends before the sign for decimals, so that and the zeros behind it are written here.
        below = get_decimal_symbol(locale()) + "0" * places + below
    end = written.end() if written is not None else len(shown)
    return shown[:end] + below + shown[end:]


def language(tag: str) -> str:
    """A language's name in the reader's, from an IETF tag: ``de`` is ``German``; a tag unknown to CLDR stays."""
    try:
        return Locale.parse(tag, sep="-").get_display_name(locale()) or tag
    except (UnknownLocaleError, ValueError):
        return tag


def number(value: int) -> str:
    """A whole number with grouped digits."""
    return format_decimal(value, locale=locale())


def size(octets: int) -> str:
    """A number of bytes in the largest unit that keeps it readable."""
    if octets < 1024:
        return f"{number(octets)} B"
    return f"{format_decimal(Decimal(octets) / 1024, format='#,##0.0', locale=locale())} KB"


def _here(moment: datetime) -> datetime:
    return moment.astimezone(timezone.get_current_timezone())


def day(moment: datetime) -> str:
    """The day with its year: ``May 26, 2026``."""
    return format_skeleton("yMMMd", _here(moment), locale=locale())


def near_day(moment: datetime, *, now: datetime) -> str:
    """The day, with its year only where it is not the present one."""
    same = _here(moment).year == _here(now).year
    return format_skeleton("MMMd" if same else "yMMMd", _here(moment), locale=locale())


def short_day(moment: datetime) -> str:
    """The day without its year, for an axis: ``Nov 22``."""
    return format_skeleton("MMMd", _here(moment), locale=locale())


def month(moment: datetime) -> str:
    """The month with its year: ``April 2026``."""
    return format_skeleton("yMMMM", _here(moment), locale=locale())


def short_month(moment: datetime) -> str:
    """The month in a few letters, for an axis: ``Apr``."""
    return format_skeleton("MMM", _here(moment), locale=locale())


def month_of_year(moment: datetime) -> str:
    """The month in a few letters with its year, for an axis over years: ``Apr 2026``."""
    return format_skeleton("yMMM", _here(moment), locale=locale())


def minute(moment: datetime) -> str:
    """The time of day to the minute."""
    return format_time(_here(moment), format="short", locale=locale()).replace("\u202f", "\xa0")


def second(moment: datetime) -> str:
    """The time of day to the second, 24 hours, as logs are read."""
    return format_datetime(_here(moment), "HH:mm:ss", locale=locale())


def stamp(moment: datetime) -> str:
    """Date, time to the second and zone, for a tooltip or a fact sheet."""
    return format_datetime(_here(moment), "medium", locale=locale()).replace("\u202f", "\xa0") + format_datetime(
        _here(moment), " z", locale=locale()
    )


def distance(moment: datetime, *, now: datetime) -> str:
    """How far ``moment`` is from ``now``, in words with a direction: ``36 min. ago`` or ``in 6 days``."""
    away = moment - now
    if abs(away) < timedelta(seconds=1):
        away = timedelta(seconds=-1)
    if abs(away) < timedelta(days=1):
        return format_timedelta(away, add_direction=True, threshold=0.95, locale=locale(), format="short")
    return format_timedelta(away, add_direction=True, threshold=0.95, locale=locale(), format="long")


def duration(length: timedelta) -> str:
    """A duration in words, such as ``3 hours``."""
    return format_timedelta(length, threshold=0.95, locale=locale(), format="long")


def same_day(first: datetime, second_: datetime) -> bool:
    """Whether two moments fall on one day in the reader's zone."""
    return _here(first).date() == _here(second_).date()


def initials(name: str) -> str:
    """Up to two letters that stand for a name; empty when it has none."""
    words = [word for word in name.replace("@", " ").replace(".", " ").split() if word[0].isalnum()]
    return "".join(word[0] for word in words[:2]).upper()


def zones() -> list[str]:
    """The names of time zones that somebody may choose from: places, and not the names of offsets."""
    return sorted(one for one in available_timezones() if "/" in one and not one.startswith(("Etc/", "posix")))
