"""What came first of a second."""

from __future__ import annotations

import pytest

from trueup.customer.rules import TOLD_TYPES
from trueup.customer.rules.sequence import step


@pytest.mark.parametrize(
    "caused",
    [
        ["customer.created", "payment_method.attached", "customer.subscription.created", "invoice.paid"],
        ["customer.created", "customer.subscription.created", "charge.failed", "invoice.payment_failed"],
        ["invoice.payment_failed", "customer.subscription.updated", "customer.subscription.deleted"],
        ["charge.succeeded", "invoice.paid", "customer.subscription.updated", "charge.refunded"],
        ["customer.subscription.deleted", "customer.discount.deleted", "customer.deleted"],
    ],
)
def test_causes_come_before_what_they_cause(caused: list[str]) -> None:
    backwards = [*caused]
    backwards.reverse()

    assert sorted(backwards, key=step) == caused


def test_every_type_that_is_told_has_a_place() -> None:
    assert all(step("customer.created") <= step(told) <= step("customer.deleted") for told in TOLD_TYPES)
    assert step("type.of.tomorrow") == step("customer.subscription.updated")
