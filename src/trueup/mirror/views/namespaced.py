"""Stripe's resources of a namespace, such as ``issuing.card``: their columns, by what they hold.

Written by ``tools/stripe_views.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

RESOURCES: Final[Mapping[str, str]] = {
    "apps.install": (
        "array:endpoints_granted,endpoints_pending,permissions_granted,permissions_pending boolean:approval_required,"
        "livemode moment:created,created_by object:content_security_policy_granted,content_security_policy_pending "
        "text:account,app,auth_code,channel,object,status"
    ),
    "apps.secret": "boolean:livemode deleted:deleted moment:created,expires_at object:scope text:name,object,payload",
    "billing.alert": "boolean:livemode object:usage_threshold text:alert_type,object,status,title",
    "billing.credit_balance_transaction": (
        "boolean:livemode id:credit_grant,test_clock moment:created,effective_at object:credit,debit text:object,type"
    ),
    "billing.credit_grant": (
        "bigint:priority boolean:livemode customer:customer id:test_clock moment:created,effective_at,expires_at,"
        "updated,voided_at object:amount,applicability_config,metadata text:category,customer_account,name,object"
    ),
    "billing.feedback_option": "boolean:livemode object:status_transitions text:description,object,status",
    "billing.meter": (
        "boolean:livemode moment:created,updated object:customer_mapping,default_aggregation,status_transitions,"
        "value_settings text:display_name,event_name,event_time_window,object,status"
    ),
    "billing.meter_event_summary": (
        "boolean:livemode moment:end_time,start_time numeric:aggregated_value text:meter,object"
    ),
    "billing_portal.configuration": (
        "boolean:active,is_default,livemode id:application moment:created,updated object:business_profile,features,"
        "login_page,metadata text:default_return_url,name,object"
    ),
    "billing_portal.session": (
        "boolean:livemode customer:customer id:configuration moment:created object:after_expiration,flow "
        "text:customer_account,locale,object,on_behalf_of,return_url,url"
    ),
    "checkout.session": (
        "array:allowed_payment_method_types,custom_fields,discounts,excluded_payment_method_types,optional_items,"
        "payment_method_types,shipping_options bigint:amount_subtotal,amount_total boolean:allow_promotion_codes,"
        "livemode customer:customer id:invoice,payment_intent,payment_link,setup_intent,subscription moment:created,"
        "expires_at,recovered_from object:adaptive_pricing,after_expiration,automatic_tax,branding_settings,"
        "collected_information,consent,consent_collection,currency_conversion,custom_text,customer_details,"
        "invoice_creation,line_items,managed_payments,metadata,name_collection,payment_method_configuration_details,"
        "payment_method_options,permissions,phone_number_collection,presentment_details,saved_payment_method_options,"
        "shipping_address_collection,shipping_cost,tax_id_collection,total_details,wallet_options "
        "text:billing_address_collection,cancel_url,client_reference_id,client_secret,currency,customer_account,"
        "customer_creation,customer_email,integration_identifier,locale,mode,object,origin_context,"
        "payment_method_collection,payment_status,redirect_on_completion,return_url,status,submit_type,success_url,"
        "ui_mode,url"
    ),
    "climate.order": (
        "array:delivery_details bigint:amount_fees,amount_subtotal,amount_total,expected_delivery_year "
        "boolean:livemode id:product moment:canceled_at,confirmed_at,created,delayed_at,delivered_at,"
        "product_substituted_at numeric:metric_tons object:beneficiary,metadata text:cancellation_reason,certificate,"
        "currency,object,status"
    ),
    "climate.product": (
        "array:suppliers bigint:delivery_year boolean:livemode moment:created numeric:metric_tons_available "
        "object:current_prices_per_metric_ton text:name,object"
    ),
    "climate.supplier": "array:locations boolean:livemode text:info_url,name,object,removal_pathway",
    "entitlements.active_entitlement": "boolean:livemode id:feature text:lookup_key,object",
    "entitlements.feature": "boolean:active,livemode object:metadata text:lookup_key,name,object",
    "financial_connections.account": (
        "array:account_numbers,permissions,subscriptions,supported_payment_method_types boolean:livemode id:ownership "
        "moment:created object:account_holder,balance,balance_refresh,ownership_refresh,status_details,"
        "transaction_refresh text:category,display_name,institution_name,last4,object,status,subcategory"
    ),
    "financial_connections.account_owner": "moment:refreshed_at text:email,name,object,ownership,phone,raw_address",
    "financial_connections.account_ownership": "moment:created object:owners text:object",
    "financial_connections.authorization": "boolean:livemode object:status_details text:institution_name,object,status",
    "financial_connections.session": (
        "array:permissions,prefetch boolean:livemode embedded:bank_account_token object:account_holder,accounts,"
        "filters,limits,manual_entry text:client_secret,object,return_url"
    ),
    "financial_connections.transaction": (
        "bigint:amount boolean:livemode moment:transacted_at,updated object:status_transitions text:account,currency,"
        "description,object,status,transaction_refresh"
    ),
    "forwarding.request": (
        "array:replacements boolean:livemode moment:created object:metadata,request_context,request_details,"
        "response_details text:object,payment_method,url"
    ),
    "identity.verification_report": (
        "boolean:livemode moment:created object:document,email,id_number,options,phone,selfie text:client_reference_id,"
        "object,type,verification_flow,verification_session"
    ),
    "identity.verification_session": (
        "boolean:livemode id:last_verification_report moment:created object:last_error,metadata,options,"
        "provided_details,redaction,related_person,verified_outputs text:client_reference_id,client_secret,object,"
        "related_customer,related_customer_account,status,type,url,verification_flow"
    ),
    "issuing.authorization": (
        "array:balance_transactions,fraud_challenges,request_history,transactions bigint:amount,merchant_amount "
        "boolean:approved,livemode,verified_by_fraud_challenge embedded:card id:cardholder,token moment:created "
        "object:amount_details,fleet,fuel,merchant_data,metadata,network_data,pending_request,treasury,"
        "verification_data text:authorization_method,card_presence,currency,merchant_currency,object,status,wallet"
    ),
    "issuing.card": (
        "bigint:exp_month,exp_year boolean:livemode embedded:cardholder id:personalization_design,replaced_by,"
        "replacement_for moment:created object:latest_fraud_warning,lifecycle_controls,metadata,shipping,"
        "spending_controls,wallets text:brand,cancellation_reason,currency,cvc,financial_account,last4,number,object,"
        "replacement_reason,second_line,status,type"
    ),
    "issuing.cardholder": (
        "array:preferred_locales boolean:livemode moment:created object:billing,company,individual,metadata,"
        "requirements,spending_controls text:email,name,object,phone_number,status,type"
    ),
    "issuing.dispute": (
        "array:balance_transactions bigint:amount boolean:livemode id:transaction moment:created object:evidence,"
        "metadata,treasury text:currency,loss_reason,object,status"
    ),
    "issuing.personalization_design": (
        "boolean:livemode id:card_logo,physical_bundle moment:created object:carrier_text,metadata,preferences,"
        "rejection_reasons text:lookup_key,name,object,status"
    ),
    "issuing.physical_bundle": "boolean:livemode object:features text:name,object,status,type",
    "issuing.token": (
        "boolean:livemode id:card moment:created,network_updated_at object:network_data text:device_fingerprint,last4,"
        "network,object,status,wallet_provider"
    ),
    "issuing.transaction": (
        "bigint:amount,merchant_amount boolean:livemode id:authorization,balance_transaction,card,cardholder,dispute,"
        "token moment:created object:amount_details,merchant_data,metadata,network_data,purchase_details,treasury "
        "text:currency,merchant_currency,object,type,wallet"
    ),
    "product_catalog.trial_offer": "boolean:active,livemode id:price object:duration,end_behavior text:nickname,object",
    "radar.early_fraud_warning": (
        "boolean:actionable,livemode id:charge,payment_intent moment:created text:fraud_type,object"
    ),
    "radar.payment_evaluation": (
        "array:events boolean:livemode moment:created_at object:client_device_metadata_details,customer_details,"
        "metadata,outcome,payment_details,signals text:object,recommended_action"
    ),
    "radar.value_list": (
        "boolean:livemode deleted:deleted moment:created,created_by object:list_items,metadata text:alias,item_type,"
        "name,object"
    ),
    "radar.value_list_item": "boolean:livemode deleted:deleted moment:created,created_by text:object,value,value_list",
    "reporting.report_run": (
        "boolean:livemode embedded:result moment:created,succeeded_at object:parameters text:error,object,report_type,"
        "status"
    ),
    "reporting.report_type": (
        "array:default_columns bigint:version boolean:livemode moment:data_available_end,data_available_start,updated "
        "text:name,object"
    ),
    "reserve.hold": (
        "array:release_details bigint:amount,amount_releasable boolean:is_releasable,livemode id:reserve_plan,"
        "source_charge moment:created object:metadata,release_schedule text:created_by,currency,destination,object,"
        "reason,source_type"
    ),
    "reserve.plan": (
        "bigint:percent boolean:livemode moment:created,disabled_at object:fixed_release,manual_release,metadata,"
        "rolling_release text:created_by,currency,destination,object,status,type"
    ),
    "reserve.release": (
        "bigint:amount boolean:livemode id:reserve_hold,reserve_plan moment:created,released_at object:metadata,"
        "source_transaction text:created_by,currency,destination,object,reason"
    ),
    "tax.association": "array:tax_transaction_attempts text:calculation,object,payment_intent",
    "tax.calculation": (
        "array:tax_breakdown bigint:amount_total,tax_amount_exclusive,tax_amount_inclusive boolean:livemode "
        "customer:customer moment:expires_at,tax_date object:customer_details,line_items,ship_from_details,"
        "shipping_cost text:currency,object"
    ),
    "tax.calculation_line_item": (
        "array:tax_breakdown bigint:amount,amount_tax,quantity boolean:livemode object:metadata text:object,"
        "performance_location,product,reference,tax_behavior,tax_code"
    ),
    "tax.location": "boolean:livemode object:address text:description,object,type",
    "tax.registration": (
        "boolean:livemode moment:active_from,created,expires_at object:country_options text:country,object,status"
    ),
    "tax.transaction": (
        "boolean:livemode customer:customer moment:created,posted_at,tax_date object:customer_details,line_items,"
        "metadata,reversal,ship_from_details,shipping_cost text:currency,object,reference,type"
    ),
    "tax.transaction_line_item": (
        "bigint:amount,amount_tax,quantity boolean:livemode object:metadata,reversal text:object,product,reference,"
        "tax_behavior,tax_code,type"
    ),
    "terminal.configuration": (
        "boolean:is_account_default,livemode deleted:deleted object:bbpos_wisepad3,bbpos_wisepos_e,cellular,offline,"
        "reader_security,reboot_window,stripe_s700,stripe_s710,stripe_t600,tipping,verifone_m425,verifone_p400,"
        "verifone_p630,verifone_ux700,verifone_v660p,wifi text:name,object"
    ),
    "terminal.location": (
        "boolean:livemode deleted:deleted object:address,address_kana,address_kanji,metadata "
        "text:configuration_overrides,display_name,display_name_kana,display_name_kanji,object,phone"
    ),
    "terminal.reader": (
        "boolean:livemode deleted:deleted id:location milliseconds:last_seen_at object:action,metadata "
        "text:device_sw_version,device_type,ip_address,label,object,serial_number,status"
    ),
    "test_helpers.test_clock": (
        "boolean:livemode deleted:deleted moment:created,deletes_after,frozen_time object:status_details text:name,"
        "object,status"
    ),
    "three_d_secure.authentication": (
        "bigint:amount boolean:livemode id:payment_method moment:created object:acquirer_details,channel,"
        "flow_preference,future_usage,metadata,outcome_details,shipping_address text:challenge_url,currency,"
        "directory_server,fingerprinting_url,message_category,object,outcome,reason,status"
    ),
    "treasury.credit_reversal": (
        "bigint:amount boolean:livemode id:transaction moment:created object:metadata,status_transitions text:currency,"
        "financial_account,hosted_regulatory_receipt_url,network,object,received_credit,status"
    ),
    "treasury.debit_reversal": (
        "bigint:amount boolean:livemode id:transaction moment:created object:linked_flows,metadata,status_transitions "
        "text:currency,financial_account,hosted_regulatory_receipt_url,network,object,received_debit,status"
    ),
    "treasury.financial_account": (
        "array:active_features,financial_addresses,pending_features,restricted_features,supported_currencies "
        "boolean:is_default,livemode moment:created object:balance,features,metadata,platform_restrictions,"
        "status_details text:country,nickname,object,status"
    ),
    "treasury.inbound_transfer": (
        "bigint:amount boolean:cancelable,livemode,returned id:transaction moment:created object:failure_details,"
        "linked_flows,metadata,origin_payment_method_details,status_transitions text:currency,description,"
        "financial_account,hosted_regulatory_receipt_url,object,origin_payment_method,statement_descriptor,status"
    ),
    "treasury.outbound_payment": (
        "bigint:amount boolean:cancelable,livemode customer:customer id:transaction moment:created,"
        "expected_arrival_date object:destination_payment_method_details,end_user_details,metadata,returned_details,"
        "status_transitions,tracking_details text:currency,description,destination_payment_method,financial_account,"
        "hosted_regulatory_receipt_url,object,statement_descriptor,status"
    ),
    "treasury.outbound_transfer": (
        "bigint:amount boolean:cancelable,livemode id:transaction moment:created,expected_arrival_date "
        "object:destination_payment_method_details,metadata,returned_details,status_transitions,tracking_details "
        "text:currency,description,destination_payment_method,financial_account,hosted_regulatory_receipt_url,object,"
        "statement_descriptor,status"
    ),
    "treasury.received_credit": (
        "bigint:amount boolean:livemode id:transaction moment:created object:initiating_payment_method_details,"
        "linked_flows,reversal_details text:currency,description,failure_code,financial_account,"
        "hosted_regulatory_receipt_url,network,object,status"
    ),
    "treasury.received_debit": (
        "bigint:amount boolean:livemode id:transaction moment:created object:initiating_payment_method_details,"
        "linked_flows,reversal_details text:currency,description,failure_code,financial_account,"
        "hosted_regulatory_receipt_url,network,object,status"
    ),
    "treasury.transaction": (
        "bigint:amount boolean:livemode moment:created object:balance_impact,entries,flow_details,status_transitions "
        "text:currency,description,financial_account,flow,flow_type,object,status"
    ),
    "treasury.transaction_entry": (
        "boolean:livemode id:transaction moment:created,effective_at object:balance_impact,flow_details text:currency,"
        "financial_account,flow,flow_type,object,type"
    ),
    "v2.billing.meter_event_adjustment": (
        "boolean:livemode moment:created object:cancel text:event_name,object,status,type"
    ),
    "v2.billing.meter_event_session": "boolean:livemode moment:created,expires_at text:authentication_token,object",
    "v2.commerce.product_catalog_import": (
        "boolean:livemode moment:created object:metadata,status_details text:feed_type,mode,object,status"
    ),
    "v2.core.account": (
        "array:applied_configurations boolean:closed,livemode moment:created object:configuration,defaults,"
        "future_requirements,identity,metadata,requirements text:contact_email,contact_phone,dashboard,display_name,"
        "object"
    ),
    "v2.core.account_person": (
        "array:additional_addresses,additional_names,id_numbers,nationalities boolean:livemode moment:created,updated "
        "object:additional_terms_of_service,address,date_of_birth,documents,metadata,relationship,script_addresses,"
        "script_names text:account,email,given_name,legal_gender,object,phone,political_exposure,surname"
    ),
    "v2.core.account_person_token": "boolean:livemode,used moment:created,expires_at text:object",
    "v2.core.account_token": "boolean:livemode,used moment:created,expires_at text:object",
    "v2.core.event_destination": (
        "array:enabled_events,events_from boolean:livemode moment:created,updated object:amazon_eventbridge,"
        "azure_event_grid,metadata,status_details,webhook_endpoint text:description,event_payload,name,object,"
        "snapshot_api_version,status,type"
    ),
    "v2.core.vault.gb_bank_account": (
        "array:supported_currencies boolean:archived,livemode,restricted moment:created text:bank_account_type,"
        "bank_name,last4,object,sort_code"
    ),
    "v2.core.vault.us_bank_account": (
        "array:supported_currencies boolean:archived,livemode,restricted moment:created object:verification "
        "text:bank_account_type,bank_name,fedwire_routing_number,financial_connections_account,last4,object,"
        "routing_number"
    ),
    "v2.money_management.adjustment": (
        "boolean:livemode moment:created object:adjusted_flow,amount text:description,financial_account,object"
    ),
    "v2.money_management.financial_account": (
        "boolean:livemode moment:created object:balance,metadata,other,storage text:country,display_name,object,status,"
        "type"
    ),
    "v2.money_management.financial_address": (
        "boolean:livemode moment:created object:bank_account text:financial_account,object,settlement_currency,status,"
        "type"
    ),
    "v2.money_management.inbound_transfer": (
        "array:transfer_history boolean:livemode moment:created object:amount,from,to text:description,object"
    ),
    "v2.money_management.outbound_payment": (
        "boolean:cancelable,livemode moment:created,expected_arrival_date object:amount,from,metadata,"
        "recipient_notification,status_details,status_transitions,to,tracking_details text:description,object,"
        "payout_intent,recipient_verification,statement_descriptor,status"
    ),
    "v2.money_management.outbound_setup_intent": (
        "boolean:livemode embedded:payout_method moment:created text:object,status,usage_intent"
    ),
    "v2.money_management.payout_intent": (
        "array:estimated_fees boolean:livemode moment:created object:amount,from,fx_quote,latest_payout,metadata,"
        "next_action,recipient_notification,recipient_verification,schedule_options,status_transitions,to "
        "text:confirmation_method,description,object,statement_descriptor,status"
    ),
    "v2.money_management.payout_method": (
        "boolean:archived,livemode,restricted moment:created object:bank_account,card,usage_status "
        "text:latest_outbound_setup_intent,object,type"
    ),
    "v2.money_management.received_credit": (
        "boolean:livemode moment:created object:amount,amount_received,balance_transfer,bank_transfer,status_details,"
        "status_transitions text:description,financial_account,object,status,type"
    ),
    "v2.money_management.recipient_verification": (
        "boolean:livemode moment:created,expires_at object:consumed_by,match_result_details,status_transitions "
        "text:match_result,object,payout_method,recipient,status,verification_type"
    ),
    "v2.money_management.transaction": (
        "boolean:livemode moment:created object:amount,balance_impact,counterparty,flow,metadata,regulatory_receipt,"
        "status_transitions text:category,description,financial_account,object,status"
    ),
    "v2.money_management.transaction_entry": (
        "boolean:livemode moment:created,effective_at object:balance_impact,transaction_details text:object,transaction"
    ),
}
