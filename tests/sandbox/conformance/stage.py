"""A sandbox in which a recorded test is played again until one step's turn comes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import orjson

from tests.sandbox.conformance import account
from tests.sandbox.conformance.comparing import Names
from tests.sandbox.conformance.recordings import Json, Step
from tests.sandbox.conformance.scripts import SCRIPTS
from trueup.sandbox.server.engine import Engine
from trueup.sandbox.server.requests import Answer, Request

Pairs = Sequence[tuple[str, str]]

_KINDS: Final = {
    "ch": "charge",
    "cus": "customer",
    "in": "invoice",
    "pi": "payment_intent",
    "pm": "payment_method",
    "si": "subscription_item",
    "sub": "subscription",
}
_ID: Final = re.compile(r"\b(" + "|".join(_KINDS) + r")_[A-Za-z0-9]{8,}\b")
_FLEXIBLE_SINCE: Final = "2025-09-30"
"""From this version on new subscriptions are of billing mode ``flexible``, before it they were ``classic``."""

_BEGIN: Final = 1_762_799_000
_BETWEEN: Final = 4
"""Seconds between a subscription and what became of it: about what passed in the recordings."""

_SETTLING: Final = 30
"""Seconds between a payment and a look at it."""


class Underivable(Exception):
    """What a step needs cannot be told from the recordings."""


class Stumbled(Exception):
    """The sandbox refused, or did not do, what Stripe did before the step."""


class Stage:
    """One sandbox for one step. ``names`` says which of its objects stand for the recorded ones."""

    def __init__(self, step: Step) -> None:
        self.step = step
        self.names = Names()
        self.engine = Engine(start=_created(step.answer))
        self._latest: dict[str, str] = {}
        account.name(self.engine)
        self._catalogue()

    def answer(self) -> tuple[int, Json]:
        """The status and the body of what the sandbox answers to the step, after all that came before it.

        Raises ``Underivable`` and ``Stumbled``.
        """
        script = SCRIPTS.get(self.step.script)
        if script is None:
            raise Underivable("no script: what the test did is not recorded")
        if self.step.method == "GET":
            self._play_until_found(script)
            if self.step.answer.get("balance_transaction", True) is not None:
                self._pass(_SETTLING)
            params = [(name, self._ours(value)) for name, value in self.step.params]
        else:
            self._play_until_asked(script)
            recorded = [(name, self._ours(value)) for name, value in self.step.params]
            params = [(name, self._filled(value)) for name, value in self._modern(self.step.path, recorded)]
        answer = self._ask(self.step.method, self._ours(self.step.path), params)
        return answer.status, orjson.loads(answer.body)

    # --- what has to be there ----------------------------------------------------------------------------------------

    def _catalogue(self) -> None:
        for form in account.PRODUCTS:
            self._make("/v1/products", form)
        for form in account.COUPONS:
            self._make("/v1/coupons", form)
        shown = {one["id"]: one for one in objects(self.step.answer) if one.get("object") == "price"}
        for recorded, form in account.PRICES.items():
            behavior = shown.get(recorded, {}).get("tax_behavior", "unspecified")
            price = self._make("/v1/prices", f"currency=usd&tax_behavior={behavior}&{form}")
            self.names.bind(recorded, price["id"])

    def _play_until_asked(self, script: Sequence[str]) -> None:
        wanted = self._print(self.step.method, self.step.path, self.step.params)
        for at, line in enumerate(script):
            if self._print(*_read(line)) == wanted:
                for before in script[:at]:
                    self._line(before)
                self._wait_before(self.step.path, _changed(self.step.answer))
                return
        raise Underivable(f"its script has no request like {self.step.method} {shape(self.step.path)}")

    def _play_until_found(self, script: Sequence[str]) -> None:
        kind = shape(self.step.path).split("/")[2]
        look = _LOOKS.get(kind)
        if look is None:
            raise Underivable(f"nothing says how to find what {shape(self.step.path)} shows")
        for line in script:
            self._line(line)
            if look(self):
                return
        raise Stumbled(f"nothing was made that looks like what {shape(self.step.path)} shows")

    def _line(self, line: str) -> None:
        method, path, params = _read(line)
        params = [(name, self._filled(self.names.ours.get(value, value))) for name, value in self._modern(path, params)]
        self._wait_before(path, None)
        path = self._filled(path)
        answer = self._ask(method, path, params)
        made = orjson.loads(answer.body)
        if answer.status != 200:
            raise Stumbled(f"{method} {shape(path)}: {answer.status} {made['error'].get('message')}")
        self._remember(made)

    def _remember(self, made: Json) -> None:
        self._latest[made["object"]] = made["id"]
        if made["object"] == "subscription":
            self._latest["subscription_item"] = made["items"]["data"][0]["id"]
            self._latest["invoice"] = made["latest_invoice"]
        if made.get("latest_charge"):
            self._latest["charge"] = made["latest_charge"]

    def _make(self, path: str, form: str) -> Json:
        answer = self._ask("POST", path, parse_qsl(form, keep_blank_values=True))
        made: Json = orjson.loads(answer.body)
        if answer.status != 200:
            raise Stumbled(f"POST {path}: {answer.status} {made['error'].get('message')}")
        return made

    # --- time --------------------------------------------------------------------------------------------------------

    def _wait_before(self, path: str, until: int | None) -> None:
        """What changes a subscription, or pays an invoice, comes a little after it, as it did when recorded."""
        if re.match(r"/v1/(subscription|invoice)\w*/", path):
            due = self.engine.now() + _BETWEEN
            self.engine.advance(until if until is not None and until > self.engine.now() else due)

    def _pass(self, seconds: int) -> None:
        self.engine.advance(self.engine.now() + seconds)

    # --- requests ----------------------------------------------------------------------------------------------------

    def _ask(self, method: str, path: str, params: Pairs) -> Answer:
        encoded = urlencode(params)
        return self.engine.answer(
            Request(
                method=method,
                path=path,
                query="" if method == "POST" else encoded,
                body=encoded.encode() if method == "POST" else b"",
                headers={"authorization": "Bearer sk_test_recorded"},
            )
        )

    def listed(self, path: str) -> list[Json]:
        """Everything that a list of the sandbox has, newest first."""
        found: list[Json] = orjson.loads(self._ask("GET", path, [("limit", "100")]).body).get("data", [])
        return found

    def shown(self, kind: str) -> Json:
        """The object of a kind that was made last; an empty one where there is none."""
        if kind not in self._latest:
            return {}
        shown: Json = orjson.loads(self._ask("GET", f"/v1/{kind}s/{self._latest[kind]}", []).body)
        return shown

    def _modern(self, path: str, params: Pairs) -> list[tuple[str, str]]:
        """The parameters as the newest API version has them (upcaster.md A.9, and plans that became prices)."""
        modern: list[tuple[str, str]] = []
        for name, value in params:
            if name == "plan":
                modern += [("items[0][id]", "{subscription_item}"), ("items[0][price]", value)]
            elif name == "quantity" and path.startswith("/v1/subscriptions"):
                modern.append(("items[0][quantity]", value))
            elif name == "billing_cycle_anchor":
                modern.append(("billing_cycle_anchor[type]", value))
            else:
                modern.append((name.replace("[plan]", "[price]"), value))
        if path == "/v1/subscriptions" and self.step.version < _FLEXIBLE_SINCE:
            modern.append(("billing_mode[type]", "classic"))
        return modern

    def _print(self, method: str, path: str, params: Pairs) -> tuple[str, str, frozenset[str]]:
        """What two requests have in common that ask for the same."""
        pairs = self._modern(path, params)
        kept = {name if value else f"{name}=" for name, value in pairs if not name.startswith(("expand", "return_url"))}
        return method, shape(path), frozenset(kept)

    def _filled(self, text: str) -> str:
        return re.sub(r"\{(\w+)\}", lambda found: self._latest.get(found[1], found[0]), text)

    def _ours(self, text: str) -> str:
        """A path or a parameter with our ids for the recorded ones: those that stand for them, or the latest."""
        if text in self.names.ours:
            return self.names.ours[text]

        def ours(found: re.Match[str]) -> str:
            recorded, latest = found[0], self._latest.get(_KINDS[found[1]])
            if recorded not in self.names.ours and latest is not None:
                self.names.bind(recorded, latest)
            return self.names.ours.get(recorded, recorded)

        return _ID.sub(ours, text)

    # --- what a look is for ------------------------------------------------------------------------------------------

    def bind(self, recorded: str, ours: str | None) -> bool:
        """Let one of our objects stand for the recorded one, where there is one."""
        if ours is not None:
            self.names.bind(recorded, ours)
        return ours is not None

    @property
    def asked(self) -> str:
        """The recorded id in the step's path."""
        return self.step.path.rpartition("/")[2]


def _look_for_customer(stage: Stage) -> bool:
    customer, recorded = stage.shown("customer"), stage.step.answer
    if not customer or _has_default(customer) != _has_default(recorded) or customer["currency"] != recorded["currency"]:
        return False
    return stage.bind(stage.asked, customer["id"])


def _has_default(customer: Json) -> bool:
    return customer["invoice_settings"]["default_payment_method"] is not None


def _look_for_subscription(stage: Stage) -> bool:
    subscription = stage.shown("subscription")
    if not subscription or _quantities(subscription) != _quantities(stage.step.answer):
        return False
    return stage.bind(stage.asked, subscription["id"])


def _quantities(subscription: Json) -> list[int]:
    return [item["quantity"] for item in subscription["items"]["data"]]


def _look_for_payment(stage: Stage) -> bool:
    kind, recorded = stage.step.path.split("/")[2], stage.step.answer
    wanted = {name: recorded[name] for name in ("amount", "captured") if name in recorded}
    return stage.bind(stage.asked, _first(stage.listed(f"/v1/{kind}"), **wanted))


def _look_for_invoice(stage: Stage) -> bool:
    recorded = stage.step.answer
    found = _first(
        stage.listed("/v1/invoices"), amount_due=recorded["amount_due"], billing_reason=recorded["billing_reason"]
    )
    return stage.bind(stage.asked, found)


def _look_for_invoice_payments(stage: Stage) -> bool:
    """The payment intent that the list was asked for: the one of its amount, the latest where the list was empty."""
    asked, data = stage.step.param("payment[payment_intent]"), stage.step.answer["data"]
    wanted = {"amount": data[0]["amount_requested"]} if data else {}
    return stage.bind(asked or "", _first(stage.listed("/v1/payment_intents"), **wanted))


def _first(found: list[Json], **fields: object) -> str | None:
    return next((str(one["id"]) for one in found if fields.items() <= one.items()), None)


_LOOKS: Final[dict[str, Callable[[Stage], bool]]] = {
    "charges": _look_for_payment,
    "customers": _look_for_customer,
    "invoice_payments": _look_for_invoice_payments,
    "invoices": _look_for_invoice,
    "payment_intents": _look_for_payment,
    "subscriptions": _look_for_subscription,
}


def objects(value: Any) -> Iterator[Json]:
    """Every JSON object within a value, itself first."""
    if isinstance(value, dict):
        yield value
        for one in value.values():
            yield from objects(one)
    elif isinstance(value, list):
        for one in value:
            yield from objects(one)


def shape(path: str) -> str:
    """A path with the kinds of its ids instead of them."""
    return _ID.sub(lambda found: f"{{{_KINDS[found[1]]}}}", path)


def _read(line: str) -> tuple[str, str, list[tuple[str, str]]]:
    method, _, rest = line.partition(" ")
    path, _, form = rest.partition(" ")
    return method, path, parse_qsl(form, keep_blank_values=True)


def _created(answer: Json) -> int:
    """When the script begins: when what the step shows was made."""
    shown = [answer, *answer.get("data", [])]
    return next((int(one[name]) for one in shown for name in ("created", "date") if name in one), _BEGIN)


def _changed(answer: Json) -> int | None:
    """When the step came, where its answer tells."""
    invoice = answer.get("latest_invoice")
    if isinstance(invoice, dict) and invoice["created"] > answer["created"]:
        return int(invoice["created"])
    found = answer.get("canceled_at")
    return int(found) if found else None
