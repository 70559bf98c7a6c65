"""What the fold has learned of payments, of what is to come and of the contact, as one customer's page shows it."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import msgspec
import pytest
from django.template.loader import render_to_string
from django.test import Client

from tests.web.console import world
from tests.web.console.world import DAY, START, Json
from trueup.accounts.types import Account
from trueup.customer import service as customers
from trueup.customer import timeline as histories
from trueup.customer.rules.contact import CONTACT_FIELDS
from trueup.customer.types import CustomerState
from trueup.web.console.words import FIELDS

CAN_FIX = "The customer can fix it: confirm, call the bank or pay in another way."
NO_RETRY = "Trying again as it is cannot help: Stripe charges nothing until there is a new payment method."
NOT_TOLD = "Stripe asks not to tell this reason to whoever pays: say only that the payment was declined."
SPRING = {
    "id": "di_1",
    "object": "discount",
    "start": START,
    # An offer that is over is not said: this one lasts longer than these tests.
    "end": START + 36_500 * DAY,
    "source": {"type": "coupon", "coupon": {"id": "SPRING", "percent_off": 10.0, "duration": "repeating"}},
}
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/customers/cus_1"}


def charge(id: str, *, at: int, amount: int = 4900, currency: str = "usd", **more: Any) -> Json:  # noqa: A002
    """A charge that was collected, unless told otherwise."""
    paid = {"status": "succeeded", "paid": True, "captured": True, "amount_refunded": 0, "payment_intent": None}
    about = {"id": id, "object": "charge", "customer": "cus_1", "amount": amount, "currency": currency, "created": at}
    return world.event("charge.failed" if "failure_code" in more else "charge.succeeded", about | paid | more, at=at)


def failed(id: str, code: str, *, at: int, **more: Any) -> Json:  # noqa: A002
    """A charge that the bank declined."""
    return charge(id, at=at, status="failed", paid=False, failure_code=code, **more)


def told(account: Account, *events: Json, **customer: Any) -> None:
    """A customer named Acme, of whom these events tell."""
    world.told(
        account,
        world.event("customer.created", world.customer("cus_1", "Acme", "ap@acme.example", **customer)),
        *events,
    )


def card(page: str, heading: str) -> str:
    """The text of one card of a page, without markup, its spaces single."""
    found = re.search(rf'<section class="card" aria-labelledby="{heading}">(.*?)</section>', page, re.DOTALL)
    assert found is not None
    return plain(found[1])


def plain(markup: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", markup)).split())


@pytest.fixture
def page(reader: Client) -> Any:
    """The customer's page."""
    return lambda path="": reader.get(f"/customers/cus_1{path}").content.decode()


def test_payments_are_told_per_currency_with_the_newest_first(page: Any, account: Account) -> None:
    told(
        account,
        charge("ch_1", at=START + DAY),
        charge("ch_2", at=START + 2 * DAY, amount=10_000, amount_refunded=2_500),
        charge("ch_3", at=START + 3 * DAY, amount=5_000, currency="isk"),
    )

    payments = card(page(), "h-payments")

    assert "Last payment ISK 50 \N{MIDDLE DOT} Sep 24" in payments
    assert "Paid in all ISK 50 + $124.00" in payments
    assert "Last failure None known" in payments


def test_what_was_paid_and_refunded_in_full_is_not_told_as_unknown(page: Any, account: Account) -> None:
    told(account, charge("ch_1", at=START + DAY, amount_refunded=4900))

    assert "Paid in all Refunded in full" in card(page(), "h-payments")


def test_a_customer_who_never_paid_gets_a_sentence_instead_of_dashes(page: Any, account: Account) -> None:
    told(account)

    shown = page()

    assert "No payment is known yet." in card(shown, "h-payments")
    assert "No subscription. Scheduled Nothing is due to change." in card(shown, "h-plans")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (
            "expired_card",
            f"The card has expired. expired_card {CAN_FIX} Trying again may help.",
        ),
        (
            "stolen_card",
            f"The card has been reported stolen. stolen_card {CAN_FIX} {NO_RETRY} {NOT_TOLD}",
        ),
        ("issuer_not_available", "The customer can do nothing about it."),
        ("card_declined", "Nobody can tell whether the customer can fix it."),
    ],
)
def test_a_failure_says_why_who_can_fix_it_and_whether_to_try_again(
    page: Any, account: Account, code: str, said: str
) -> None:
    told(account, failed("ch_1", code, at=START + DAY))

    assert said in card(page(), "h-payments")
    assert (NOT_TOLD in said) == (NOT_TOLD in page())


def test_a_failure_that_was_paid_since_is_quiet(page: Any, account: Account) -> None:
    told(account, failed("ch_1", "expired_card", at=START + DAY), charge("ch_2", at=START + 2 * DAY))

    shown = page()

    assert "Failed: card expired, paid since" in card(shown, "h-payments")
    assert "told is-bad" not in shown


def test_the_callout_of_a_late_customer_tells_the_failure_in_words(page: Any, account: Account) -> None:
    late = world.subscription("sub_1", "cus_1", status="past_due")
    told(
        account,
        world.event("customer.subscription.created", late, at=START + 5),
        failed("ch_1", "insufficient_funds", at=START + DAY),
    )

    callout = plain(page().split('<div class="callout bad"')[1].split("</div>")[0])

    assert "$49.00 could not be collected on Sep 22, 2026." in callout
    assert "There was not enough money on the card or account." in callout
    assert "while Stripe tries again" in callout


def test_what_is_to_come_is_a_short_list_with_names_and_days(page: Any, account: Account) -> None:
    # A day that comes is told in another way: these come when nobody runs these tests.
    ahead = START + 36_000 * DAY
    paused = world.subscription(
        "sub_1",
        "cus_1",
        schedule="sub_sched_1",
        pause_collection={"behavior": "void", "resumes_at": ahead + 200 * DAY},
    )
    schedule = {
        "id": "sub_sched_1",
        "object": "subscription_schedule",
        "customer": "cus_1",
        "subscription": "sub_1",
        "status": "active",
        "end_behavior": "cancel",
        "current_phase": {"start_date": START, "end_date": ahead + 300 * DAY},
        "phases": [
            {"start_date": START, "end_date": ahead + 300 * DAY, "items": [{"price": "price_pro", "quantity": 1}]},
            {
                "start_date": ahead + 300 * DAY,
                "end_date": ahead + 400 * DAY,
                "items": [
                    {"price": "price_pro", "quantity": 1200},
                    {"price": "price_addon", "quantity": 1},
                    {"price": "price_plain", "quantity": 1},
                    {"price": "price_unheard_of", "quantity": 1},
                ],
            },
        ],
    }
    addon = {"id": "price_addon", "object": "price", "product": "prod_addon", "nickname": "not this"}
    told(
        account,
        world.event("product.created", {"id": "prod_addon", "object": "product", "name": "Support"}),
        world.event("price.created", addon),
        world.event("price.created", {"id": "price_plain", "object": "price", "nickname": "Storage"}),
        world.event("customer.subscription.created", paused, at=START + 5),
        world.event("subscription_schedule.created", schedule, at=START + 6),
    )

    plans = card(page(), "h-plans")

    assert "Collecting resumes on Nov 1, 2125" in plans
    assert "Changes to Pro \N{MULTIPLICATION SIGN} 1,200, Support, Storage, price_unheard_of on Feb 9, 2126" in plans
    assert "Cancels on May 20, 2126" in plans
    assert "3 changes" in plain(page("/why/scheduled_changes"))


def test_a_change_whose_time_has_come_says_that_nothing_told_it_yet(page: Any, account: Account) -> None:
    # This subscription was to end before this code was written, and no event has said that it did.
    told(
        account,
        world.event(
            "customer.subscription.created", world.subscription("sub_1", "cus_1", cancel_at=1_700_000_000), at=START + 5
        ),
    )

    assert "Cancels on Nov 14, 2023 Due, and not yet told by Stripe" in card(page(), "h-plans")


def test_language_tags_and_metadata_are_shown_as_what_they_are(page: Any, account: Account) -> None:
    told(account, preferred_locales=["pt-BR"], metadata={"tags": "vip, <b>beta</b>", "user_id": "u_1"})

    shown = page()

    details = card(shown, "h-facts")
    assert "Language Portuguese (Brazil)" in details
    assert "Tags <b>beta</b> vip" in details
    assert "<b>beta</b>" not in shown
    for field in ("locale", "tags", "metadata"):
        assert f'href="/customers/{customers.get("cus_1").id}/why/{field}"' in shown


def test_several_stripe_customers_are_named_and_the_first_leads(account: Account) -> None:
    told(account)
    customer = customers.get("cus_1")
    state = msgspec.structs.replace(customer.state, stripe_customer_ids=("cus_1", "cus_2"))

    details = render_to_string(
        "console/parts/facts.html", {"customer": customer, "state": state, "now": state.last_event_at}
    )

    assert "Stripe customers cus_1 leads cus_2" in plain(details)


def test_the_six_contact_fields_stand_under_their_names_and_can_be_copied(page: Any, account: Account) -> None:
    told(account, world.event("customer.subscription.created", world.subscription("sub_1", "cus_1"), at=START + 5))
    contact = customers.contact("cus_1")

    shown = page().split('aria-labelledby="h-contact"')[1].split("</section>")[0]

    assert re.findall(r"<dt><code>(\w+)</code></dt>", shown)[:6] == list(CONTACT_FIELDS)
    for value in ("price_pro", "49.00", "active", "2026-09-21", "false"):
        assert f'data-copy="{value}"' in shown
    whole = re.search(r'data-copy="({[^"]+})"', shown)
    assert whole is not None
    assert json.loads(html.unescape(whole[1])) == {"fields": contact.fields, "details": contact.details}


def test_every_field_of_a_state_has_a_name_a_meaning_and_an_answer(reader: Client, account: Account) -> None:
    told(
        account,
        world.event(
            "customer.subscription.created",
            world.subscription("sub_1", "cus_1", cancel_at_period_end=True, trial_end=START + DAY)
            | {"discounts": [SPRING, "di_unheard_of"]},
            at=START + 5,
        ),
        charge("ch_1", at=START + DAY),
        failed("ch_2", "do_not_honor", at=START + 2 * DAY),
        currency="usd",
        balance=-100,
        delinquent=False,
        address={"country": "NL"},
        preferred_locales=["nl"],
        metadata={"tags": "vip"},
        invoice_settings={"default_payment_method": "pm_1"},
    )
    about = {"id": "pm_1", "object": "payment_method", "type": "card", "customer": "cus_1", "created": START}
    world.told(
        account, world.event("payment_method.attached", about | {"card": {"brand": "visa", "last4": "4242"}}, at=START)
    )

    why = customers.get("cus_1").state.why

    assert set(why) == set(FIELDS)
    assert set(FIELDS) == set(CustomerState.__struct_fields__) - {"stripe_customer_id", "stripe_customer_ids", "why"}
    for field in why:
        drawer = reader.get(f"/customers/cus_1/why/{field}", headers=HTMX).content.decode()
        value = drawer.split('<div class="because"><div>')[1].split("</div><p>")[0]
        assert plain(value), field


def test_what_is_not_known_of_an_mrr_is_said_beside_it(page: Any, account: Account) -> None:
    about = world.subscription("sub_1", "cus_1") | {"discounts": [SPRING, "di_unheard_of"]}
    told(account, world.event("customer.subscription.created", about, at=START + 5))
    (unknown,) = customers.get("cus_1").state.mrr_unknown

    shown = page()

    assert "MRR Why? MRR $44.10 Pro Not all of it is known" in plain(shown)
    assert "Not known of MRR 1 thing" in card(shown, "h-facts")
    assert "MRR changes Sep 21, 2126" in card(shown, "h-facts")
    for field in ("mrr", "mrr_unknown"):
        assert unknown in plain(page(f"/why/{field}"))
    assert "begins or ends on Sep 21, 2126, or a pause ends, and the MRR changes then." in plain(page("/why/mrr"))


def test_an_entry_of_the_timeline_names_its_source_and_its_event(page: Any, account: Account) -> None:
    told(account, failed("ch_1", "lost_card", at=START + DAY))

    timeline = page().split('id="timeline">')[1].split("</section>")[0]

    assert "Payment of $49.00 failed: card reported lost" in timeline
    assert "<summary data-row>Stripe \N{MIDDLE DOT} charge.failed \N{MIDDLE DOT} by Stripe itself</summary>" in timeline
    assert f'href="/events/{histories.history("cus_1").data[0].event_id}"' in timeline
