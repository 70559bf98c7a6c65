"""Stripe's resources without a namespace, and parts of them: their columns, by what they hold.

Written by ``tools/stripe_views.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

RESOURCES: Final[Mapping[str, str]] = {
    "account": (
        "boolean:charges_enabled,details_submitted,payouts_enabled deleted:deleted embedded:individual moment:created "
        "object:business_profile,capabilities,company,controller,external_accounts,future_requirements,groups,metadata,"
        "requirements,settings,tos_acceptance text:business_type,country,default_currency,email,object,type"
    ),
    "apple_pay_domain": "boolean:livemode deleted:deleted moment:created text:domain_name,object",
    "application": "deleted:deleted text:name,object",
    "application_fee": (
        "bigint:amount,amount_refunded boolean:livemode,refunded id:account,application,balance_transaction,charge,"
        "originating_transaction moment:created object:fee_source,refunds text:currency,object"
    ),
    "balance_transaction": (
        "array:fee_details bigint:amount,fee,net id:source moment:available_on,created numeric:exchange_rate "
        "text:balance_type,currency,description,object,reporting_category,status,type"
    ),
    "balance_transaction.fee_details": "bigint:amount text:application,currency,description,type",
    "bank_account": (
        "array:available_payout_methods boolean:default_for_currency customer:customer deleted:deleted id:account "
        "object:future_requirements,metadata,requirements text:account_holder_name,account_holder_type,account_type,"
        "bank_name,country,currency,fingerprint,last4,object,routing_number,status"
    ),
    "capability": (
        "boolean:requested id:account moment:requested_at object:future_requirements,requirements text:object,status"
    ),
    "card": (
        "array:available_payout_methods bigint:exp_month,exp_year boolean:default_for_currency customer:customer "
        "deleted:deleted id:account object:metadata,networks text:address_city,address_country,address_line1,"
        "address_line1_check,address_line2,address_state,address_zip,address_zip_check,allow_redisplay,brand,country,"
        "currency,cvc_check,description,dynamic_last4,fingerprint,funding,iin,issuer,last4,name,object,"
        "regulated_status,status,tokenization_method"
    ),
    "charge": (
        "bigint:amount,amount_captured,amount_refunded,application_fee_amount boolean:captured,disputed,livemode,paid,"
        "refunded customer:customer embedded:source id:application,application_fee,balance_transaction,"
        "failure_balance_transaction,on_behalf_of,payment_intent,review,source_transfer,transfer moment:created "
        "object:billing_details,fraud_details,level3,metadata,outcome,payment_method_details,presentment_details,"
        "radar_options,refunds,shipping,transfer_data text:authorization_code,calculated_statement_descriptor,currency,"
        "description,failure_code,failure_message,object,payment_method,receipt_email,receipt_number,receipt_url,"
        "statement_descriptor,statement_descriptor_suffix,status,transfer_group"
    ),
    "confirmation_token": (
        "boolean:livemode,use_stripe_sdk moment:created,expires_at object:mandate_data,metadata,payment_method_options,"
        "payment_method_preview,shipping text:object,payment_intent,return_url,setup_future_usage,setup_intent"
    ),
    "connect_collection_transfer": "bigint:amount boolean:livemode id:destination text:currency,object",
    "country_spec": (
        "array:supported_payment_currencies,supported_payment_methods,supported_transfer_countries "
        "object:supported_bank_account_currencies,verification_fields text:default_currency,object"
    ),
    "coupon": (
        "bigint:amount_off,duration_in_months,max_redemptions,times_redeemed boolean:livemode,valid deleted:deleted "
        "moment:created,redeem_by numeric:percent_off object:applies_to,currency_options,metadata text:currency,"
        "duration,name,object"
    ),
    "credit_note": (
        "array:discount_amounts,pretax_credit_amounts,refunds,total_taxes bigint:amount,amount_shipping,"
        "discount_amount,out_of_band_amount,post_payment_amount,pre_payment_amount,subtotal,subtotal_excluding_tax,"
        "total,total_excluding_tax boolean:livemode customer:customer id:customer_balance_transaction,invoice "
        "moment:created,effective_at,voided_at object:lines,metadata,shipping_cost text:currency,customer_account,memo,"
        "number,object,pdf,reason,status,type"
    ),
    "credit_note_line_item": (
        "array:discount_amounts,pretax_credit_amounts,tax_rates,taxes bigint:amount,discount_amount,quantity,"
        "unit_amount boolean:livemode numeric:unit_amount_decimal object:metadata text:description,invoice_line_item,"
        "object,type"
    ),
    "customer": (
        "array:preferred_locales bigint:balance,next_invoice_sequence boolean:delinquent,livemode deleted:deleted "
        "embedded:discount id:default_source,test_clock moment:created object:address,cash_balance,"
        "invoice_credit_balance,invoice_settings,metadata,shipping,sources,subscriptions,tax,tax_ids "
        "text:business_name,currency,customer_account,description,email,individual_name,invoice_prefix,name,object,"
        "phone,tax_exempt"
    ),
    "customer_balance_transaction": (
        "bigint:amount,ending_balance boolean:livemode customer:customer id:checkout_session,credit_note,invoice "
        "moment:created object:metadata text:currency,customer_account,description,object,type"
    ),
    "customer_cash_balance_transaction": (
        "bigint:ending_balance,net_amount boolean:livemode customer:customer moment:created "
        "object:adjusted_for_overdraft,applied_to_payment,funded,refunded_from_payment,transferred_to_balance,"
        "unapplied_from_payment text:currency,customer_account,object,type"
    ),
    "discount": (
        "customer:customer deleted:deleted id:promotion_code moment:end,start object:source text:checkout_session,"
        "customer_account,invoice,invoice_item,object,subscription,subscription_item"
    ),
    "dispute": (
        "array:balance_transactions,enhanced_eligibility_types bigint:amount boolean:is_charge_refundable,livemode "
        "id:charge,payment_intent moment:created object:evidence,evidence_details,metadata,payment_method_details "
        "text:currency,intended_submission_method,network_reason_code,object,reason,status"
    ),
    "ephemeral_key": "boolean:livemode moment:created,expires text:object,secret",
    "exchange_rate": "object:rates text:object",
    "fee_refund": "bigint:amount id:balance_transaction,fee moment:created object:metadata text:currency,object",
    "file": "bigint:size moment:created,expires_at object:links text:filename,object,purpose,title,type,url",
    "file_link": "boolean:expired,livemode id:file moment:created,expires_at object:metadata text:object,url",
    "invoice": (
        "array:account_tax_ids,custom_fields,customer_tax_ids,default_tax_rates,discounts,total_discount_amounts,"
        "total_pretax_credit_amounts,total_taxes bigint:amount_due,amount_overpaid,amount_paid,amount_paid_off_stripe,"
        "amount_remaining,amount_shipping,attempt_count,ending_balance,post_payment_credit_notes_amount,"
        "pre_payment_credit_notes_amount,starting_balance,subtotal,subtotal_excluding_tax,total,total_excluding_tax "
        "boolean:attempted,auto_advance,livemode customer:customer deleted:deleted id:application,"
        "default_payment_method,default_source,latest_revision,on_behalf_of,test_clock "
        "moment:automatically_finalizes_at,created,due_date,effective_at,next_payment_attempt,period_end,period_start,"
        "webhooks_delivered_at object:automatic_tax,confirmation_secret,customer_address,customer_shipping,"
        "from_invoice,issuer,last_finalization_error,lines,metadata,parent,payment_settings,payments,rendering,"
        "shipping_cost,shipping_details,status_details,status_transitions,threshold_reason text:account_country,"
        "account_name,billing_reason,collection_method,currency,customer_account,customer_email,customer_name,"
        "customer_phone,customer_tax_exempt,description,footer,hosted_invoice_url,invoice_pdf,number,object,"
        "receipt_number,statement_descriptor,status"
    ),
    "invoice_payment": (
        "bigint:amount_paid,amount_requested boolean:is_default,livemode id:invoice moment:created object:payment,"
        "status_transitions text:currency,object,status"
    ),
    "invoice_rendering_template": (
        "bigint:version boolean:livemode moment:created object:metadata text:nickname,object,status"
    ),
    "invoiceitem": (
        "array:discounts,frozen_fields,invoicing_rules,tax_rates bigint:amount,net_amount,quantity "
        "boolean:discountable,livemode,proration customer:customer deleted:deleted id:invoice,test_clock moment:date "
        "numeric:quantity_decimal object:metadata,parent,period,pricing,proration_details text:currency,"
        "customer_account,description,object"
    ),
    "item": (
        "array:discounts,taxes bigint:amount_discount,amount_subtotal,amount_tax,amount_total,quantity embedded:price "
        "object:adjustable_quantity,metadata text:currency,description,object"
    ),
    "line_item": (
        "array:discount_amounts,discounts,pretax_credit_amounts,taxes bigint:amount,quantity,subtotal "
        "boolean:discountable,livemode id:subscription numeric:quantity_decimal object:metadata,parent,period,pricing "
        "text:currency,description,invoice,object"
    ),
    "mandate": (
        "boolean:livemode id:payment_method object:customer_acceptance,multi_use,payment_method_details,single_use "
        "text:object,on_behalf_of,status,type"
    ),
    "payment_attempt_record": (
        "boolean:livemode moment:created object:amount,amount_authorized,amount_canceled,amount_failed,"
        "amount_guaranteed,amount_refunded,amount_requested,customer_details,metadata,payment_method_details,"
        "processor_details,shipping_details text:application,customer_presence,description,object,payment_record,"
        "reported_by"
    ),
    "payment_intent": (
        "array:allowed_payment_method_types,excluded_payment_method_types,payment_method_types bigint:amount,"
        "amount_capturable,amount_received,application_fee_amount boolean:livemode customer:customer id:application,"
        "latest_charge,on_behalf_of,payment_method,payment_record,review,source moment:canceled_at,created "
        "object:amount_details,automatic_payment_methods,hooks,last_payment_error,managed_payments,metadata,"
        "next_action,payment_details,payment_method_configuration_details,payment_method_options,presentment_details,"
        "processing,shipping,transfer_data text:cancellation_reason,capture_method,client_secret,confirmation_method,"
        "currency,customer_account,description,object,receipt_email,setup_future_usage,statement_descriptor,"
        "statement_descriptor_suffix,status,transfer_group"
    ),
    "payment_intent_amount_details_line_item": (
        "bigint:discount_amount,quantity,unit_cost object:payment_method_options,tax text:object,product_code,"
        "product_name,unit_of_measure"
    ),
    "payment_link": (
        "array:custom_fields,optional_items,payment_method_types,shipping_options bigint:application_fee_amount "
        "boolean:active,allow_promotion_codes,livemode id:application,on_behalf_of numeric:application_fee_percent "
        "object:after_completion,automatic_tax,consent_collection,custom_text,invoice_creation,line_items,"
        "managed_payments,metadata,name_collection,payment_intent_data,payment_method_options,phone_number_collection,"
        "restrictions,shipping_address_collection,subscription_data,tax_id_collection,transfer_data "
        "text:billing_address_collection,currency,customer_creation,inactive_message,object,payment_method_collection,"
        "submit_type,url"
    ),
    "payment_method": (
        "boolean:livemode customer:customer moment:created object:acss_debit,affirm,afterpay_clearpay,alipay,alma,"
        "amazon_pay,au_becs_debit,bacs_debit,bancontact,billie,billing_details,bizum,blik,boleto,card,card_present,"
        "cashapp,crypto,custom,customer_balance,eps,fpx,giropay,grabpay,ideal,interac_present,kakao_pay,klarna,konbini,"
        "kr_card,link,mb_way,metadata,mobilepay,multibanco,naver_pay,nz_bank_account,oxxo,p24,pay_by_bank,payco,paynow,"
        "paypal,paypay,payto,pix,promptpay,radar_options,revolut_pay,samsung_pay,satispay,scalapay,sepa_debit,sequra,"
        "sofort,sunbit,swish,twint,upi,us_bank_account,wechat_pay,zip text:allow_redisplay,customer_account,object,type"
    ),
    "payment_method_configuration": (
        "boolean:active,is_default,livemode object:acss_debit,affirm,afterpay_clearpay,alipay,alma,amazon_pay,"
        "apple_pay,au_becs_debit,bacs_debit,bancontact,billie,bizum,blik,boleto,card,cartes_bancaires,cashapp,crypto,"
        "customer_balance,eps,fpx,giropay,google_pay,grabpay,ideal,jcb,kakao_pay,klarna,konbini,kr_card,link,mb_way,"
        "mobilepay,multibanco,naver_pay,nz_bank_account,oxxo,p24,pay_by_bank,payco,paynow,paypal,paypay,payto,pix,"
        "promptpay,revolut_pay,samsung_pay,satispay,scalapay,sepa_debit,sequra,sofort,sunbit,swish,twint,upi,"
        "us_bank_account,wechat_pay,zip text:application,name,object,parent"
    ),
    "payment_method_domain": (
        "boolean:enabled,livemode moment:created object:amazon_pay,apple_pay,google_pay,klarna,link,paypal "
        "text:domain_name,object"
    ),
    "payment_record": (
        "boolean:livemode moment:created object:amount,amount_authorized,amount_canceled,amount_failed,"
        "amount_guaranteed,amount_refunded,amount_requested,customer_details,metadata,payment_method_details,"
        "processor_details,shipping_details text:application,customer_presence,description,"
        "latest_payment_attempt_record,object,reported_by"
    ),
    "payout": (
        "bigint:amount,application_fee_amount boolean:automatic,livemode id:application_fee,balance_transaction,"
        "destination,failure_balance_transaction,original_payout,reversed_by moment:arrival_date,created "
        "object:metadata,trace_id text:currency,description,failure_code,failure_message,method,object,payout_method,"
        "reconciliation_status,source_type,statement_descriptor,status,type"
    ),
    "person": (
        "array:full_name_aliases boolean:id_number_provided,id_number_secondary_provided,ssn_last_4_provided "
        "deleted:deleted moment:created object:additional_tos_acceptances,address,address_kana,address_kanji,dob,"
        "future_requirements,metadata,registered_address,relationship,requirements,us_cfpb_data,verification "
        "text:account,email,first_name,first_name_kana,first_name_kanji,gender,last_name,last_name_kana,"
        "last_name_kanji,maiden_name,nationality,object,phone,political_exposure"
    ),
    "plan": (
        "array:tiers bigint:amount,interval_count,trial_period_days boolean:active,livemode deleted:deleted id:product "
        "moment:created numeric:amount_decimal object:metadata,transform_usage text:billing_scheme,currency,interval,"
        "meter,nickname,object,tiers_mode,usage_type"
    ),
    "price": (
        "array:tiers bigint:unit_amount boolean:active,livemode deleted:deleted id:product moment:created "
        "numeric:unit_amount_decimal object:currency_options,custom_unit_amount,metadata,recurring,transform_quantity "
        "text:billing_scheme,currency,lookup_key,nickname,object,tax_behavior,tiers_mode,type"
    ),
    "price.tiers": "bigint:flat_amount,unit_amount,up_to numeric:flat_amount_decimal,unit_amount_decimal",
    "product": (
        "array:images,marketing_features boolean:active,livemode,shippable deleted:deleted id:default_price,tax_code "
        "moment:created,updated object:metadata,package_dimensions,tax_details text:description,name,object,"
        "statement_descriptor,type,unit_label,url"
    ),
    "product_feature": "boolean:livemode deleted:deleted embedded:entitlement_feature text:object",
    "promotion_code": (
        "bigint:max_redemptions,times_redeemed boolean:active,livemode customer:customer moment:created,expires_at "
        "object:metadata,promotion,restrictions text:code,customer_account,object"
    ),
    "quote": (
        "array:default_tax_rates,discounts bigint:amount_subtotal,amount_total,application_fee_amount boolean:livemode "
        "customer:customer id:application,invoice,on_behalf_of,subscription,subscription_schedule,test_clock "
        "moment:created,expires_at numeric:application_fee_percent object:automatic_tax,computed,from_quote,"
        "invoice_settings,line_items,metadata,status_transitions,subscription_data,total_details,transfer_data "
        "text:collection_method,currency,customer_account,description,footer,header,number,object,status"
    ),
    "refund": (
        "bigint:amount customer:customer id:balance_transaction,charge,failure_balance_transaction,payment_intent,"
        "payment_method,source_transfer_reversal,transfer_reversal moment:created object:destination_details,metadata,"
        "next_action,presentment_details text:currency,customer_account,description,failure_reason,instructions_email,"
        "object,pending_reason,reason,receipt_number,status"
    ),
    "reserve_transaction": "bigint:amount text:currency,description,object",
    "review": (
        "boolean:livemode,open id:charge,payment_intent moment:created object:ip_address_location,session "
        "text:billing_zip,closed_reason,ip_address,object,opened_reason,reason"
    ),
    "scheduled_query_run": (
        "boolean:livemode embedded:file moment:created,data_load_time,result_available_until object:error text:object,"
        "sql,status,title"
    ),
    "setup_attempt": (
        "array:flow_directions boolean:attach_to_self,livemode customer:customer id:application,on_behalf_of,"
        "payment_method,setup_intent moment:created object:payment_method_details,setup_error text:customer_account,"
        "object,status,usage"
    ),
    "setup_intent": (
        "array:allowed_payment_method_types,excluded_payment_method_types,flow_directions,payment_method_types "
        "boolean:attach_to_self,livemode customer:customer id:application,latest_attempt,mandate,on_behalf_of,"
        "payment_method,single_use_mandate moment:created object:automatic_payment_methods,last_setup_error,"
        "managed_payments,metadata,next_action,payment_method_configuration_details,payment_method_options "
        "text:cancellation_reason,client_secret,customer_account,description,object,status,usage"
    ),
    "shipping_rate": (
        "boolean:active,livemode id:tax_code moment:created object:delivery_estimate,fixed_amount,metadata "
        "text:display_name,object,tax_behavior,type"
    ),
    "source": (
        "bigint:amount boolean:livemode customer:customer moment:created object:ach_credit_transfer,ach_debit,"
        "acss_debit,alipay,au_becs_debit,bancontact,card,card_present,code_verification,eps,giropay,ideal,klarna,"
        "metadata,multibanco,owner,p24,receiver,redirect,sepa_credit_transfer,sepa_debit,sofort,source_order,"
        "three_d_secure,wechat text:allow_redisplay,client_secret,currency,flow,object,statement_descriptor,status,"
        "type,usage"
    ),
    "source_mandate_notification": (
        "bigint:amount boolean:livemode embedded:source moment:created object:acss_debit,bacs_debit,sepa_debit "
        "text:object,reason,status,type"
    ),
    "source_transaction": (
        "bigint:amount boolean:livemode moment:created object:ach_credit_transfer,chf_credit_transfer,"
        "gbp_credit_transfer,paper_check,sepa_credit_transfer text:currency,object,source,status,type"
    ),
    "subscription": (
        "array:billing_schedules,default_tax_rates,discounts bigint:days_until_due boolean:cancel_at_period_end,"
        "livemode customer:customer id:application,default_payment_method,default_source,latest_invoice,on_behalf_of,"
        "pending_setup_intent,schedule,test_clock moment:billing_cycle_anchor,cancel_at,canceled_at,created,ended_at,"
        "next_pending_invoice_item_invoice,start_date,trial_end,trial_start numeric:application_fee_percent "
        "object:automatic_tax,billing_cycle_anchor_config,billing_mode,billing_thresholds,cancellation_details,"
        "invoice_settings,items,managed_payments,metadata,pause_collection,payment_settings,"
        "pending_invoice_item_interval,pending_update,presentment_details,status_details,transfer_data,trial_settings "
        "text:collection_method,currency,customer_account,description,object,status"
    ),
    "subscription_item": (
        "array:discounts,tax_rates bigint:quantity deleted:deleted embedded:plan,price moment:billed_until,created,"
        "current_period_end,current_period_start object:billing_thresholds,current_trial,metadata text:object,"
        "subscription"
    ),
    "subscription_schedule": (
        "array:pause_schedules,phases boolean:livemode customer:customer id:application,subscription,test_clock "
        "moment:canceled_at,completed_at,created,released_at object:billing_mode,current_phase,default_settings,"
        "metadata text:customer_account,end_behavior,object,released_subscription,status"
    ),
    "subscription_schedule.phases": (
        "array:add_invoice_items,default_tax_rates,discounts,items boolean:trial id:default_payment_method,"
        "on_behalf_of moment:end_date,start_date,trial_end numeric:application_fee_percent object:automatic_tax,"
        "billing_thresholds,invoice_settings,metadata,transfer_data text:billing_cycle_anchor,collection_method,"
        "currency,description,proration_behavior"
    ),
    "tax_code": "object:requirements text:description,name,object",
    "tax_deducted_at_source": "moment:period_end,period_start text:object,tax_deduction_account_number",
    "tax_id": (
        "boolean:livemode customer:customer deleted:deleted moment:created object:owner,verification text:country,"
        "customer_account,object,type,value"
    ),
    "tax_rate": (
        "boolean:active,inclusive,livemode moment:created numeric:effective_percentage,percentage object:flat_amount,"
        "metadata text:country,description,display_name,jurisdiction,jurisdiction_level,object,rate_type,state,tax_type"
    ),
    "token": "boolean:livemode,used embedded:bank_account,card moment:created text:client_ip,object,type",
    "topup": (
        "bigint:amount boolean:livemode embedded:source id:balance_transaction,payment_method moment:created,"
        "expected_availability_date object:metadata,payment_method_options text:currency,description,failure_code,"
        "failure_message,initiated_by,object,statement_descriptor,status,transfer_group"
    ),
    "transfer": (
        "bigint:amount,amount_reversed boolean:livemode,reversed id:balance_transaction,destination,"
        "destination_payment,source_transaction moment:created object:metadata,reversals text:currency,description,"
        "object,source_type,transfer_group"
    ),
    "transfer_reversal": (
        "bigint:amount id:balance_transaction,destination_payment_refund,source_refund,transfer moment:created "
        "object:metadata text:currency,object"
    ),
    "webhook_endpoint": (
        "array:enabled_events boolean:livemode deleted:deleted moment:created object:metadata text:api_version,"
        "application,description,object,secret,status,url"
    ),
}
