"""Passwords that are guessed first, and those that are not."""

from __future__ import annotations

import pytest

from trueup.kernel.errors import Refused
from trueup.operators import admitting, rules

COMMON = {"password", "dragon", "1qaz2wsx3edc", "trustno1", "love"}
WORDS = rules.words_of(("mara.lindqvist@acme.example", "Mara Lindqvist"))


@pytest.mark.parametrize(
    "password",
    [
        "1qaz2wsx3edc",
        "1QAZ2wsx3EDC",
        "dragondragon",
        "Password2026!",
        "!!Dragon1!",
        "aaaaaaaaaaaa",
        "121212121212",
        "abcabcabcabc",
        "mara.lindqvist",
        "Lindqvist-1987",
        "AcmeTrueup1!",
        "StripeBilling#1",
        "owner-admin-sales",
    ],
)
def test_what_is_common_or_says_nothing_but_words_of_its_place_is_guessed_first(password: str) -> None:
    assert rules.is_guessable(password, common=COMMON, words=WORDS)


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "nine quiet rivers",
        "8273645192",
        "love8273645192",
        "acme8273645192",
        "mara likes tea",
        "Zü7#kq!p2x",
        "家 の 前 の 静かな 川",
    ],
)
def test_what_few_would_guess_is_taken(password: str) -> None:
    assert not rules.is_guessable(password, common=COMMON, words=WORDS)


def test_short_parts_of_names_are_no_words() -> None:
    assert rules.words_of(("li.wu_chen@gmx.de", "")) == {"chen"}


def test_the_list_of_common_ones_is_the_one_that_comes_with_django() -> None:
    with pytest.raises(Refused, match="guessed first") as refused:
        admitting.check_password("qwertyuiop", of=())
    assert refused.value.code == "password_guessable"
