"""The currencies that Stripe takes."""

from __future__ import annotations

from typing import Final

from trueup.sandbox.wire.errors import invalid

CURRENCIES: Final = tuple(
    "usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd "
    "cad cdf chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd "
    "hkd hnl hrk htg huf idr ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl "
    "mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr "
    "pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle sos srd std szl thb tjs tnd top try ttd twd "
    "tzs uah ugx uyu uzs vnd vuv wst xaf xcd xof xpf yer zar zmw usdc btn ghs eek lvl svc vef ltl sll mro".split()
)
"""Source: https://docs.stripe.com/currencies, in the order of Stripe's own error message."""

_KNOWN: Final = frozenset(CURRENCIES)


def currency_of(value: str, *, param: str = "currency") -> str:
    """The code in lower case. Raises Stripe's 400 for one that it does not take."""
    code = value.lower()
    if code not in _KNOWN:
        message = f"Invalid currency: {code}. Stripe currently supports these currencies: {', '.join(CURRENCIES)}"
        raise invalid(message, param=param)
    return code
