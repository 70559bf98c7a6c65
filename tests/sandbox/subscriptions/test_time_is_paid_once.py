"""However often a subscription changes in a period, what is billed is what each configuration cost while it lasted."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tests.sandbox.subscriptions.conftest import give
from tests.sandbox.subscriptions.test_previewing import living, made_price

JANUARY, FEBRUARY = 1_767_225_600, 1_769_904_000
WHOLE = FEBRUARY - JANUARY

changes = st.lists(
    st.tuples(st.integers(1, WHOLE - 1), st.integers(0, 2), st.integers(0, 9)),
    min_size=1,
    max_size=6,
    unique_by=lambda change: change[0],
)


@settings(max_examples=40, deadline=None)
@example(units=(273, 0, 119_090), made=[(321, 1, 9), (4921, 0, 9)], mode="flexible", at_once=False)
@given(
    units=st.tuples(*[st.integers(0, 500_000)] * 3),
    made=changes,
    mode=st.sampled_from(["flexible", "classic"]),
    at_once=st.booleans(),
)
def test_each_second_is_paid_once(
    *, units: tuple[int, int, int], made: list[tuple[int, int, int]], mode: str, at_once: bool
) -> None:
    # In classic mode what was free and is no longer begins a new period: nothing of the old one is left to compare.
    assume(mode == "flexible" or all(units))
    with living() as api:
        customer = api.post("/v1/customers")["id"]
        give(api, customer, "pm_card_visa")
        prices = [made_price(api, unit) for unit in units]
        subscription = api.post(
            "/v1/subscriptions", customer=customer, items=[{"price": prices[0]}], billing_mode={"type": mode}
        )
        item = subscription["items"]["data"][0]["id"]
        segments = [(0, units[0])]
        for elapsed, price, quantity in sorted(made):
            api.engine.advance(JANUARY + elapsed)
            api.post(
                f"/v1/subscription_items/{item}",
                price=prices[price],
                quantity=quantity,
                proration_behavior="always_invoice" if at_once else "create_prorations",
            )
            segments.append((elapsed, units[price] * quantity))
        api.engine.advance(FEBRUARY)

        invoices = api.get("/v1/invoices", subscription=subscription["id"], limit=100)["data"]
        lines = [
            line for invoice in invoices for line in api.get(f"/v1/invoices/{invoice['id']}/lines", limit=100)["data"]
        ]
        billed = sum(line["amount"] for line in lines if line["period"]["start"] < FEBRUARY)
        ends = [at for at, _ in segments[1:]] + [WHOLE]
        cost = sum(Fraction(amount * (end - at), WHOLE) for (at, amount), end in zip(segments, ends, strict=True))
        assert abs(billed - cost) <= len(made)
