"""What one request does shares a second; the timeline tells it as it must have been."""

from __future__ import annotations

import random

from tests.flow.test_about import START, Tell, tell
from tests.instance import customer, event
from trueup.customer import timeline

__all__ = ["tell"]


def test_a_second_is_told_in_the_order_of_causes(tell: Tell) -> None:
    of = {"customer": "cus_1", "created": START}
    method = {"id": "pm_1", "object": "payment_method", "type": "card", **of}
    charge = {
        "id": "ch_1",
        "object": "charge",
        "amount": 4900,
        "currency": "usd",
        "status": "succeeded",
        "paid": True,
        **of,
    }
    caused = [
        event("customer.created", customer("cus_1", created=START), at=START),
        event("payment_method.attached", method, at=START),
        event("charge.succeeded", charge, at=START),
    ]
    random.Random(3).shuffle(caused)

    tell(*caused)

    told = timeline.history("cus_1").data
    assert [entry.event_type for entry in told] == ["charge.succeeded", "payment_method.attached", "customer.created"]
    first = timeline.history("cus_1", limit=1)
    rest = timeline.history("cus_1", limit=5, after=first.next)
    assert {entry.event_id for entry in (*first.data, *rest.data)} == {entry.event_id for entry in told}
