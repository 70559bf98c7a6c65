"""The form of a notification rule: what was sent of it, and what it starts with."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any, Final

from django.http import HttpRequest, QueryDict
from django.utils import timezone, translation

from trueup.accounts import service as accounts
from trueup.notices import words
from trueup.notices.types import Channel, Draft, Kind, Pace, Rule

FIRST_KINDS: Final = frozenset({Kind.PAST_DUE, Kind.UNPAID, Kind.CANCELED})
LONGEST: Final = 2_000


def new(*, team: bool) -> Draft:
    """What a form for a new rule starts with."""
    return Draft(
        name="",
        kinds=FIRST_KINDS,
        channel=Channel.SLACK if team else Channel.EMAIL,
        only_mine=not team,
        zone=timezone.get_current_timezone_name(),
        language=translation.get_language() or "",
    )


def of(rule: Rule) -> Draft:
    """What a form for a rule that there is starts with."""
    given = {name: getattr(rule, name) for name in Draft.__struct_fields__ if name != "target"}
    return Draft(**given, target=rule.target if rule.channel is Channel.EMAIL else "")


def sent(request: HttpRequest) -> Draft:
    """What was sent; a word that is none of ours is taken for the first, and the service judges the rest."""
    data = request.POST
    quiet = data.get("quiet") == "on"
    channel, pace = data.get("channel", ""), data.get("pace", "")
    return Draft(
        name=data.get("name", "")[:LONGEST].strip(),
        kinds=frozenset(Kind(one) for one in data.getlist("kind") if one in set(Kind)),
        channel=Channel(channel) if channel in set(Channel) else Channel.EMAIL,
        target=data.get("target", "")[: LONGEST + 1].strip(),
        account_id=_number(data, "account", most=2**62),
        only_mine=data.get("only_mine") == "on",
        at_least=_amount(data.get("at_least", "")),
        pace=Pace(pace) if pace in set(Pace) else Pace.IMMEDIATE,
        hour=_number(data, "hour", most=10**3) or 0,
        zone=data.get("zone", "")[:64].strip() or "UTC",
        quiet_from=_number(data, "quiet_from", most=10**3) if quiet else None,
        quiet_until=_number(data, "quiet_until", most=10**3) if quiet else None,
        with_names=data.get("with_names") == "on",
        language=translation.get_language() or "",
        paused=data.get("paused") == "on",
    )


def _number(data: QueryDict, name: str, *, most: int) -> int | None:
    given = data.get(name, "")
    return min(int(given), most) if given.isascii() and given.isdecimal() and len(given) < 20 else None


def _amount(given: str) -> Decimal | None:
    """An amount as people write it, with a dot or a comma before its decimals; -1, which is refused, for no amount."""
    told = given.strip().replace(" ", "").replace("\u00a0", "")
    if not told:
        return None
    if "," in told and "." not in told and len(told.rpartition(",")[2]) != 3:
        told = told.replace(",", ".")
    try:
        found = Decimal(told.replace(",", ""))
    except InvalidOperation:
        return Decimal(-1)
    return found if found.is_finite() else Decimal(-1)


def choices(*, team: bool) -> dict[str, Any]:
    """What a form offers."""
    channels = [Channel.EMAIL, Channel.SLACK] + ([Channel.WEBHOOK] if team else [])
    return {
        "kinds": list(words.KINDS.items()),
        "channels": [(one, words.CHANNELS[one]) for one in channels],
        "paces": list(words.PACES.items()),
        "hours": [(hour, f"{hour:02}:00") for hour in range(24)],
        "accounts": accounts.accounts(),
    }
