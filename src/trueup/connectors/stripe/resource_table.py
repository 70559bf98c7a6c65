"""What Stripe's API can retrieve and list, one resource a line; ``resources`` reads it and says what the words mean."""

from __future__ import annotations

from typing import Final

TABLE: Final = """
test_helpers.test_clock /v1/test_helpers/test_clocks/{id} /v1/test_helpers/test_clocks
product /v1/products/{id} /v1/products created
price /v1/prices/{id} /v1/prices created all=active=true all=active=false
plan /v1/plans/{id} /v1/plans created
coupon /v1/coupons/{id} /v1/coupons created
promotion_code /v1/promotion_codes/{id} /v1/promotion_codes created
tax_rate /v1/tax_rates/{id} /v1/tax_rates created
shipping_rate /v1/shipping_rates/{id} /v1/shipping_rates created
customer /v1/customers/{id} /v1/customers created clock
payment_method /v1/payment_methods/{id} /v1/payment_methods parent=customer:customer
tax_id /v1/tax_ids/{id} /v1/customers/{parent}/tax_ids parent=customer
customer_balance_transaction /v1/customers/{parent}/balance_transactions/{id} /v1/customers/{parent}/balance_transactions created parent=customer
subscription /v1/subscriptions/{id} /v1/subscriptions created clock all=status=all inner=items:/v1/subscription_items:subscription
subscription_item /v1/subscription_items/{id} /v1/subscription_items parent=subscription:subscription
subscription_schedule /v1/subscription_schedules/{id} /v1/subscription_schedules created
invoice /v1/invoices/{id} /v1/invoices created inner=lines:/v1/invoices/{id}/lines
invoiceitem /v1/invoiceitems/{id} /v1/invoiceitems created
invoice_payment /v1/invoice_payments/{id} /v1/invoice_payments created
credit_note /v1/credit_notes/{id} /v1/credit_notes created inner=lines:/v1/credit_notes/{id}/lines
payment_intent /v1/payment_intents/{id} /v1/payment_intents created
setup_intent /v1/setup_intents/{id} /v1/setup_intents created
setup_attempt - /v1/setup_attempts created parent=setup_intent:setup_intent
mandate /v1/mandates/{id} -
charge /v1/charges/{id} /v1/charges created inner=refunds:/v1/refunds:charge
refund /v1/refunds/{id} /v1/refunds created
dispute /v1/disputes/{id} /v1/disputes created
radar.early_fraud_warning /v1/radar/early_fraud_warnings/{id} /v1/radar/early_fraud_warnings created
balance_transaction /v1/balance_transactions/{id} /v1/balance_transactions created
payout /v1/payouts/{id} /v1/payouts created
quote /v1/quotes/{id} /v1/quotes clock inner=line_items:/v1/quotes/{id}/line_items
checkout.session /v1/checkout/sessions/{id} /v1/checkout/sessions created inner=line_items:/v1/checkout/sessions/{id}/line_items
payment_link /v1/payment_links/{id} /v1/payment_links inner=line_items:/v1/payment_links/{id}/line_items
entitlements.feature /v1/entitlements/features/{id} /v1/entitlements/features
entitlements.active_entitlement /v1/entitlements/active_entitlements/{id} /v1/entitlements/active_entitlements parent=customer:customer
billing.meter /v1/billing/meters/{id} /v1/billing/meters
webhook_endpoint /v1/webhook_endpoints/{id} /v1/webhook_endpoints
"""  # noqa: E501 - one line a resource
