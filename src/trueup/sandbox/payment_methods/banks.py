"""Stripe's test bank accounts and what they do.

Source: https://docs.stripe.com/testing#non-card-payments
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from trueup.kernel.records import Record
from trueup.sandbox.assumptions import BANK_DEBIT_DELAYED_SECONDS, BANK_DEBIT_SECONDS
from trueup.sandbox.payment_methods.behaviours import Behaviour
from trueup.sandbox.payment_methods.declines import bank_debit


class Account(Record, frozen=True):
    """What is seen of a test bank account, and the name of what it does."""

    last4: str
    behaviour: str
    country: str = "US"
    bank_code: str = ""


def _fails(name: str, code: str, message: str, *, delayed: bool = False) -> Behaviour:
    seconds = BANK_DEBIT_DELAYED_SECONDS if delayed else BANK_DEBIT_SECONDS
    return Behaviour(name=name, decline=bank_debit(code, message), settles=seconds)


BANK_BEHAVIOURS: Final = (
    Behaviour(name="debit", settles=BANK_DEBIT_SECONDS),
    Behaviour(name="debit_delayed", settles=BANK_DEBIT_DELAYED_SECONDS),
    Behaviour(name="debit_processing", settles=BANK_DEBIT_SECONDS, never=True),
    Behaviour(name="debit_dispute", settles=BANK_DEBIT_SECONDS, dispute="debit_not_authorized"),
    _fails("debit_account_closed", "account_closed", "The customer's bank account has been closed."),
    _fails("debit_no_account", "no_account", "The customer's bank account could not be located."),
    _fails(
        "debit_insufficient_funds",
        "insufficient_funds",
        "The customer's account has insufficient funds to cover this payment.",
    ),
    _fails(
        "debit_not_authorized",
        "debit_not_authorized",
        "The customer has notified their bank that this payment was unauthorized.",
    ),
    _fails(
        "debit_invalid_currency",
        "invalid_currency",
        "The bank was unable to process this payment because of its currency.",
    ),
    _fails("debit_fails", "insufficient_funds", "The customer's account has insufficient funds to cover this payment."),
    _fails(
        "debit_fails_delayed",
        "insufficient_funds",
        "The customer's account has insufficient funds to cover this payment.",
        delayed=True,
    ),
)

US_ACCOUNTS: Final[Mapping[str, Account]] = {
    number: Account(last4=number[-4:], behaviour=behaviour)
    for number, behaviour in {
        "000123456789": "debit",
        "000111111113": "debit_account_closed",
        "000111111116": "debit_no_account",
        "000222222227": "debit_insufficient_funds",
        "000333333335": "debit_not_authorized",
        "000444444440": "debit_invalid_currency",
        "000555555559": "debit_dispute",
        "000000000009": "debit_processing",
        "900123456789": "debit_delayed",
        "000000004954": "blocked",
    }.items()
}
US_NAMES: Final[Mapping[str, str]] = {
    "success": "000123456789",
    "accountClosed": "000111111113",
    "noAccount": "000111111116",
    "insufficientFunds": "000222222227",
    "debitNotAuthorized": "000333333335",
    "invalidCurrency": "000444444440",
    "dispute": "000555555559",
    "processing": "000000000009",
    "riskLevelHighest": "000000004954",
}
"""What follows ``pm_usBankAccount_``."""

IBANS: Final[Mapping[str, Account]] = {
    iban: Account(last4=iban[-4:], behaviour=behaviour, country=iban[:2], bank_code=bank_code)
    for iban, behaviour, bank_code in (
        ("AT611904300234573201", "debit", "19043"),
        ("AT321904300235473204", "debit_delayed", "19043"),
        ("AT861904300235473202", "debit_fails", "19043"),
        ("AT051904300235473205", "debit_fails_delayed", "19043"),
        ("AT591904300235473203", "debit_dispute", "19043"),
        ("DE89370400440532013000", "debit", "37040044"),
        ("DE08370400440532013003", "debit_delayed", "37040044"),
        ("DE62370400440532013001", "debit_fails", "37040044"),
        ("DE78370400440532013004", "debit_fails_delayed", "37040044"),
        ("DE35370400440532013002", "debit_dispute", "37040044"),
        ("FR1420041010050500013M02606", "debit", "20041"),
        ("NL39RABO0300065264", "debit", "RABO"),
        ("ES0700120345030000067890", "debit", "0012"),
        ("IT40S0542811101000000123456", "debit", "05428"),
        ("IE29AIBK93115212345678", "debit", "AIBK"),
        ("BE62510007547061", "debit", "510"),
    )
}
SEPA_NAMES: Final[Mapping[str, str]] = {
    "success": "AT611904300234573201",
    "successDelayed": "AT321904300235473204",
    "failed": "AT861904300235473202",
    "failedDelayed": "AT051904300235473205",
    "disputed": "AT591904300235473203",
    "success_at": "AT611904300234573201",
    "success_de": "DE89370400440532013000",
    "failed_de": "DE62370400440532013001",
    "success_fr": "FR1420041010050500013M02606",
}
"""What follows ``pm_sepaDebit_``."""
