"""Pure rules about signing in, and about the passwords that are guessed first."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from trueup.operators.types import Role

MOST_FAILURES: Final = 10
"""So many sign-ins may fail within ``WINDOW``, for one address and from one client; the next is refused unseen."""
WINDOW: Final = timedelta(minutes=15)
CONTEXT: Final = frozenset(
    {"trueup", "stripe", "billing", "invoice", "revenue", "customer", *(role.value for role in Role)}
)
"""What whoever guesses tries here first, beside the words in the person's name and address."""
SHORTEST_WORD: Final = 4
"""A shorter part of a name or of an address is in too many good passwords."""
_ENDS: Final = re.compile(r"^[^a-z]+|[^a-z]+$")
_BETWEEN: Final = re.compile(r"[\W_]+")
_LETTER: Final = re.compile(r"[^\W\d_]")


def retry_at(attempts: Sequence[datetime], *, now: datetime) -> datetime | None:
    """When the next attempt is taken again; None means now. ``attempts`` are those not known to have succeeded."""
    recent = sorted(moment for moment in attempts if moment > now - WINDOW)
    return recent[-MOST_FAILURES] + WINDOW if len(recent) >= MOST_FAILURES else None


def client_of(address: str) -> str:
    """What counts as one client: an IPv4 address, or the /64 of an IPv6 one, which is what a single host is given."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, 64), strict=False))


def words_of(texts: Iterable[str]) -> frozenset[str]:
    """The words in names and addresses of which a password may not consist, in small letters."""
    parts = (part for text in texts for part in _BETWEEN.split(text.lower()))
    return frozenset(part for part in parts if len(part) >= SHORTEST_WORD)


def is_guessable(password: str, *, common: Collection[str], words: Collection[str]) -> bool:
    """Whether a password is one that many people have, or says nothing but words of its person and place.

    ``common`` and ``words`` are in small letters. A few digits and signs before and after make no password better
    (``Password2026!``), and neither does saying something twice (``dragondragon``, ``abcabcabcabc``).
    """
    small = password.lower()
    once = _once(small)
    if len(once) < SHORTEST_WORD or once in common:
        return True
    heart = _ENDS.sub("", small)
    if len(heart) * 2 >= len(small) and _once(heart) in common:
        return True
    rest = small
    for word in sorted({*words, *CONTEXT}, key=len, reverse=True):
        rest = rest.replace(word, "")
    return len(rest) * 2 <= len(small) and not _LETTER.search(rest)


def _once(text: str) -> str:
    """The shortest part of which a text is a repetition; itself where it is none."""
    return text[: (text + text).find(text, 1)]
