"""What goes on after the year: every few seconds somebody does something, over the sandbox's API."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from random import Random
from typing import Any, Final, TypeAlias

from trueup.kernel.errors import Refused
from trueup.sandbox import Sandbox
from trueup.sandbox.scenarios.companies import Companies
from trueup.sandbox.scenarios.life import DAY, FAILING_CARD, Life
from trueup.sandbox.scenarios.stage import Stage

Obj: TypeAlias = dict[str, Any]

NEWCOMERS: Final[dict[str, int]] = {
    "trial_converts": 8,
    "happy_monthly": 6,
    "trial_without_card": 4,
    "happy_yearly": 3,
    "lead": 3,
    "launch_coupon": 2,
    "trial_paused": 2,
    "annual_with_coupon": 1,
    "incomplete_expired": 1,
    "pays_by_invoice": 1,
    "setup_fee": 1,
    "team_tiers": 1,
}
"""How often somebody new comes by which scenario."""

_MOST_SEATS: Final = 30
_TRIES: Final = 40
_PAGE: Final = 100


class Trickle:
    """Doings by chance over the customers that a sandbox has, whoever made them.

    ``lives_seed`` is that of the year, and ``made`` how many companies came of it: new ones are others.
    """

    def __init__(self, stripe: Sandbox, *, lives_seed: str, made: int) -> None:
        self._stripe = stripe
        self._rng = Random(f"{lives_seed} {stripe.now}")  # noqa: S311 - lives, not secrets
        companies = Companies(Random(lives_seed), made=made)  # noqa: S311 - as above
        self._stage = Stage(stripe, seed=f"{lives_seed} {stripe.now}", companies=companies)
        self._customers = dict.fromkeys(_all(stripe, "/v1/customers"))
        stripe.engine.listeners.append(self._hear)

    @property
    def made(self) -> int:
        """How many companies there were ever."""
        return self._stage.companies.made

    def wait(self) -> float:
        """Seconds until the next thing happens, from three to eight."""
        return self._rng.uniform(3, 8)

    def happen(self) -> None:
        """Let one thing happen now; when there is nobody whom it could happen to, somebody new signs up.

        What the API refuses has not happened.
        """
        now = self._stripe.now
        _, fits, act = self._rng.choices(_ACTS, [weight for weight, _, _ in _ACTS])[0]
        me = self._somebody(fits, now)
        if me is not None:
            with suppress(Refused):
                act(me)
        else:
            name = self._rng.choices(list(NEWCOMERS), list(NEWCOMERS.values()))[0]
            self._stage.enter(name, now, until=now)
        self._stage.run(now)

    def _somebody(self, fits: Callable[[Life], bool], now: int) -> Life | None:
        known = list(self._customers)
        for customer in self._rng.sample(known, min(_TRIES, len(known))):
            me = Life(self._stripe, self._stage.shop, self._stage.companies, self._rng, until=now)
            with suppress(Refused):
                me.customer = me.ask("GET", f"/v1/customers/{customer}")
                listed = me.ask("GET", "/v1/subscriptions", customer=customer, limit=1)["data"]
                me.subscription = listed[0] if listed else {}
                # Those on a test clock live at another time.
                if me.subscription and not me.customer["test_clock"] and fits(me):
                    return me
        return None

    def _hear(self, told: Iterable[Any]) -> None:
        """Listens to the sandbox's events, each with its ``type`` and the id that it is ``about``."""
        for event in told:
            if event.type == "customer.created":
                self._customers[event.about] = None
            elif event.type == "customer.deleted":
                self._customers.pop(event.about, None)


def _all(stripe: Sandbox, path: str) -> list[str]:
    """The ids of a whole list, oldest first."""
    found: list[str] = []
    page = stripe.request("GET", path, {"limit": _PAGE})
    while page["data"]:
        found += [one["id"] for one in page["data"]]
        page = stripe.request("GET", path, {"limit": _PAGE, "starting_after": found[-1]})
    return found[::-1]


# --- what happens ----------------------------------------------------------------------------------------------------


def _pay_early(me: Life) -> None:
    me.change(trial_end="now")


def _switch(me: Life) -> None:
    plan, interval, currency = _plan(me)
    other, behavior = ("pro", "always_invoice") if plan == "starter" else ("starter", "none")
    item = {"id": me.item["id"], "price": me.shop.price(other, interval, currency)}
    me.change(items=[item], metadata={"plan": other}, proration_behavior=behavior)


def _change_seats(me: Life) -> None:
    _more_seats(me, me.rng.choice((-2, -1, 1, 2, 3)))


def _more_seats(me: Life, more: int) -> None:
    item = {"id": me.item["id"], "quantity": max(1, me.item["quantity"] + more)}
    me.change(items=[item], proration_behavior="always_invoice")


def _new_card(me: Life) -> None:
    me.card()


def _fail(me: Life) -> None:
    """One seat more, and the card is declined."""
    me.card(FAILING_CARD)
    _more_seats(me, 1)


def _recover(me: Life) -> None:
    me.card()
    for invoice in me.ask("GET", "/v1/invoices", subscription=me.subscription["id"], status="open")["data"]:
        me.attempt(me.ask, "POST", f"/v1/invoices/{invoice['id']}/pay")


def _dispute(me: Life) -> None:
    """One seat more, disputed at the bank; the next payment comes from another card."""
    me.card("pm_card_createDispute")
    _more_seats(me, 1)
    me.card()


def _rename(me: Life) -> None:
    me.ask("POST", f"/v1/customers/{me.customer['id']}", name=me.companies.next().name)


def _move(me: Life) -> None:
    address = {name: text for name, text in (me.customer["address"] or {}).items() if text}
    me.ask("POST", f"/v1/customers/{me.customer['id']}", address=address | {"line1": me.companies.street()})


def _refund(me: Life) -> None:
    me.refund(me.rng.choice((25, 50, 100)))


def _leave(me: Life) -> None:
    me.leave()


def _leave_now(me: Life) -> None:
    me.leave(at_end=False)


def _stay(me: Life) -> None:
    me.change(cancel_at_period_end=False)


def _pause(me: Life) -> None:
    until = me.rng.choice(({}, {"resumes_at": me.now + 30 * DAY}))
    me.change(pause_collection={"behavior": "void", **until})


def _collect_again(me: Life) -> None:
    me.change(pause_collection="")


def _resume(me: Life) -> None:
    me.card()
    me.resume()


# --- to whom ---------------------------------------------------------------------------------------------------------


def _nobody(_me: Life) -> bool:
    return False


def _has_card(me: Life) -> bool:
    return me.customer["invoice_settings"]["default_payment_method"] is not None


def _goes_on(me: Life) -> bool:
    sub = me.subscription
    return sub["status"] in {"active", "trialing"} and not sub["cancel_at"] and not sub["pause_collection"]


def _pays(me: Life) -> bool:
    return _goes_on(me) and me.subscription["status"] == "active" and _has_card(me)


def _is_small(me: Life) -> bool:
    return _pays(me) and me.item["quantity"] <= _MOST_SEATS


def _plan(me: Life) -> tuple[str, str, str]:
    """Plan, interval and currency; empty texts for a price that is not of our catalogue."""
    try:
        return me.shop.plan_of(me.item["price"]["id"])
    except StopIteration:
        return "", "", ""


def _can_upgrade(me: Life) -> bool:
    return _is_small(me) and _plan(me)[0] == "starter"


def _can_downgrade(me: Life) -> bool:
    return _pays(me) and _plan(me)[0] == "pro"


def _is_trying(me: Life) -> bool:
    return _goes_on(me) and me.subscription["status"] == "trialing" and _has_card(me)


def _is_behind(me: Life) -> bool:
    return bool(me.subscription["status"] == "past_due")


def _is_leaving(me: Life) -> bool:
    return bool(me.subscription["status"] == "active" and me.subscription["cancel_at_period_end"])


def _collects_nothing(me: Life) -> bool:
    return bool(me.subscription["status"] == "active" and me.subscription["pause_collection"])


def _waits_for_card(me: Life) -> bool:
    return bool(me.subscription["status"] == "paused")


_ACTS: Final[tuple[tuple[int, Callable[[Life], bool], Callable[[Life], object]], ...]] = (
    (12, _nobody, _stay),  # It can happen to nobody, so somebody new comes.
    (6, _is_trying, _pay_early),
    (8, _can_upgrade, _switch),
    (6, _can_downgrade, _switch),
    (22, _is_small, _change_seats),
    (6, _is_small, _fail),
    (6, _is_behind, _recover),
    (12, _pays, _new_card),
    (4, _goes_on, _rename),
    (4, _goes_on, _move),
    (4, _pays, _refund),
    (4, _goes_on, _leave),
    (4, _is_leaving, _stay),
    (2, _goes_on, _pause),
    (2, _collects_nothing, _collect_again),
    (1, _pays, _leave_now),
    (1, _waits_for_card, _resume),
    (1, _is_small, _dispute),
)
"""How often, of a hundred or so, what happens to whom; gains and losses about balance, so an hour changes little."""
