"""What a phase makes of its subscription: settings, discounts, one-off items, anchors, trials."""

from __future__ import annotations

from tests.sandbox.schedules.conftest import APRIL, DAY, FEBRUARY, MARCH, START, Acts, only, phase


def test_a_phase_sets_what_it_says_and_else_the_schedule_does(acts: Acts) -> None:
    customer, price = acts.customer(), acts.price()
    second = acts.give(customer, "pm_card_mastercard")
    schedule = acts.schedule(
        customer,
        phase(price, 1, metadata={"tier": "one", "kept": "yes"}),
        phase(
            price,
            1,
            description="Sent",
            collection_method="send_invoice",
            invoice_settings={"days_until_due": 9},
            metadata={"tier": "two", "kept": ""},
        ),
        phase(price, 1),
        default_settings={"default_payment_method": second, "description": "By card"},
    )

    first = acts.subscription(schedule)
    acts.until(FEBRUARY)
    sent = acts.subscription(schedule)
    acts.until(MARCH)
    last = acts.subscription(schedule)

    assert (first["description"], first["default_payment_method"]) == ("By card", second)
    assert first["metadata"] == {"tier": "one", "kept": "yes"}
    assert (sent["description"], sent["collection_method"], sent["days_until_due"]) == ("Sent", "send_invoice", 9)
    assert sent["metadata"] == {"tier": "two"}
    assert (last["description"], last["collection_method"], last["days_until_due"]) == (
        "By card",
        "charge_automatically",
        None,
    )
    assert last["metadata"] == {"tier": "two"}


def test_new_default_settings_reach_the_subscription_at_once(acts: Acts) -> None:
    customer, price = acts.customer(), acts.price()
    schedule = acts.schedule(customer, phase(price, 2))
    acts.api.events()

    changed = acts.change(
        schedule,
        default_settings={
            "collection_method": "send_invoice",
            "invoice_settings": {"days_until_due": 3, "footer": "f"},
        },
    )

    assert acts.api.types() == ["customer.subscription.updated", "subscription_schedule.updated"]
    assert changed["default_settings"]["invoice_settings"]["days_until_due"] == 3
    subscription = acts.subscription(schedule)
    assert (subscription["collection_method"], subscription["days_until_due"]) == ("send_invoice", 3)
    assert subscription["invoice_settings"]["footer"] == "f"


def test_items_come_go_and_change_with_their_phase(acts: Acts) -> None:
    customer, one, two, three = acts.customer(), acts.price(1000), acts.price(2000), acts.price(3000)
    acts.schedule(
        customer,
        {"items": [{"price": one}], "duration": {"interval": "month"}},
        {"items": [{"price": one, "metadata": {"a": "b"}}, {"price": two}], "duration": {"interval": "month"}},
        {"items": [{"price": three}, {"price": two, "quantity": 4}], "duration": {"interval": "month"}},
        {"items": [{"price": two}], "duration": {"interval": "month"}},
    )

    acts.until(START + 95 * DAY)

    assert [acts.lines(invoice) for invoice in acts.invoices(customer)] == [
        [(1000, "1 × P1000 (at $10.00 / month)")],  # noqa: RUF001 - Stripe's text
        [(1000, "1 × P1000 (at $10.00 / month)"), (2000, "1 × P2000 (at $20.00 / month)")],  # noqa: RUF001
        [(3000, "1 × P3000 (at $30.00 / month)"), (8000, "4 × P2000 (at $20.00 / month)")],  # noqa: RUF001
        [(2000, "1 × P2000 (at $20.00 / month)")],  # noqa: RUF001 - Stripe's text
    ]
    assert acts.api.get("/v1/invoiceitems", customer=customer)["data"] == []


def test_a_coupon_counts_for_its_phase_and_goes_on_where_the_next_has_it_too(acts: Acts) -> None:
    customer, price = acts.customer(), acts.price(1000)
    half, tenth = (acts.api.post("/v1/coupons", percent_off=off, duration="forever")["id"] for off in (50, 10))
    acts.schedule(
        customer,
        phase(price, 1, discounts=[{"coupon": half}]),
        phase(price, 1, discounts=[{"coupon": half}, {"coupon": tenth}]),
        phase(price, 1),
    )

    types = only(acts.until(START + 70 * DAY), "customer.discount")

    assert types == ["customer.discount.created", "customer.discount.deleted", "customer.discount.deleted"]
    assert [invoice["total"] for invoice in acts.invoices(customer)] == [500, 450, 1000]
    assert acts.api.get(f"/v1/coupons/{half}")["times_redeemed"] == 1


def test_what_was_withdrawn_meanwhile_does_not_stop_a_phase(acts: Acts) -> None:
    customer, price, later = acts.customer(), acts.price(1000), acts.price(3000)
    coupon = acts.api.post("/v1/coupons", percent_off=50, duration="forever")["id"]
    lost = acts.give(customer, "pm_card_mastercard")
    acts.give(customer, "pm_card_visa")
    schedule = acts.schedule(
        customer, phase(price, 1), phase(later, 1, discounts=[{"coupon": coupon}], default_payment_method=lost)
    )
    acts.api.delete(f"/v1/coupons/{coupon}")
    acts.api.post(f"/v1/prices/{later}", active=False)
    acts.api.post(f"/v1/payment_methods/{lost}/detach")

    acts.until(FEBRUARY + 7200)

    latest = acts.invoices(customer)[-1]
    assert (latest["total"], latest["status"]) == (3000, "paid")
    assert acts.subscription(schedule)["default_payment_method"] is None
    kept = acts.change(schedule, phases=[phase(later, 1, 2, start_date=FEBRUARY, discounts=[{"coupon": coupon}])])
    assert kept["phases"][1]["items"][0]["quantity"] == 2


def test_one_off_items_are_on_the_first_invoice_of_their_phase(acts: Acts) -> None:
    customer, price = acts.customer(), acts.price(1000)
    setup, training = acts.price(500, None), acts.price(700, None)
    end = {"type": "phase_end"}
    acts.schedule(
        customer,
        phase(price, 1, add_invoice_items=[{"price": setup, "quantity": 2}]),
        phase(
            price,
            2,
            add_invoice_items=[
                {"price": training, "metadata": {"by": "us"}},
                {"price": setup, "period": {"start": {"type": "phase_start"}, "end": end}},
            ],
        ),
    )

    acts.until(START + 70 * DAY)

    totals = [invoice["total"] for invoice in acts.invoices(customer)]
    assert totals == [2000, 2200, 1000]
    added = [line for line in acts.invoices(customer)[1]["lines"]["data"] if line["amount"] < 1000]
    assert sorted((line["amount"], line["period"]["start"], line["period"]["end"]) for line in added) == [
        (500, FEBRUARY, APRIL),
        (700, FEBRUARY, MARCH),
    ]


def test_a_phase_may_begin_the_billing_cycle_anew(acts: Acts) -> None:
    customer, price = acts.customer(), acts.price(3100)
    middle = START + 10 * DAY
    schedule = acts.schedule(
        customer, phase(price, end_date=middle), phase(price, 1, billing_cycle_anchor="phase_start")
    )

    types = acts.until(middle)

    assert only(types, "customer.subscription", "subscription_schedule", "invoice.created")[-3:] == [
        "invoice.created",
        "customer.subscription.updated",
        "subscription_schedule.updated",
    ]
    subscription = acts.subscription(schedule)
    assert subscription["billing_cycle_anchor"] == middle
    assert subscription["items"]["data"][0]["current_period_end"] == FEBRUARY + 10 * DAY
    assert acts.read(schedule)["phases"][1]["end_date"] == FEBRUARY + 10 * DAY
    latest = acts.invoices(customer)[-1]
    assert (latest["status"], latest["billing_reason"], latest["total"]) == ("draft", "subscription_update", 1000)


def test_another_interval_begins_the_billing_cycle_anew(acts: Acts) -> None:
    customer, month, year = acts.customer(), acts.price(1000), acts.price(9900, "year")
    schedule = acts.schedule(customer, phase(month, 2), phase(year))

    acts.until(MARCH)

    subscription = acts.subscription(schedule)
    assert subscription["billing_cycle_anchor"] == MARCH
    item = subscription["items"]["data"][0]
    assert (item["current_period_start"], item["current_period_end"]) == (MARCH, MARCH + 365 * DAY)
    assert acts.lines(acts.invoices(customer)[-1]) == [(9900, "1 × P9900 (at $99.00 / year)")]  # noqa: RUF001


def test_a_phase_may_be_a_trial(acts: Acts) -> None:
    customer, price = acts.customer(), acts.price(1000)
    schedule = acts.schedule(customer, phase(price, end_date=START + 14 * DAY, trial=True), phase(price, 2))

    trial = acts.subscription(schedule)
    acts.until(START + 14 * DAY)
    active = acts.subscription(schedule)

    assert (schedule["phases"][0]["trial"], schedule["phases"][0]["trial_end"]) == (True, START + 14 * DAY)
    assert (trial["status"], trial["trial_end"]) == ("trialing", START + 14 * DAY)
    assert active["status"] == "active"
    assert acts.read(schedule)["phases"][1]["end_date"] == START + 73 * DAY
    assert [(i["billing_reason"], i["total"]) for i in acts.invoices(customer)] == [
        ("subscription_create", 0),
        ("subscription_cycle", 1000),
    ]


def test_a_trial_may_end_within_its_phase(acts: Acts) -> None:
    schedule = acts.schedule(acts.customer(), phase(acts.price(), 1, trial_end=START + 3 * DAY))

    assert acts.subscription(schedule)["status"] == "trialing"
    acts.until(START + 4 * DAY)
    assert acts.subscription(schedule)["status"] == "active"


def test_a_later_phase_may_give_a_trial(acts: Acts) -> None:
    customer, price = acts.customer(), acts.price(1000)
    schedule = acts.schedule(customer, phase(price, 1), phase(price, 1, trial=True), phase(price, 1))

    acts.until(FEBRUARY + DAY)
    trial = acts.subscription(schedule)
    acts.until(MARCH + DAY)

    assert (trial["status"], trial["trial_end"]) == ("trialing", MARCH)
    assert [invoice["total"] for invoice in acts.invoices(customer)] == [1000, 0, 1000]


def test_an_update_may_end_a_trial(acts: Acts) -> None:
    customer, price = acts.customer(), acts.price(1000)
    schedule = acts.schedule(customer, phase(price, 1, trial_end=START + 9 * DAY))
    acts.until(START + DAY)

    acts.change(schedule, phases=[phase(price, 1, start_date=START, trial_end="now")])

    assert acts.subscription(schedule)["status"] == "active"
    assert [invoice["total"] for invoice in acts.invoices(customer)] == [0, 1000]


def test_classic_billing_is_said_by_the_schedule(own: Acts) -> None:
    schedule = own.schedule(own.customer(), phase(own.price(), 1), billing_mode={"type": "classic"})

    assert schedule["billing_mode"] == {"flexible": None, "type": "classic", "updated_at": None}
    assert own.subscription(schedule)["billing_mode"]["type"] == "classic"


def test_prices_may_be_described_in_a_phase(own: Acts) -> None:
    product = own.api.post("/v1/products", name="Made")["id"]
    data = {"currency": "usd", "product": product, "unit_amount": 4200}
    described = {"price_data": {**data, "recurring": {"interval": "month"}}}

    schedule = own.schedule(own.customer(), {"items": [described], "add_invoice_items": [{"price_data": data}]})

    named = schedule["phases"][0]["items"][0]["price"]
    assert own.subscription(schedule)["items"]["data"][0]["price"]["id"] == named
    assert own.api.get("/v1/invoices")["data"][0]["total"] == 8400
