"""A small Stripe that tells what happens in it: whole objects, and the old values of what changed.

Whoever makes a ``World`` brings the choices, so that the same lives come from a seed or from Hypothesis.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from tests.instance import Json, event
from tests.mirror.order.histories import previous_attributes

START: Final = 1_790_000_000
PAUSES: Final = (0, 0, 0, 1, 1, 2, 3_600, 86_400)
"""Seconds between two changes: ties are as common as anything else."""
VERSIONS: Final = ("2026-10-28.endive",) * 5 + ("2026-08-26.endive",)
ENDS: Final = 2_000_000_000
"""A moment that has not come."""
CURRENCIES: Final = ("usd", "eur", "jpy")
CUSTOMERS: Final = ("cus_1", "cus_2", "cus_3")
PRODUCTS: Final = ("prod_1", "prod_2")
COUPONS: Final = ("SPRING", "LOYAL")
METHODS: Final = ("pm_1", "pm_2")
STATUSES: Final = ("active", "active", "trialing", "past_due", "paused", "unpaid", "incomplete")

T = TypeVar("T")
Key = tuple[str, str]


class World:
    """Objects as they stand, and ``told``: the events about them in the order in which they happened."""

    def __init__(self, pick: Callable[[Sequence[Any]], Any], *, lost: bool = True) -> None:
        self._pick = pick
        self._lost = (False,) * 11 + (lost,)
        self.now = START
        self.objects: dict[Key, Json] = {}
        self.gone: dict[Key, Json] = {}
        self.told: list[Json] = []
        self.count = 0

    def live(self, steps: int) -> list[Json]:
        """Let that many things happen; what was told so far."""
        for _ in range(steps):
            self.now += self.pick(PAUSES)
            self.pick(self.steps())(self)
        return self.told

    def steps(self) -> Sequence[Callable[[World], None]]:
        """What may happen next."""
        return STEPS

    def pick(self, options: Sequence[T]) -> T:
        """One of them."""
        chosen: T = self._pick(options)
        return chosen

    def some(self, object_type: str, *, also_gone: bool = False) -> Key | None:
        """One of the objects of a type; None where there is none."""
        held = [*self.objects, *(self.gone if also_gone else ())]
        keys = sorted(key for key in held if key[0] == object_type)
        return self.pick(keys) if keys else None

    def make(self, kind: str, object_type: str, object_id: str, **fields: Any) -> None:
        """An object is there from now on; one that was deleted comes back as another of the same id."""
        made = {"id": object_id, "object": object_type, "created": self.now, "livemode": False} | fields
        self.objects[object_type, object_id] = made
        self.gone.pop((object_type, object_id), None)
        self._tell(kind, made)

    def change(self, kind: str, key: Key, *, previous: bool = True, **fields: Any) -> None:
        """Some of an object's fields are others now; told with the old values, as Stripe does, or without."""
        before = self.objects[key]
        after = copy.deepcopy(before) | fields
        self.objects[key] = after
        self._tell(kind, after, before=before if previous else None)

    def end(self, kind: str, key: Key) -> None:
        """An object is no more."""
        self.gone[key] = self.objects.pop(key)
        self._tell(kind, self.gone[key])

    def again(self, kind: str, key: Key) -> None:
        """A further event that shows an object as it is, or was when it was deleted."""
        self._tell(kind, self.objects.get(key) or self.gone[key])

    def _tell(self, kind: str, about: Json, *, before: Json | None = None) -> None:
        self.count += 1
        # Like Stripe's, the ids of events tell nothing about their order.
        named = hashlib.sha256(str(self.count).encode()).hexdigest()[:16]
        told = event(kind, copy.deepcopy(about), at=self.now, id=f"evt_{named}", api_version=self.pick(VERSIONS))
        if before is not None:
            told["data"]["previous_attributes"] = previous_attributes(before, about)
        if not self.pick(self._lost):
            self.told.append(told)

    # --- what may happen ---------------------------------------------------------------------------------------------

    def customer(self) -> None:
        """A customer is made, changed or deleted; the deleted do not come back."""
        name = self.pick(CUSTOMERS)
        key = ("customer", name)
        if key in self.gone:
            self.again("customer.updated", key)
        elif key not in self.objects:
            self.make(
                "customer.created",
                *key,
                name=name.upper(),
                email=f"{name}@acme.example",
                balance=0,
                currency=None,
                delinquent=False,
                metadata={},
                invoice_settings={"default_payment_method": None},
                default_source=None,
                discount=None,
            )
        elif self.pick((False,) * 7 + (True,)):
            self.end("customer.deleted", key)
        else:
            match self.pick(("name", "email", "balance", "metadata", "method", "delinquent")):
                case "name":
                    fields: Json = {"name": self.pick(("Ada", "Bo", None))}
                case "email":
                    fields = {"email": self.pick(("ada@acme.example", "bo@beta.example", None))}
                case "balance":
                    fields = {"balance": self.pick((0, -500, 1_200)), "currency": self.pick(CURRENCIES)}
                case "metadata":
                    fields = {"metadata": self.pick(({}, {"user_id": "u_1"}, {"user_id": "u_2", "tags": "vip, eu"}))}
                case "method":
                    fields = {"invoice_settings": {"default_payment_method": self.pick((None, *METHODS))}}
                case _:
                    fields = {"delinquent": self.pick((True, False))}
            self.change("customer.updated", key, **fields)

    def product(self) -> None:
        """A product, whose id is chosen, so that it can come back."""
        self._chosen("product", self.pick(PRODUCTS), name=self.pick(("Starter", "Pro", "Team")), active=True)

    def coupon(self) -> None:
        """A coupon, whose id is chosen, so that it can come back."""
        off: Json = self.pick(
            (
                {"percent_off": 25, "amount_off": None, "currency": None},
                {"percent_off": None, "amount_off": 500, "currency": "usd"},
            )
        )
        self._chosen("coupon", self.pick(COUPONS), duration=self.pick(("forever", "once")), valid=True, **off)

    def _chosen(self, object_type: str, object_id: str, **fields: Any) -> None:
        key = (object_type, object_id)
        if key not in self.objects:
            self.make(f"{object_type}.created", *key, **fields)
        elif self.pick((False, False, True)):
            self.end(f"{object_type}.deleted", key)
        else:
            self.change(f"{object_type}.updated", key, **fields)

    def subscription(self) -> None:
        """A subscription starts, changes in one of many ways, or ends."""
        owner = self.pick(CUSTOMERS)
        key = self.some("subscription")
        if key is None or (len(self._of("subscription")) < 4 and self.pick((True, False, False))):
            currency = self.pick(CURRENCIES)
            name = f"sub_{len(self._of('subscription')) + 1}"
            self.make(
                "customer.subscription.created",
                "subscription",
                name,
                customer=owner,
                status=self.pick(STATUSES),
                currency=currency,
                start_date=self.now,
                trial_end=self.pick((None, self.now + 14 * 86_400)),
                cancel_at_period_end=False,
                pause_collection=None,
                default_payment_method=None,
                discounts=[],
                metadata={},
                items=self._items([self._item(f"si_{name}", currency)]),
            )
            return
        held = self.objects[key]
        items = held["items"]["data"]
        if self.pick((False,) * 6 + (True,)):
            over: Json = {"status": "canceled", "canceled_at": self.now, "ended_at": self.now}
            self.change("customer.subscription.deleted", key, previous=False, **over)
            return
        match self.pick(("status", "quantity", "more", "fewer", "cancel", "method", "pause", "discount", "metadata")):
            case "status":
                fields: Json = {"status": self.pick(STATUSES)}
            case "quantity":
                fields = {"items": self._items([item | {"quantity": self.pick((1, 2, 7))} for item in items])}
            case "more":
                another = self._item(f"{items[0]['id']}_b", held["currency"])
                fields = {"items": self._items([items[0], another])}
            case "fewer":
                fields = {"items": self._items(items[:1])}
            case "cancel":
                fields = {"cancel_at_period_end": self.pick((True, False))}
            case "method":
                fields = {"default_payment_method": self.pick((None, *METHODS))}
            case "pause":
                fields = {"pause_collection": self.pick((None, {"behavior": "void", "resumes_at": ENDS}))}
            case "discount":
                given = [] if held["discounts"] else [self._discount(f"di_{key[1]}", held["customer"])]
                fields = {"discounts": given}
            case _:
                fields = {"metadata": self.pick(({}, {"user_id": "u_3"}))}
        self.change("customer.subscription.updated", key, **fields)

    def method(self) -> None:
        """A payment method is attached, renewed, detached, and attached to somebody else."""
        key = ("payment_method", self.pick(METHODS))
        owner = self.pick(CUSTOMERS)
        card = {"brand": "visa", "last4": self.pick(("4242", "1881")), "exp_month": 4, "exp_year": 2031}
        if key not in self.objects:
            self.make("payment_method.attached", *key, customer=owner, type="card", card=card)
        elif self.objects[key]["customer"] is None:
            self.change("payment_method.attached", key, previous=False, customer=owner)
        elif self.pick((True, False)):
            self.change("payment_method.detached", key, previous=self.pick((True, True, False)), customer=None)
        else:
            self.change("payment_method.automatically_updated", key, card=card)

    def invoice(self) -> None:
        """An invoice is drafted, finalized, paid or voided; a draft can be deleted."""
        key = self.some("invoice")
        if key is None or self.pick((True, False, False)):
            number = len(self._of("invoice")) + 1
            self.make(
                "invoice.created",
                "invoice",
                f"in_{number}",
                customer=self.pick(CUSTOMERS),
                status="draft",
                currency=self.pick(CURRENCIES),
                amount_due=2_900,
                amount_paid=0,
                total=2_900,
                number=None,
                status_transitions={"paid_at": None},
            )
            return
        match self.objects[key]["status"]:
            case "draft" if self.pick((False, False, True)):
                self.end("invoice.deleted", key)
            case "draft":
                self.change("invoice.finalized", key, previous=False, status="open", number=f"A-{key[1]}")
            case "open" if self.pick((True, True, False)):
                paid: Json = {"status": "paid", "amount_paid": 2_900, "status_transitions": {"paid_at": self.now}}
                self.change("invoice.updated", key, **paid)
                self.again("invoice.paid", key)
            case "open":
                self.change("invoice.voided", key, previous=False, status="void")
            case _:
                self.again("invoice.updated", key)

    def charge(self) -> None:
        """A charge succeeds or fails, and is refunded; the refund is told twice, by two types."""
        key = self.some("charge")
        if key is None or self.pick((True, False)):
            failed = self.pick((False, False, True))
            number = len(self._of("charge")) + 1
            self.make(
                "charge.failed" if failed else "charge.succeeded",
                "charge",
                f"ch_{number}",
                customer=self.pick((None, *CUSTOMERS)),
                status="failed" if failed else "succeeded",
                paid=not failed,
                captured=not failed,
                amount=2_900,
                amount_captured=0 if failed else 2_900,
                amount_refunded=0,
                refunded=False,
                currency=self.pick(CURRENCIES),
                failure_code="card_declined" if failed else None,
            )
        elif self.objects[key]["paid"]:
            refunded = min(2_900, self.objects[key]["amount_refunded"] + self.pick((900, 2_900)))
            self.change("charge.refunded", key, amount_refunded=refunded, refunded=refunded == 2_900)
            self.again("charge.updated", key)

    def about(self) -> None:
        """A refund or dispute, which names its charge and no customer; a guest's charge gets its customer later."""
        charge = self.some("charge")
        kind = self.pick(("refund", "dispute"))
        key = self.some(kind)
        named = "refund" if kind == "refund" else "charge.dispute"
        if key is not None and self.pick((True, False)):
            self.change(f"{named}.updated", key, status=self.pick(("pending", "won", "lost")))
        elif charge is not None and self.objects[charge]["customer"] is None:
            self.change("charge.updated", charge, previous=False, customer=self.pick(CUSTOMERS))
        else:
            number = len(self._of(kind)) + 1
            # The charge may be one that nothing has told of yet.
            of = charge[1] if charge is not None else "ch_1"
            fields = {"charge": of, "status": "pending", "amount": 900, "currency": "usd", "payment_intent": None}
            self.make(f"{named}.created", kind, f"{kind[:2]}_{number}", **fields)

    def discount(self) -> None:
        """A customer's own discount, which is an object beside it."""
        owner = self.pick(CUSTOMERS)
        key = ("discount", f"di_{owner}")
        if key in self.objects:
            self.end("customer.discount.deleted", key)
        else:
            given = self._discount(key[1], owner)
            self.make(
                "customer.discount.created", *key, **{name: given[name] for name in ("customer", "source", "end")}
            )

    def other(self) -> None:
        """Something that no state is folded from, and that is heard of all the same."""
        owner = self.pick(CUSTOMERS)
        key = self.some("tax_id", also_gone=True)
        if key is None or key in self.gone:
            named = f"txi_{len(self._of('tax_id')) + 1}"
            about = {"customer": owner, "type": "eu_vat", "value": "DE123456789"}
            self.make("customer.tax_id.created", "tax_id", named, **about)
        else:
            self.end("customer.tax_id.deleted", key)

    def repeated(self) -> None:
        """One more event about a subscription that does not say what was before."""
        key = self.some("subscription")
        if key is not None:
            self.again(self.pick(("customer.subscription.updated", "customer.subscription.trial_will_end")), key)

    def _of(self, object_type: str) -> list[Key]:
        return [key for key in (*self.objects, *self.gone) if key[0] == object_type]

    def _item(self, name: str, currency: str) -> Json:
        amount = self.pick((900, 4_900))
        product = self.pick(PRODUCTS)
        price = {
            "id": f"price_{product}_{currency}_{amount}",
            "object": "price",
            "currency": currency,
            "product": product,
            "unit_amount": amount,
            "unit_amount_decimal": str(amount),
            "recurring": {"interval": self.pick(("month", "year")), "interval_count": 1, "usage_type": "licensed"},
        }
        return {
            "id": name,
            "object": "subscription_item",
            "price": price,
            "quantity": 1,
            "discounts": [],
            "current_period_end": self.now + 30 * 86_400,
        }

    def _items(self, items: Sequence[Json]) -> Json:
        return {"object": "list", "data": list(items), "has_more": False, "total_count": len(items)}

    def _discount(self, name: str, customer: str) -> Json:
        source = {"type": "coupon", "coupon": self.pick(COUPONS)}
        return {
            "id": name,
            "object": "discount",
            "customer": customer,
            "source": source,
            "end": self.pick((None, ENDS)),
        }


STEPS: Final[tuple[Callable[[World], None], ...]] = (
    World.subscription,
    World.subscription,
    World.subscription,
    World.customer,
    World.customer,
    World.customer,
    World.method,
    World.method,
    World.invoice,
    World.charge,
    World.about,
    World.product,
    World.coupon,
    World.discount,
    World.other,
    World.repeated,
)
