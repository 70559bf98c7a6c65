"""Invented companies: their names and where they are. No real company is meant."""

from __future__ import annotations

import math
from random import Random
from typing import Final

from trueup.kernel.records import Record


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_FIRST: Final = _words(
    "Aldermoss Ambercrest Ashwillow Birchfen Bramblewick Brightmarl Cindervale Cloverhythe Copperfen Corvenna "
    "Dapplewood Driftmarsh Duskwater Elmspire Emberlyn Fallowmere Fennimoor Fernhollow Flintmarrow Foxglade "
    "Gildenmoor Glimmerfen Gorsewick Halvora Harthollow Hazelwyn Ironthistle Juniperra Kestrelmoor Kindlebrook "
    "Larkenfell Lindenmarsh Lorimund Maplethorne Marrowby Mistlebeck Nettlecombe Oakenmere Orlinda Pebblewyn "
    "Pinemarrow Quillmere Ravensedge Rowanfirth Rushwater Saffronby Sablewick Silvermoss Tallowmere Thistlegate "
    "Umberlow Velvetmoor Wrenfield Yarrowby "
)
_SECOND: Final = _words(
    "Analytics Apparel Archives Atelier Bakeries Biotech Ceramics Clinics Couriers Cycles Design Energy Farms Foundry "
    "Freight Gardens Instruments Interiors Kitchens Labs Learning Ledgers Logistics Looms Maps Materials Media "
    "Metrics Mobility Optics Outfitters Paper Press Robotics Roasters Software Studios Supply Textiles Tools Travel "
    "Works "
)
_STREETS: Final = ("Alder Lane", "Copper Row", "Harbour Walk", "Juniper Street", "Kiln Road", "Mill Yard")
_MAILBOXES: Final = ("accounts", "billing", "finance", "hello", "invoices", "ops")


class Place(Record, frozen=True):
    """Where a company is, as Stripe's address fields, with the currency and the language it buys in."""

    country: str
    city: str
    postal_code: str
    state: str | None
    currency: str
    locale: str


_PLACES: Final = tuple(
    (weight, Place(country=country, city=city, postal_code=code, state=state, currency=currency, locale=locale))
    for weight, country, city, code, state, currency, locale in (
        (18, "US", "Portland", "97205", "OR", "usd", "en-US"),
        (16, "US", "Austin", "78701", "TX", "usd", "en-US"),
        (14, "US", "Chicago", "60607", "IL", "usd", "en-US"),
        (6, "CA", "Toronto", "M5V 2T6", "ON", "usd", "en-CA"),
        (5, "AU", "Melbourne", "3000", "VIC", "usd", "en-AU"),
        (10, "DE", "Leipzig", "04109", None, "eur", "de"),
        (7, "FR", "Nantes", "44000", None, "eur", "fr"),
        (5, "NL", "Utrecht", "3511 LX", None, "eur", "nl"),
        (12, "GB", "Bristol", "BS1 4DJ", None, "gbp", "en-GB"),
        (7, "JP", "Fukuoka", "810-0001", None, "jpy", "ja"),
    )
)


class Company(Record, frozen=True):
    """One invented customer before Stripe knows it. ``email`` is in the reserved ``.example`` domain."""

    name: str
    email: str
    line1: str
    place: Place
    user_id: str
    source: str


class Companies:
    """An endless supply of different companies; the same seeded source of chance gives the same ones.

    ``made`` counts them. A supply that begins with that of another, and the same source, gives none of the other's.
    """

    def __init__(self, rng: Random, *, made: int = 0) -> None:
        self._rng = rng
        self._total = len(_FIRST) * len(_SECOND)
        # A step without a common factor visits every pair of words once before any comes back.
        self._at, self._step = rng.randrange(self._total), rng.randrange(self._total // 3, self._total)
        while math.gcd(self._step, self._total) != 1:
            self._step += 1
        self._at = (self._at + made * self._step) % self._total
        self.made = made

    def next(self) -> Company:
        """The next company; names repeat only after all pairs of words are used, then with a numeral behind them."""
        rng = self._rng
        self._at = (self._at + self._step) % self._total
        rounds, self.made = self.made // self._total, self.made + 1
        words = [
            _FIRST[self._at // len(_SECOND)],
            _SECOND[self._at % len(_SECOND)],
            *([str(rounds + 1)] if rounds else []),
        ]
        return Company(
            name=" ".join(words),
            email=f"{rng.choice(_MAILBOXES)}@{'-'.join(words).lower()}.example",
            line1=self.street(),
            place=self.place(),
            user_id=f"user_{self.made:05d}",
            source=rng.choice(("website", "website", "referral", "partner", "newsletter")),
        )

    def next_in(self, currency: str) -> Company:
        """The next company that buys in a currency."""
        while (found := self.next()).place.currency != currency:
            pass
        return found

    def place(self) -> Place:
        """Somewhere, as often as the weights say."""
        return self._rng.choices([place for _, place in _PLACES], [weight for weight, _ in _PLACES])[0]

    def elsewhere(self, place: Place) -> Place:
        """A place in the same country, possibly the same."""
        return self._rng.choice([other for _, other in _PLACES if other.country == place.country])

    def street(self) -> str:
        """A street and a house number."""
        return f"{self._rng.randrange(1, 180)} {self._rng.choice(_STREETS)}"
