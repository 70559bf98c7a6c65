"""What Stripe's API can retrieve and list, one resource a line; ``resources`` says what the words mean.

Written by ``tools/stripe_resources.py``, which also says what is told by hand, and why. A line that begins with spaces
goes on with the one before.
"""

from __future__ import annotations

from typing import Final

TABLE: Final = """
account /v1/accounts/{id} /v1/accounts created events=account.updated
apple_pay_domain /v1/apple_pay/domains/{id} /v1/apple_pay/domains
application_fee /v1/application_fees/{id} /v1/application_fees created inner=refunds:/v1/application_fees/{id}/refunds
  events=application_fee.created,application_fee.refunded
apps.install /v1/apps/installs/{id} /v1/apps/installs created events=apps.install.created,apps.install.deleted,
  apps.install.updated
balance_transaction /v1/balance_transactions/{id} /v1/balance_transactions created
  permission=rak_balance_transaction_source_read
billing.alert /v1/billing/alerts/{id} /v1/billing/alerts
billing.credit_balance_transaction /v1/billing/credit_balance_transactions/{id}
  /v1/billing/credit_balance_transactions customer events=billing.credit_balance_transaction.created
billing.credit_grant /v1/billing/credit_grants/{id} /v1/billing/credit_grants customer
  events=billing.credit_grant.created,billing.credit_grant.updated
billing.feedback_option /v1/billing/feedback_options/{id} /v1/billing/feedback_options
billing.meter /v1/billing/meters/{id} /v1/billing/meters events=billing.meter.created,billing.meter.deactivated,
  billing.meter.reactivated,billing.meter.updated
billing_portal.configuration /v1/billing_portal/configurations/{id} /v1/billing_portal/configurations
  events=billing_portal.configuration.created,billing_portal.configuration.updated
capability /v1/accounts/{parent}/capabilities/{id} /v1/accounts/{parent}/capabilities parent=account
  events=capability.updated
charge /v1/charges/{id} /v1/charges created customer inner=refunds:/v1/refunds:charge permission=rak_charge_read
  events=charge.captured,charge.expired,charge.failed,charge.pending,charge.refunded,charge.succeeded,
  charge.updated
checkout.session /v1/checkout/sessions/{id} /v1/checkout/sessions created customer
  inner=line_items:/v1/checkout/sessions/{id}/line_items permission=rak_checkout_session_read
  events=checkout.session.async_payment_failed,checkout.session.async_payment_succeeded,checkout.session.completed,
  checkout.session.expired
climate.order /v1/climate/orders/{id} /v1/climate/orders events=climate.order.canceled,climate.order.created,
  climate.order.delayed,climate.order.delivered,climate.order.product_substituted
climate.product /v1/climate/products/{id} /v1/climate/products events=climate.product.created,
  climate.product.pricing_updated
climate.supplier /v1/climate/suppliers/{id} /v1/climate/suppliers
confirmation_token /v1/confirmation_tokens/{id} -
country_spec /v1/country_specs/{id} /v1/country_specs
coupon /v1/coupons/{id} /v1/coupons created permission=rak_coupon_read events=coupon.created,coupon.deleted,
  coupon.updated
credit_note /v1/credit_notes/{id} /v1/credit_notes created customer inner=lines:/v1/credit_notes/{id}/lines
  permission=rak_credit_note_read events=credit_note.created,credit_note.updated,credit_note.voided
customer /v1/customers/{id} /v1/customers created clock inner=sources:/v1/customers/{id}/sources
  inner=subscriptions:/v1/subscriptions:customer inner=tax_ids:/v1/customers/{id}/tax_ids permission=rak_customer_read
  events=customer.created,customer.deleted,customer.updated
customer_balance_transaction /v1/customers/{parent}/balance_transactions/{id}
  /v1/customers/{parent}/balance_transactions parent=customer created
customer_cash_balance_transaction /v1/customers/{parent}/cash_balance_transactions/{id}
  /v1/customers/{parent}/cash_balance_transactions parent=customer events=customer_cash_balance_transaction.created
dispute /v1/disputes/{id} /v1/disputes created permission=rak_dispute_read events=charge.dispute.closed,
  charge.dispute.created,charge.dispute.funds_reinstated,charge.dispute.funds_withdrawn,charge.dispute.updated
entitlements.active_entitlement /v1/entitlements/active_entitlements/{id} /v1/entitlements/active_entitlements
  parent=customer:customer
entitlements.feature /v1/entitlements/features/{id} /v1/entitlements/features
exchange_rate /v1/exchange_rates/{id} /v1/exchange_rates
fee_refund /v1/application_fees/{parent}/refunds/{id} /v1/application_fees/{parent}/refunds parent=application_fee
  events=application_fee.refund.updated
file /v1/files/{id} /v1/files created inner=links:/v1/file_links:file events=file.created
file_link /v1/file_links/{id} /v1/file_links created
financial_connections.account /v1/financial_connections/accounts/{id} /v1/financial_connections/accounts
  events=financial_connections.account.account_numbers_updated,financial_connections.account.created,
  financial_connections.account.deactivated,financial_connections.account.disconnected,
  financial_connections.account.expected_deactivation_date_updated,financial_connections.account.reactivated,
  financial_connections.account.refreshed_balance,financial_connections.account.refreshed_ownership,
  financial_connections.account.refreshed_transactions,
  financial_connections.account.supported_payment_method_types_updated,
  financial_connections.account.upcoming_account_number_expiry,financial_connections.account.upcoming_deactivation
financial_connections.session /v1/financial_connections/sessions/{id} -
financial_connections.transaction /v1/financial_connections/transactions/{id} /v1/financial_connections/transactions
  parent=financial_connections.account:account
forwarding.request /v1/forwarding/requests/{id} /v1/forwarding/requests created
identity.verification_report /v1/identity/verification_reports/{id} /v1/identity/verification_reports created
identity.verification_session /v1/identity/verification_sessions/{id} /v1/identity/verification_sessions created
  events=identity.verification_session.canceled,identity.verification_session.created,
  identity.verification_session.processing,identity.verification_session.redacted,
  identity.verification_session.requires_input,identity.verification_session.verified
invoice /v1/invoices/{id} /v1/invoices created customer inner=lines:/v1/invoices/{id}/lines
  inner=payments:/v1/invoice_payments:invoice permission=rak_invoice_read events=invoice.created,invoice.deleted,
  invoice.finalization_failed,invoice.finalized,invoice.marked_uncollectible,invoice.overdue,invoice.overpaid,
  invoice.paid,invoice.payment_action_required,invoice.payment_attempt_required,invoice.payment_failed,
  invoice.payment_succeeded,invoice.sent,invoice.upcoming,invoice.updated,invoice.voided,invoice.will_be_due
invoice_payment /v1/invoice_payments/{id} /v1/invoice_payments created events=invoice_payment.paid
invoice_rendering_template /v1/invoice_rendering_templates/{id} /v1/invoice_rendering_templates
invoiceitem /v1/invoiceitems/{id} /v1/invoiceitems created customer events=invoiceitem.created,invoiceitem.deleted
issuing.authorization /v1/issuing/authorizations/{id} /v1/issuing/authorizations created
  events=issuing_authorization.created,issuing_authorization.request,issuing_authorization.updated
issuing.card /v1/issuing/cards/{id} /v1/issuing/cards created events=issuing_card.created,issuing_card.updated
issuing.cardholder /v1/issuing/cardholders/{id} /v1/issuing/cardholders created events=issuing_cardholder.created,
  issuing_cardholder.updated
issuing.dispute /v1/issuing/disputes/{id} /v1/issuing/disputes created events=issuing_dispute.closed,
  issuing_dispute.created,issuing_dispute.funds_reinstated,issuing_dispute.funds_rescinded,
  issuing_dispute.submitted,issuing_dispute.updated
issuing.personalization_design /v1/issuing/personalization_designs/{id} /v1/issuing/personalization_designs
  events=issuing_personalization_design.activated,issuing_personalization_design.deactivated,
  issuing_personalization_design.rejected,issuing_personalization_design.updated
issuing.physical_bundle /v1/issuing/physical_bundles/{id} /v1/issuing/physical_bundles
issuing.token /v1/issuing/tokens/{id} /v1/issuing/tokens parent=issuing.card:card created
  events=issuing_token.created,issuing_token.updated
issuing.transaction /v1/issuing/transactions/{id} /v1/issuing/transactions created events=issuing_transaction.created,
  issuing_transaction.purchase_details_receipt_updated,issuing_transaction.updated
mandate /v1/mandates/{id} - events=mandate.updated
payment_attempt_record /v1/payment_attempt_records/{id} /v1/payment_attempt_records
  parent=payment_record:payment_record
payment_intent /v1/payment_intents/{id} /v1/payment_intents created customer
  inner=amount_details.line_items:/v1/payment_intents/{id}/amount_details_line_items
  permission=rak_payment_intent_read events=payment_intent.amount_capturable_updated,payment_intent.canceled,
  payment_intent.created,payment_intent.partially_funded,payment_intent.payment_failed,payment_intent.processing,
  payment_intent.requires_action,payment_intent.succeeded
payment_link /v1/payment_links/{id} /v1/payment_links inner=line_items:/v1/payment_links/{id}/line_items
  events=payment_link.created,payment_link.updated
payment_method /v1/payment_methods/{id} /v1/payment_methods parent=customer:customer customer
  permission=rak_payment_method_read events=payment_method.attached,payment_method.automatically_updated,
  payment_method.detached,payment_method.updated
payment_method_configuration /v1/payment_method_configurations/{id} /v1/payment_method_configurations
payment_method_domain /v1/payment_method_domains/{id} /v1/payment_method_domains
payment_record /v1/payment_records/{id} /v1/payment_records
payout /v1/payouts/{id} /v1/payouts created permission=rak_payout_read events=payout.canceled,payout.created,
  payout.failed,payout.paid,payout.reconciliation_completed,payout.updated
person /v1/accounts/{parent}/persons/{id} /v1/accounts/{parent}/persons parent=account events=person.created,
  person.deleted,person.updated
plan /v1/plans/{id} /v1/plans created permission=rak_plan_read events=plan.created,plan.deleted,plan.updated
price /v1/prices/{id} /v1/prices created all=active=true all=active=false permission=rak_plan_read
  events=price.created,price.deleted,price.updated
product /v1/products/{id} /v1/products created permission=rak_product_read events=product.created,product.deleted,
  product.updated
product_catalog.trial_offer /v1/product_catalog/trial_offers/{id} /v1/product_catalog/trial_offers created
product_feature /v1/products/{parent}/features/{id} /v1/products/{parent}/features parent=product
promotion_code /v1/promotion_codes/{id} /v1/promotion_codes created customer events=promotion_code.created,
  promotion_code.updated
quote /v1/quotes/{id} /v1/quotes clock customer
  inner=computed.upfront.line_items:/v1/quotes/{id}/computed_upfront_line_items
  inner=line_items:/v1/quotes/{id}/line_items events=quote.accepted,quote.canceled,quote.created,quote.finalized
radar.early_fraud_warning /v1/radar/early_fraud_warnings/{id} /v1/radar/early_fraud_warnings created
  events=radar.early_fraud_warning.created,radar.early_fraud_warning.updated
radar.value_list /v1/radar/value_lists/{id} /v1/radar/value_lists created
  inner=list_items:/v1/radar/value_list_items:value_list
radar.value_list_item /v1/radar/value_list_items/{id} /v1/radar/value_list_items parent=radar.value_list:value_list
  created
refund /v1/refunds/{id} /v1/refunds created permission=rak_charge_read events=charge.refund.updated,refund.created,
  refund.failed,refund.updated
reporting.report_run /v1/reporting/report_runs/{id} /v1/reporting/report_runs created
  events=reporting.report_run.failed,reporting.report_run.succeeded
reporting.report_type /v1/reporting/report_types/{id} /v1/reporting/report_types events=reporting.report_type.updated
review /v1/reviews/{id} /v1/reviews created events=review.closed,review.opened
scheduled_query_run /v1/sigma/scheduled_query_runs/{id} /v1/sigma/scheduled_query_runs
  events=sigma.scheduled_query_run.created
setup_attempt - /v1/setup_attempts parent=setup_intent:setup_intent created
setup_intent /v1/setup_intents/{id} /v1/setup_intents created customer permission=rak_setup_intent_read
  events=setup_intent.canceled,setup_intent.created,setup_intent.requires_action,setup_intent.setup_failed,
  setup_intent.succeeded
shipping_rate /v1/shipping_rates/{id} /v1/shipping_rates created
source /v1/sources/{id} - events=customer.source.created,customer.source.deleted,customer.source.expiring,
  customer.source.updated,source.canceled,source.chargeable,source.failed,source.refund_attributes_required
subscription /v1/subscriptions/{id} /v1/subscriptions created clock customer all=status=all
  inner=items:/v1/subscription_items:subscription permission=rak_subscription_read
  events=customer.subscription.created,customer.subscription.deleted,customer.subscription.paused,
  customer.subscription.pending_update_applied,customer.subscription.pending_update_expired,
  customer.subscription.resumed,customer.subscription.trial_will_end,customer.subscription.updated
subscription_item /v1/subscription_items/{id} /v1/subscription_items parent=subscription:subscription
  permission=rak_subscription_read
subscription_schedule /v1/subscription_schedules/{id} /v1/subscription_schedules created customer
  permission=rak_subscription_schedule_read events=subscription_schedule.aborted,subscription_schedule.canceled,
  subscription_schedule.completed,subscription_schedule.created,subscription_schedule.expiring,
  subscription_schedule.released,subscription_schedule.updated
tax.calculation /v1/tax/calculations/{id} - inner=line_items:/v1/tax/calculations/{id}/line_items
tax.location /v1/tax/locations/{id} -
tax.registration /v1/tax/registrations/{id} /v1/tax/registrations all=status=all
tax.transaction /v1/tax/transactions/{id} - inner=line_items:/v1/tax/transactions/{id}/line_items
tax_code /v1/tax_codes/{id} /v1/tax_codes
tax_id /v1/tax_ids/{id} /v1/customers/{parent}/tax_ids parent=customer events=customer.tax_id.created,
  customer.tax_id.deleted,customer.tax_id.updated
tax_rate /v1/tax_rates/{id} /v1/tax_rates created events=tax_rate.created,tax_rate.updated
terminal.configuration /v1/terminal/configurations/{id} /v1/terminal/configurations
terminal.location /v1/terminal/locations/{id} /v1/terminal/locations
terminal.reader /v1/terminal/readers/{id} /v1/terminal/readers events=terminal.reader.action_failed,
  terminal.reader.action_succeeded,terminal.reader.action_updated
test_helpers.test_clock /v1/test_helpers/test_clocks/{id} /v1/test_helpers/test_clocks
  events=test_helpers.test_clock.advancing,test_helpers.test_clock.created,test_helpers.test_clock.deleted,
  test_helpers.test_clock.internal_failure,test_helpers.test_clock.ready
three_d_secure.authentication /v1/three_d_secure/authentications/{id} /v1/three_d_secure/authentications created
  events=three_d_secure.authentication.canceled,three_d_secure.authentication.challenge_started,
  three_d_secure.authentication.errored,three_d_secure.authentication.failed,
  three_d_secure.authentication.requires_challenge,three_d_secure.authentication.requires_submission,
  three_d_secure.authentication.succeeded
token /v1/tokens/{id} -
topup /v1/topups/{id} /v1/topups created events=topup.canceled,topup.created,topup.failed,topup.reversed,
  topup.succeeded
transfer /v1/transfers/{id} /v1/transfers created inner=reversals:/v1/transfers/{id}/reversals
  permission=rak_transfer_read events=transfer.created,transfer.reversed,transfer.updated
transfer_reversal /v1/transfers/{parent}/reversals/{id} /v1/transfers/{parent}/reversals parent=transfer
treasury.credit_reversal /v1/treasury/credit_reversals/{id} /v1/treasury/credit_reversals
  parent=treasury.financial_account:financial_account events=treasury.credit_reversal.created,
  treasury.credit_reversal.posted
treasury.debit_reversal /v1/treasury/debit_reversals/{id} /v1/treasury/debit_reversals
  parent=treasury.financial_account:financial_account events=treasury.debit_reversal.completed,
  treasury.debit_reversal.created,treasury.debit_reversal.initial_credit_granted
treasury.financial_account /v1/treasury/financial_accounts/{id} /v1/treasury/financial_accounts created
  events=treasury.financial_account.closed,treasury.financial_account.created,
  treasury.financial_account.features_status_updated
treasury.inbound_transfer /v1/treasury/inbound_transfers/{id} /v1/treasury/inbound_transfers
  parent=treasury.financial_account:financial_account events=treasury.inbound_transfer.canceled,
  treasury.inbound_transfer.created,treasury.inbound_transfer.failed,treasury.inbound_transfer.succeeded
treasury.outbound_payment /v1/treasury/outbound_payments/{id} /v1/treasury/outbound_payments
  parent=treasury.financial_account:financial_account created customer events=treasury.outbound_payment.canceled,
  treasury.outbound_payment.created,treasury.outbound_payment.expected_arrival_date_updated,
  treasury.outbound_payment.failed,treasury.outbound_payment.posted,treasury.outbound_payment.returned,
  treasury.outbound_payment.tracking_details_updated
treasury.outbound_transfer /v1/treasury/outbound_transfers/{id} /v1/treasury/outbound_transfers
  parent=treasury.financial_account:financial_account events=treasury.outbound_transfer.canceled,
  treasury.outbound_transfer.created,treasury.outbound_transfer.expected_arrival_date_updated,
  treasury.outbound_transfer.failed,treasury.outbound_transfer.posted,treasury.outbound_transfer.returned,
  treasury.outbound_transfer.tracking_details_updated
treasury.received_credit /v1/treasury/received_credits/{id} /v1/treasury/received_credits
  parent=treasury.financial_account:financial_account events=treasury.received_credit.created,
  treasury.received_credit.failed,treasury.received_credit.succeeded
treasury.received_debit /v1/treasury/received_debits/{id} /v1/treasury/received_debits
  parent=treasury.financial_account:financial_account events=treasury.received_debit.created
treasury.transaction /v1/treasury/transactions/{id} /v1/treasury/transactions
  parent=treasury.financial_account:financial_account created
treasury.transaction_entry /v1/treasury/transaction_entries/{id} /v1/treasury/transaction_entries
  parent=treasury.financial_account:financial_account created
v2.commerce.product_catalog_import /v2/commerce/product_catalog/imports/{id} -
v2.core.account /v2/core/accounts/{id} -
v2.core.account_person /v2/core/accounts/{parent}/persons/{id} -
v2.core.account_person_token /v2/core/accounts/{parent}/person_tokens/{id} -
v2.core.account_token /v2/core/account_tokens/{id} -
v2.core.event_destination /v2/core/event_destinations/{id} -
v2.core.vault.gb_bank_account /v2/core/vault/gb_bank_accounts/{id} -
v2.core.vault.us_bank_account /v2/core/vault/us_bank_accounts/{id} -
v2.money_management.adjustment /v2/money_management/adjustments/{id} -
v2.money_management.financial_account /v2/money_management/financial_accounts/{id} -
v2.money_management.financial_address /v2/money_management/financial_addresses/{id} -
v2.money_management.inbound_transfer /v2/money_management/inbound_transfers/{id} -
v2.money_management.outbound_payment /v2/money_management/outbound_payments/{id} -
v2.money_management.outbound_setup_intent /v2/money_management/outbound_setup_intents/{id} -
v2.money_management.payout_intent /v2/money_management/payout_intents/{id} -
v2.money_management.payout_method /v2/money_management/payout_methods/{id} -
v2.money_management.received_credit /v2/money_management/received_credits/{id} -
v2.money_management.recipient_verification /v2/money_management/recipient_verifications/{id} -
v2.money_management.transaction /v2/money_management/transactions/{id} -
v2.money_management.transaction_entry /v2/money_management/transaction_entries/{id} -
webhook_endpoint /v1/webhook_endpoints/{id} /v1/webhook_endpoints permission=rak_webhook_read
"""
