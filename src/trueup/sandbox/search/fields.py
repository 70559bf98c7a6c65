"""What each kind of object may be searched by. Source: https://docs.stripe.com/search#supported-query-fields-for-each-resource."""

from __future__ import annotations

import re
from typing import Final, Literal

from trueup.kernel.records import Record

Sort = Literal["number", "text", "token"]
"""Numbers are compared, texts matched whole or in part, tokens matched whole only."""


class Field(Record, frozen=True, kw_only=False):
    """A field of the query language: what it is, and where the object has it."""

    sort: Sort
    path: str


def _same(sort: Sort, names: str) -> dict[str, Field]:
    return {name: Field(sort, name) for name in names.split()}


FIELDS: Final[dict[str, dict[str, Field]]] = {
    "charge": {
        **_same("number", "amount created"),
        **_same("token", "billing_details.address.postal_code currency customer disputed refunded status"),
    },
    "customer": {**_same("number", "created"), **_same("text", "email name phone")},
    "invoice": {
        **_same("number", "created total"),
        **_same("token", "currency customer status"),
        **_same("text", "number receipt_number"),
        "last_finalization_error_code": Field("token", "last_finalization_error.code"),
        "last_finalization_error_type": Field("token", "last_finalization_error.type"),
        "subscription": Field("token", "parent.subscription_details.subscription"),
    },
    "payment_intent": {**_same("number", "amount created"), **_same("token", "currency customer status")},
    "price": {**_same("token", "active currency product type"), **_same("text", "lookup_key")},
    "product": {**_same("token", "active shippable"), **_same("text", "description name url")},
    "subscription": {**_same("number", "canceled_at created"), **_same("token", "status")},
}
"""By kind; ``metadata["key"]`` is a token of each."""

_DETAIL: Final = re.compile(r"payment_method_details\.[a-z_]+\.(last4|brand|fingerprint|(exp_month|exp_year))")


def field(kind: str, name: str) -> Field | None:
    """A field that a kind can be searched by, None where it cannot."""
    if kind == "charge" and (detail := _DETAIL.fullmatch(name)):
        return Field("number" if detail[2] else "token", name)
    return FIELDS[kind].get(name)
