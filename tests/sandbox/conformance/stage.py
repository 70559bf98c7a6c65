"""A sandbox in which a recorded test is played again until one step's turn comes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import orjson

from tests.sandbox.conformance import account
from tests.sandbox.conformance.comparing import Names
from tests.sandbox.conformance.looks import LOOKS
from tests.sandbox.conformance.modern import Pairs, modern
from tests.sandbox.conformance.recordings import Json, Step
from tests.sandbox.conformance.scripts import script_of
from trueup.sandbox.server.engine import Engine
from trueup.sandbox.server.requests import Answer, Request

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
_TO_ATTACH: Final = "/v1/payment_methods/{payment_method}/attach"
_NUMBERS: Final = {"1117": "6011111111111117", "3184": "4000002760003184", "4242": "4242424242424242"}
"""Cards that were attached under an id of their own, by the digits that are shown."""

_MAKES: Final = {
    "/v1/customers": ("customer",),
    "/v1/invoices": ("invoice",),
    "/v1/payment_intents": ("payment_intent", "charge"),
    "/v1/subscriptions": ("subscription", "subscription_item"),
    "attach": ("payment_method",),
}
"""Which kinds of object a request makes, by its path or the last part of it."""

_BEGIN: Final = 1_762_799_000
_BETWEEN: Final = 4
"""Seconds between a subscription and what became of it: about what passed in the recordings."""

_MONTH: Final = 30 * 86_400
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
        script = script_of(self.step.script, self.step.version)
        if self.step.method == "GET":
            self._play_until_found(script)
            if self.step.answer.get("balance_transaction", True) is not None:
                self._pass(_SETTLING)
        else:
            self._play_until_asked(script)
        path, params = modern(self.step.path, self.step.params, self.step.version)
        ours = [(name, self._filled(self._ours(value))) for name, value in params]
        answer = self._ask(self.step.method, self._ours(path), ours)
        return answer.status, orjson.loads(answer.body)

    # --- what has to be there ----------------------------------------------------------------------------------------

    def _catalogue(self) -> None:
        for form in account.PRODUCTS:
            self._make("/v1/products", form)
        for form in account.COUPONS:
            self._make("/v1/coupons", form)
        texts = {str(one.get("description")) for one in objects(self.step.answer)}
        if not any(map(account.BEFORE_UNIT.match, texts)):
            self._make(*account.UNIT)
        shown = {one["id"]: one for one in objects(self.step.answer) if one.get("object") == "price"}
        for recorded, form in account.PRICES.items():
            behavior = shown.get(recorded, {}).get("tax_behavior", "unspecified")
            price = self._make("/v1/prices", f"currency=usd&tax_behavior={behavior}&{form}")
            self.names.bind(recorded, price["id"])

    def _play_until_asked(self, script: Sequence[str]) -> None:
        for before in script[: self._turn(script)]:
            self._line(before)
        if shape(self.step.path) == _TO_ATTACH:
            self._line(_card(self.step.answer))
        self._wait_before(self.step.path, _changed(self.step.answer))

    def _turn(self, script: Sequence[str]) -> int:
        """Where the step stands in the script: at its own request, at one like it, or once all it names is there."""
        wanted = self._print(self.step.method, self.step.path, self.step.params)
        prints = [self._print(*_read(line)) for line in script]
        if wanted in prints:
            return prints.index(wanted)
        if wanted[:2] in [one[:2] for one in prints]:
            return [one[:2] for one in prints].index(wanted[:2])
        named = " ".join([self.step.path, *(value for _, value in self.step.params)])
        needed = {_KINDS[found[1]] for found in _ID.finditer(named)}
        if wanted[1] == _TO_ATTACH:
            needed.remove("payment_method")
        made = [_MAKES.get(path) or _MAKES.get(path.rpartition("/")[2], ()) for _, path, _ in prints]
        turns = [next((at + 1 for at, kinds in enumerate(made) if kind in kinds), None) for kind in needed]
        if None in turns:
            raise Underivable(f"nothing says how what {self.step.method} {shape(self.step.path)} names was made")
        return max((turn for turn in turns if turn is not None), default=0)

    def _play_until_found(self, script: Sequence[str]) -> None:
        kind = shape(self.step.path).split("/")[2]
        if self.step.status != 200 or (look := LOOKS.get(kind)) is None:
            return
        for line in script:
            self._line(line)
            if look(self):
                return
        raise Stumbled(f"nothing was made that looks like what {shape(self.step.path)} shows")

    def _line(self, line: str) -> None:
        method, path, params = _read(line)
        if (method, path) == ("POST", "/v1/customers"):
            params = _customer(self.step.answer) or params
        params = [(name, _paused(self.step.answer, value)) for name, value in params]
        path, params = modern(path, params, self.step.version)
        params = [(name, self._filled(self.names.ours.get(value, value))) for name, value in params]
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

    def _print(self, method: str, path: str, params: Pairs) -> tuple[str, str, frozenset[str]]:
        """What two requests have in common that ask for the same."""
        path, pairs = modern(path, params, self.step.version)
        kept = {name if value else f"{name}=" for name, value in pairs if not name.startswith(("expand", "return_url"))}
        return method, shape(path), frozenset(kept)

    def _filled(self, text: str) -> str:
        return re.sub(r"\{(\w+)\}", lambda found: self._latest.get(found[1], found[0]), text)

    def _ours(self, text: str) -> str:
        """A path or a parameter with our ids for the recorded ones: those that stand for them, or the latest."""
        named = text.rpartition("/")
        if named[2] in self.names.ours:
            return "".join(named[:2]) + self.names.ours[named[2]]

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


def _customer(answer: Json) -> list[tuple[str, str]]:
    """The form that made the customer whom an answer shows, or whose invoice; empty where it shows neither."""
    for one in objects(answer):
        prefix = {"customer": "", "invoice": "customer_"}.get(one.get("object", ""))
        if prefix is not None and f"{prefix}email" in one:
            return [(name, one.get(f"{prefix}{name}") or "") for name in ("email", "name")]
    return []


def _paused(answer: Json, value: str) -> str:
    """How, and until when, an answer shows that collection is paused, where a script leaves that open."""
    paused = answer.get("pause_collection") or {"behavior": "void", "resumes_at": _created(answer) + _MONTH}
    return str(paused[value[1:-1]]) if value in {"{behavior}", "{resumes_at}"} else value


def _card(answer: Json) -> str:
    """The request that made a card which is attached under an id of its own."""
    card = answer["card"]
    return (
        f"POST /v1/payment_methods type=card&card[number]={_NUMBERS[card['last4']]}&card[cvc]=123"
        f"&card[exp_month]={card['exp_month']}&card[exp_year]={card['exp_year']}"
        f"&billing_details[name]={answer['billing_details']['name']}"
    )


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
