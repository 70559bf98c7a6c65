"""What each recorded test did, in its order: the requests that changed something.

The recordings are samples: of one run the subscription was kept, of another what became of it. Each test always does
the same, so what has to be there before a step is what its script did before. ``{kind}`` stands for the id of the
object of that kind that was made last. Amounts that no recording shows are those of the test's source in pay-rails/pay.
"""

from __future__ import annotations

from typing import Final

_CUSTOMER: Final = "POST /v1/customers email=stripe@example.org&name=Stripe User"
_ATTACHED: Final = "POST /v1/payment_methods/{method}/attach customer={{customer}}"
_DEFAULT: Final = "POST /v1/customers/{customer} invoice_settings[default_payment_method]={payment_method}"
_VISA: Final = _ATTACHED.format(method="pm_card_visa")
_DISCOVER: Final = _ATTACHED.format(method="pm_card_discover")
_AMEX: Final = _ATTACHED.format(method="pm_card_amex")
_SCA: Final = _ATTACHED.format(method="pm_card_authenticationRequired")
_MONTHLY: Final = "POST /v1/subscriptions items[0][price]=small-monthly&customer={customer}"
_PLAIN: Final = "POST /v1/subscriptions items[0][price]=default&customer={customer}"
_PAYMENT: Final = (
    "POST /v1/payment_intents currency=usd&customer={customer}&confirm=true&payment_method={payment_method}"
    "&return_url=http://localhost:3000/&amount="
)
_SWAP: Final = (
    "POST /v1/subscriptions/{subscription} cancel_at_period_end=false&items[0][id]={subscription_item}"
    "&items[0][price]=small-annual&items[0][quantity]=1&proration_behavior=always_invoice&trial_end=now"
)
_SHIPPED: Final = (
    "2500&shipping[name]=Recipient&shipping[address][line1]=One Infinite Loop&shipping[address][city]=Cupertino"
    "&shipping[address][state]=CA"
)
_CREDIT_NOTE: Final = (
    "POST /v1/credit_notes invoice={invoice}&refund_amount=500&lines[0][type]=custom_line_item"
    "&lines[0][description]=Refund&lines[0][quantity]=1&lines[0][unit_amount]=500"
)
_PAUSE: Final = (
    "POST /v1/subscriptions/{subscription} pause_collection[behavior]={behavior}"
    "&pause_collection[resumes_at]={resumes_at}"
)
_CANCEL_LATER: Final = "POST /v1/subscriptions/{subscription} cancel_at_period_end=true"

_READY: Final = (_CUSTOMER, _VISA, _DEFAULT)
_CONNECTED: Final = ("POST /v1/customers email=gob@bluth.com&name=", _VISA, _DEFAULT)

SCRIPTS: Final[dict[str, tuple[str, ...]]] = {
    "test_billing_portal_session": (_CUSTOMER,),
    "test_cancel_now_when_on_trial": (
        *_READY,
        _PLAIN + "&trial_period_days=14",
        "DELETE /v1/subscriptions/{subscription}",
    ),
    "test_cancel_now_when_scheduled_for_cancellation": (
        *_READY,
        _PLAIN,
        _CANCEL_LATER,
        "DELETE /v1/subscriptions/{subscription}",
    ),
    "test_checkout_subscription_session": (_CUSTOMER,),
    "test_connect_account": _CONNECTED,
    "test_connect_account_customer": _CONNECTED,
    "test_connect_customer_is_not_on_parent_account": _CONNECTED,
    "test_connect_destination_charge": (*_CONNECTED, _PAYMENT + "1000"),
    "test_connect_direct_charge": _CONNECTED,
    "test_connect_direct_subscription": (
        *_CONNECTED,
        "POST /v1/subscriptions items[0][price]=price_1ISuPKQK2ZHS99Rkrxy6GwbM&customer={customer}",
    ),
    "test_connect_transfer": (*_CONNECTED, _PAYMENT + "1000&transfer_group=12345"),
    "test_re-raised_stripe_exceptions_keep_the_same_message": (
        _CUSTOMER,
        "POST /v1/payment_intents amount=0&currency=usd&customer={customer}&confirm=true",
    ),
    "test_stripe_allows_subscription_quantities": (*_READY, _MONTHLY + "&items[0][quantity]=10"),
    "test_stripe_can_authorize_a_charge": (*_READY, _PAYMENT + "2900&capture_method=manual"),
    "test_stripe_can_capture_an_authorized_charge": (
        *_READY,
        _PAYMENT + "2900&capture_method=manual",
        "POST /v1/payment_intents/{payment_intent}/capture",
    ),
    "test_stripe_can_create_a_charge": (*_READY, _PAYMENT + "2900"),
    "test_stripe_can_create_a_subscription": (*_READY, _MONTHLY),
    "test_stripe_can_create_an_invoice": (
        *_READY,
        "POST /v1/invoiceitems customer={customer}&amount=1000&currency=usd&description=One-time setup fee",
        "POST /v1/invoices pending_invoice_items_behavior=include&customer={customer}",
        "POST /v1/invoices/{invoice}/pay",
    ),
    "test_stripe_can_create_setup_intent": (_CUSTOMER, "POST /v1/setup_intents customer={customer}&usage=off_session"),
    "test_stripe_can_issue_credit_note_for_a_refund_for_Stripe_tax": (
        *_READY,
        _MONTHLY,
        _CREDIT_NOTE,
    ),
    "test_stripe_can_pass_shipping_information_to_charge": (
        *_READY,
        _PAYMENT + _SHIPPED,
    ),
    "test_stripe_can_pause_and_resume_a_subscription": (
        *_READY,
        _MONTHLY,
        _PAUSE,
        "POST /v1/subscriptions/{subscription}",
        "POST /v1/subscriptions/{subscription} pause_collection=",
    ),
    "test_stripe_can_swap_a_subscription": (*_READY, _MONTHLY, _SWAP),
    "test_stripe_can_swap_a_subscription_and_reset_billing_cycle": (
        *_READY,
        _MONTHLY,
        _SWAP + "&billing_cycle_anchor[type]=now",
    ),
    "test_stripe_can_swap_and_invoice_a_subscription": (
        *_READY,
        _MONTHLY,
        _SWAP,
        "POST /v1/invoices subscription={subscription}&customer={customer}",
        "POST /v1/invoices/{invoice}/pay",
    ),
    "test_stripe_can_update_card": (_CUSTOMER, _VISA, _DEFAULT, _DISCOVER, _DEFAULT),
    "test_stripe_card_gets_updated_automatically_when_retrieving_customer": _READY,
    "test_stripe_card_is_automatically_updated_on_subscribe": (_CUSTOMER, _AMEX, _DEFAULT, _PLAIN),
    "test_stripe_change_subscription_default_payment_method": (
        *_READY,
        _PLAIN,
        _DISCOVER,
        "POST /v1/subscriptions/{subscription} default_payment_method={payment_method}",
        "POST /v1/subscriptions/{subscription} default_payment_method=",
    ),
    "test_stripe_change_subscription_quantity": (
        *_READY,
        _PLAIN,
        "POST /v1/subscription_items/{subscription_item} quantity=5",
    ),
    "test_stripe_creates_customer_when_no_processor_id": _READY,
    "test_stripe_creates_with_no_card": (_CUSTOMER,),
    "test_stripe_fails_when_subscribing_with_SCA_card": (_CUSTOMER, _SCA, _DEFAULT, _MONTHLY),
    "test_stripe_fails_when_subscribing_with_no_payment_method": (_CUSTOMER, _MONTHLY),
    "test_stripe_handles_coupons": (*_READY, _MONTHLY + "&discounts[0][coupon]={coupon}"),
    "test_stripe_performing_multiple_refunds_increments_total_refund_amount": (
        *_READY,
        _PAYMENT + "3000",
        "POST /v1/refunds charge={charge}&amount=1000",
    ),
    "test_stripe_prices_api": (
        *_READY,
        "POST /v1/subscriptions items[0][price]=price_1JNJJkKXBGcbgpbZuOiH3XJK&customer={customer}",
    ),
    "test_stripe_raises_action_required_error_when_SCA_required": (_CUSTOMER, _SCA, _DEFAULT, _PAYMENT + "2900"),
    "test_stripe_resume_on_grace_period": (
        *_READY,
        _PLAIN,
        _CANCEL_LATER,
        "POST /v1/subscriptions/{subscription} trial_end=now&cancel_at_period_end=false",
    ),
    "test_stripe_saves_alipay": ("POST /v1/payment_methods type=alipay",),
    "test_stripe_saves_fpx": ("POST /v1/payment_methods type=fpx&fpx[bank]=affin_bank",),
    "test_stripe_saves_grabpay": ("POST /v1/payment_methods type=grabpay",),
    "test_stripe_saves_ideal": ("POST /v1/payment_methods type=ideal&ideal[bank]=abn_amro",),
    "test_stripe_saves_p24": (
        "POST /v1/payment_methods type=p24&p24[bank]=ing&billing_details[email]=test@example.org",
    ),
    "test_stripe_saves_wechat_pay": ("POST /v1/payment_methods type=wechat_pay",),
    "test_stripe_saves_currency_on_charge": (*_READY, _PAYMENT + "2900"),
    "test_stripe_subscribe_also_saves_initial_charge": (*_READY, _MONTHLY),
    "test_stripe_subscription_and_one_time_charge": (
        *_READY,
        _PLAIN + "&add_invoice_items[0][price]=price_1ILVZaKXBGcbgpbZQ26kgXWG",
    ),
    "test_stripe_trial_period_options": (*_READY, _MONTHLY + "&trial_period_days=15"),
    "test_sync_stripe_invoice_discounts_and_coupons": (
        *_READY,
        "POST /v1/invoices customer={customer}",
        "POST /v1/invoiceitems customer={customer}&invoice={invoice}&amount=1900&discounts[0][coupon]=sirmAxRi",
        "POST /v1/invoices/{invoice}/pay",
    ),
}
"""By the name of the test."""

_TENTH_OFF_SINCE: Final = "2025-03-31.basil"
"""Recordings from then on take a tenth off where older ones take ten dollars off."""

_ANY: Final = (*_READY, _PLAIN)


def script_of(test: str, version: str) -> tuple[str, ...]:
    """What a test did. Tests were named otherwise once; of those that are gone only what they named has to be there."""
    named_now = "test_stripe_" + test.removeprefix("test_").replace("stripe_", "")
    coupon = "10OFF" if version >= _TENTH_OFF_SINCE else "10BUCKS"
    script = SCRIPTS.get(test) or SCRIPTS.get(named_now) or _ANY
    return tuple(line.replace("{coupon}", coupon) for line in script)


OUT_OF_SCOPE: Final = {
    "/v1/billing_portal/sessions": "hosted pages",
    "/v1/checkout/sessions": "hosted pages",
    "/v1/invoices/upcoming": "gone from the API",
    "/v1/transfers": "Connect",
}
"""Beginnings of paths that the sandbox does not answer, and why."""

CONNECT: Final = frozenset({"application", "application_fee_amount", "transfer_data"})
"""Fields that are null where no other account takes part. Answers in which one is not are of Connect: out of scope."""
