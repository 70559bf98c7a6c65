"""How one customer's MRR moved: new, reactivation, expansion, contraction, churn.

A movement is always what is after less what was before, so the movements of a customer add up to its MRR.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise
from typing import Any, Final, NamedTuple

from trueup.customer.rules.mrr.policy import pause_reason
from trueup.kernel.records import Record

_FAILED: Final = frozenset({"payment_failed", "payment_disputed"})
_OWING: Final = frozenset({"past_due", "unpaid"})
_PAUSED_FOR_FAILURE: Final = frozenset({"first_payment_failure", "final_payment_failure"})


class Type(StrEnum):
    """The kinds of movement. A pause and what follows it are a contraction and an expansion: the customer stays."""

    NEW = "new"
    REACTIVATION = "reactivation"
    EXPANSION = "expansion"
    CONTRACTION = "contraction"
    CHURN = "churn"


class Reason(StrEnum):
    """Why a movement happened, where its type does not say."""

    PAUSE = "pause"
    RESUME = "resume"
    VOLUNTARY = "voluntary"
    INVOLUNTARY = "involuntary"


class Standing(NamedTuple):
    """What a customer brings in from ``at`` on, in minor units per month.

    ``paused``: something that brought MRR before is only interrupted. ``involuntary``: what ended last did so because
    payments failed, see ``is_involuntary``.
    """

    at: int
    mrr: Fraction
    paused: bool
    involuntary: bool


class Movement(Record, frozen=True):
    """One change of a customer's MRR: ``amount`` in minor units per month, 0 for one who leaves out of a pause."""

    type: Type
    amount: Fraction
    at: int
    """Unix seconds."""
    reason: Reason | None = None


class _Life(StrEnum):
    NEVER = "never"
    PAYING = "paying"
    PAUSED = "paused"
    GONE = "gone"


def movements(standings: Sequence[Standing], *, coalesce: int) -> list[Movement]:
    """The movements of one customer, from its standings in the order of time.

    Changes within ``coalesce`` seconds of the first of them are one movement, at the moment of the last: a plan that is
    swapped by a new subscription is neither churn nor new.
    """
    found: list[Movement] = []
    life, before = _Life.NEVER, Fraction(0)
    for standing in _merged(standings, coalesce):
        after = _life(life, standing)
        movement = _between(life, after, standing.mrr - before, standing)
        if movement is not None:
            found.append(movement)
        life, before = after, standing.mrr
    return found


def is_involuntary(versions: Sequence[dict[str, Any]]) -> bool:
    """Whether a subscription that no longer counts was lost to failed payments, from its versions in order of time.

    Stripe's reason decides (``payment_failed``, ``payment_disputed``); without one, whether a payment was owed or had
    failed just before. One that the customer asked to end is voluntary, past due or not. It must have a version.
    Source: https://docs.stripe.com/api/subscriptions/object#subscription_object-cancellation_details-reason
    """
    last = versions[-1]
    told = last.get("cancellation_details")
    reason = told.get("reason") if type(told) is dict else None
    if last.get("status") != "canceled":
        return last.get("status") in _OWING or pause_reason(last) == "final_payment_failure"
    if reason is not None:
        return reason in _FAILED
    before = next((version for version in reversed(versions) if version.get("status") != "canceled"), None)
    return before is not None and (before.get("status") in _OWING or pause_reason(before) in _PAUSED_FOR_FAILURE)


def _merged(standings: Sequence[Standing], coalesce: int) -> list[Standing]:
    """The last standing of each run of changes; what changes nothing is left out."""
    start = Standing(0, Fraction(0), paused=False, involuntary=False)
    changed = [after for before, after in pairwise((start, *standings)) if after[1:3] != before[1:3]]
    merged: list[Standing] = []
    began: int | None = None
    for standing in changed:
        if began is not None and standing.at - began <= coalesce:
            merged[-1] = standing
        else:
            merged.append(standing)
            began = standing.at
    return merged


def _life(life: _Life, standing: Standing) -> _Life:
    if standing.mrr:
        return _Life.PAYING
    if life in {_Life.NEVER, _Life.GONE}:
        return life
    return _Life.PAUSED if standing.paused else _Life.GONE


def _between(life: _Life, after: _Life, amount: Fraction, standing: Standing) -> Movement | None:
    lost = Reason.INVOLUNTARY if standing.involuntary else Reason.VOLUNTARY
    if after is _Life.GONE and life is not _Life.GONE:
        return Movement(type=Type.CHURN, amount=amount, at=standing.at, reason=lost)
    if not amount:
        return None
    types: dict[_Life, tuple[Type, Reason | None]] = {
        _Life.NEVER: (Type.NEW, None),
        _Life.GONE: (Type.REACTIVATION, None),
        _Life.PAUSED: (Type.EXPANSION, Reason.RESUME),
        _Life.PAYING: (Type.EXPANSION if amount > 0 else Type.CONTRACTION, None),
    }
    kind, reason = types[life]
    if after is _Life.PAUSED:
        reason = Reason.PAUSE
    return Movement(type=kind, amount=amount, at=standing.at, reason=reason)
