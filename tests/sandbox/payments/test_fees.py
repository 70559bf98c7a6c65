"""What Stripe keeps."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.sandbox.payments.fees import available_on, processing_fee


@pytest.mark.parametrize(
    ("amount", "kind", "fee"),
    [
        (2500, "card", 103),
        (2900, "card", 114),
        (50, "card", 31),
        (20, "card", 20),
        (10_000, "us_bank_account", 80),
        (1_000_000, "us_bank_account", 500),
    ],
)
def test_fees_are_as_recorded_and_published(amount: int, kind: str, fee: int) -> None:
    assert processing_fee(amount, kind) == fee


@given(st.integers(1, 99_999_999), st.sampled_from(["card", "us_bank_account", "sepa_debit"]))
def test_a_fee_is_never_more_than_the_payment(amount: int, kind: str) -> None:
    assert 0 <= processing_fee(amount, kind) <= amount


@pytest.mark.parametrize(("at", "day"), [(1_762_182_235, 1_762_732_800), (1_761_933_945, 1_762_473_600)])
def test_money_is_available_when_it_was_recorded_to_be(at: int, day: int) -> None:
    assert available_on(at) == day
