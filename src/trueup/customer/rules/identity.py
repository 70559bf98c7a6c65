"""What ties a Stripe customer to the world outside, read from its own objects; and what its metadata breaks. Pure.

*Links* come from metadata keys that the operator named, on the customer and on its subscriptions, and from Stripe's
email. *Clues* only suggest that two customers are one: the domain of an address with the name, and what a card is known
by. *Breaches* are metadata rules that the customer breaks.
"""

from __future__ import annotations

import base64
import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final, TypeAlias

from trueup.customer.rules.method import METHOD_TYPES
from trueup.customer.types import LinkKind, Source
from trueup.kernel.records import Record
from trueup.mirror.types import MirrorObject
from trueup.mirror.upcast.shape import LATEST_SECOND, mapping, text

LONGEST: Final = 200
"""Characters of an id or address; anything longer is not one, and no index would take it."""


COMPANY: Final = "company"
"""The kind of a clue: the domain of an address that is not a mail provider's, and the name without its legal form."""
CARD: Final = "card"
"""The kind of a clue: Stripe's fingerprint of a card or bank account, the same wherever the number is."""
UNIQUE: Final = "metadata"
"""The kind of a value that has to be unique; ``system`` is its key."""
BREACH: Final = "breach"
"""The kind of a broken rule; ``system`` is its key, ``value`` the rule."""

WEIGHTS: Final = {
    LinkKind.USER.value: 60,
    LinkKind.ORGANIZATION.value: 60,
    LinkKind.CRM.value: 60,
    LinkKind.EMAIL.value: 40,
    CARD: 30,
    COMPANY: 20,
}
"""How much each reason says for two customers being one: your own id decides nearly, a shared company little."""

SENTENCES: Final = {
    LinkKind.USER.value: "Both belong to the same user.",
    LinkKind.ORGANIZATION.value: "Both belong to the same organization.",
    LinkKind.CRM.value: "Both are the same record in the CRM.",
    LinkKind.EMAIL.value: "Both have the same email address.",
    CARD: "Both pay with the same card or bank account.",
    COMPANY: "Their addresses have the same company domain, and their names are alike.",
}

MAIL_PROVIDERS: Final = frozenset(
    "aol.com fastmail.com free.fr gmail.com gmx.at gmx.ch gmx.de gmx.net googlemail.com hey.com hotmail.co.uk "
    "hotmail.com hotmail.fr icloud.com laposte.net libero.it live.com mac.com mail.com mail.ru me.com msn.com "
    "orange.fr outlook.com outlook.de pm.me proton.me protonmail.com qq.com t-online.de web.de yahoo.co.jp "
    "yahoo.co.uk yahoo.com yahoo.de yahoo.fr yandex.ru ymail.com zoho.com 163.com 126.com".split()
)
"""Domains where anybody gets an address, so that sharing one says nothing."""

LEGAL_FORMS: Final = frozenset(
    "ab ag and as bv co company corp corporation gbr gmbh group holding inc incorporated kft kg kk limited llc llp "
    "ltd mbh nv oy plc pty sa sarl sas se sl spa srl the und".split()
)
"""Words of a company's name that people leave out."""

_WORDS: Final = re.compile(r"[^\W_]+")
_UNUSABLE: Final = re.compile("[\x00-\x1f\ud800-\udfff]")


class IdentityKey(Record, frozen=True):
    """That a metadata key holds an id of some kind; ``system`` names the CRM, and is empty otherwise."""

    key: str
    kind: LinkKind
    system: str


class MetadataRule(Record, frozen=True):
    """What the metadata of every customer has to keep to: ``rule`` is required, unique or pattern."""

    key: str
    rule: str
    pattern: str = ""


class Settings(Record, frozen=True):
    """What the operator configured."""

    keys: tuple[IdentityKey, ...] = ()
    rules: tuple[MetadataRule, ...] = ()


class Trait(Record, frozen=True, gc=False):
    """One thing that ties a customer to the outside, as its objects tell it; another ``mark`` where anything is.

    ``since`` is when the object that tells it was made, in Unix seconds, 0 where that is not said: of all moments that
    its facts know, the one that no later event moves.
    """

    kind: str
    system: str
    value: str
    source: Source
    rule: str
    person_id: str | None
    since: int
    mark: str


Found: TypeAlias = dict[tuple[str, str, str], Trait]


@lru_cache(maxsize=64)
def settings(identity_keys: str, metadata_rules: str) -> Settings:
    """The settings in their text forms ``user_id=user,sf_id=crm:salesforce`` and ``user_id:required;ref:pattern=R-.*``.

    Both have been validated by ``runtime.configuration``.
    """
    keys = []
    for part in filter(None, (piece.strip() for piece in identity_keys.split(","))):
        key, _, named = part.partition("=")
        kind, _, system = named.strip().partition(":")
        keys.append(IdentityKey(key=key.strip(), kind=LinkKind(kind), system=system))
    rules = []
    for part in filter(None, (piece.strip() for piece in metadata_rules.split(";"))):
        key, _, named = part.partition(":")
        rule, _, pattern = named.strip().partition("=")
        rules.append(MetadataRule(key=key.strip(), rule=rule, pattern=pattern))
    return Settings(keys=tuple(keys), rules=tuple(rules))


def derive(objects: Iterable[MirrorObject], told: Settings, *, livemode: bool) -> tuple[Trait, ...]:
    """What the current objects of one Stripe customer say, each thing once, in an order that depends on nothing else.

    *People*: each user that the metadata names is one. Where the customer itself names exactly one user and no
    organisation, its billing email is that user's; else whoever reads that address is a person of their own, for the
    address of an organisation's accountant says nothing about which user it is.
    """
    customer: MirrorObject | None = None
    subscriptions, methods = [], []
    found: Found = {}
    for one in objects:
        if one.object_type == "customer":
            customer = one
        elif one.object_type == "subscription":
            subscriptions.append(one)
        elif one.object_type in METHOD_TYPES and not one.deleted:
            methods.append(one)
    # Of two methods with the same card the older tells since when, whatever the order in which they are given.
    for one in sorted(methods, key=_made) if len(methods) > 1 else methods:
        _add(found, CARD, "", _fingerprint(one.data), rule=CARD, since=_made(one))
    if told.keys:
        _of_metadata(found, customer, subscriptions, told.keys, livemode=livemode)
    if customer is not None:
        _of_customer(found, customer, livemode=livemode)
        if told.rules and not customer.deleted:
            _breaches(found, mapping(customer.data.get("metadata")), told.rules, since=_made(customer))
    return tuple([found[key] for key in sorted(found)])


def _of_metadata(
    found: Found,
    customer: MirrorObject | None,
    subscriptions: list[MirrorObject],
    keys: Sequence[IdentityKey],
    *,
    livemode: bool,
) -> None:
    subscriptions.sort(key=lambda one: one.object_id)
    own = [] if customer is None else [("metadata", customer)]
    for where, teller in [*own, *(("subscription.metadata", one) for one in subscriptions)]:
        metadata = mapping(teller.data.get("metadata"))
        for key in keys:
            value = known_value(key.kind, metadata.get(key.key))
            if value is not None:
                person = person_of(key.kind, value, livemode=livemode)
                rule = f"{where}.{key.key}"
                _add(found, key.kind.value, key.system, value, rule=rule, since=_made(teller), person=person)


def _of_customer(found: Found, customer: MirrorObject, *, livemode: bool) -> None:
    email = known_value(LinkKind.EMAIL, customer.data.get("email"))
    if email is None:
        return
    users = [one for one in found.values() if one.kind == LinkKind.USER and not one.rule.startswith("subscription.")]
    single = len(users) == 1 and not any(one.kind == LinkKind.ORGANIZATION for one in found.values())
    person = users[0].person_id if single else person_of(LinkKind.EMAIL, email, livemode=livemode)
    for trait in _of_stripe(text(customer.data.get("name")), email, person, _made(customer)):
        found[trait.kind, trait.system, trait.value] = trait


@lru_cache(maxsize=16_384)
def _of_stripe(name: str | None, email: str, person: str | None, since: int) -> tuple[Trait, ...]:
    """What Stripe's own fields say. Nearly every fold asks for the same as the one before it, so it is kept."""
    company = None if name is None else company_of(name, email)
    kind = LinkKind.EMAIL.value
    found = [_trait(kind, "", email, rule="email", person=person, source=Source.STRIPE, since=since)]
    if company is not None:
        found.append(_trait(COMPANY, "", company, rule=COMPANY, person=None, source=Source.STRIPE, since=since))
    return tuple(found)


def _breaches(found: Found, metadata: dict[str, Any], rules: Sequence[MetadataRule], *, since: int) -> None:
    for rule in rules:
        value = text(metadata.get(rule.key))
        broken = (rule.rule == "required" and value is None) or (
            rule.rule == "pattern" and value is not None and re.fullmatch(rule.pattern, value) is None
        )
        if broken:
            _add(found, BREACH, rule.key, rule.rule, rule=rule.rule, since=since)
        if rule.rule == "unique":
            _add(found, UNIQUE, rule.key, known_value(LinkKind.USER, value), rule=rule.rule, since=since)


def _made(told: MirrorObject) -> int:
    """When Stripe made an object, in Unix seconds; 0 where it does not say so."""
    made = told.data.get("created")
    return made if type(made) is int and 0 <= made <= LATEST_SECOND else 0


def _add(
    found: Found, kind: str, system: str, value: str | None, *, rule: str, since: int, person: str | None = None
) -> None:
    """Note a value of an object's metadata, if there is one and nobody told it before."""
    if value is not None and (kind, system, value) not in found:
        trait = _trait(kind, system, value, rule=rule, person=person, source=Source.METADATA, since=since)
        found[kind, system, value] = trait


def _trait(kind: str, system: str, value: str, *, rule: str, person: str | None, source: Source, since: int) -> Trait:
    mark = f"{kind}\x1d{system}\x1d{value}\x1d{rule}\x1d{person}\x1d{since}"
    return Trait(
        kind=kind, system=system, value=value, source=source, rule=rule, person_id=person, since=since, mark=mark
    )


def known_value(kind: LinkKind, value: object) -> str | None:
    """A value as it is compared: without blanks around it, an address in lower case; ``None`` for what is no id."""
    if type(value) is not str:
        return None
    return _known(kind, value)


@lru_cache(maxsize=16_384)
def _known(kind: LinkKind, value: str) -> str | None:
    told = value.strip()
    if not told or len(told) > LONGEST or _UNUSABLE.search(told) is not None:
        return None
    if kind is not LinkKind.EMAIL:
        return told
    name, at, domain = told.casefold().rpartition("@")
    return f"{name}@{domain}"[:LONGEST] if at and name and domain and not set(told) & set(" ,;") else None


@lru_cache(maxsize=16_384)
def person_of(kind: LinkKind, value: str, *, livemode: bool) -> str | None:
    """Our id for the person that a user id or an address names in one mode; the same whenever it is computed."""
    if kind not in {LinkKind.USER, LinkKind.EMAIL}:
        return None
    digest = hashlib.sha256(f"{int(livemode)}|{kind.value}|{value}".encode()).digest()
    return "tp_" + base64.b32encode(digest[:15]).decode().lower()


def company_of(name: str, email: str) -> str | None:
    """What two customers of one company share: the address's domain and the name's words, sorted, without legal forms.

    So ``Acme, Inc.`` and ``ACME`` with addresses at acme.example are alike, and ``Acme Labs`` is another. ``None`` for
    an address at a mail provider, or a name that has no other words.
    """
    domain = email.rpartition("@")[2]
    plain = unicodedata.normalize("NFKD", name.replace(".", "")).casefold()
    words = _WORDS.findall("".join(char for char in plain if not unicodedata.combining(char)))
    telling = sorted(set(words) - LEGAL_FORMS)
    if domain in MAIL_PROVIDERS or not telling:
        return None
    return f"{domain} {' '.join(telling)}"[:LONGEST]


def _fingerprint(data: dict[str, Any]) -> str | None:
    """Stripe's fingerprint of what a payment method draws on, where it is told."""
    kind = text(data.get("type"))
    inner = mapping(data.get(kind)) if kind is not None else {}
    return known_value(LinkKind.USER, inner.get("fingerprint") or data.get("fingerprint"))
