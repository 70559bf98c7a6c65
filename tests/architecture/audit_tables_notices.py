"""The same tables for notifications. ``audit_tables`` takes them in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trueup.kernel.actor import Actor, ActorKind
from trueup.notices import service as notices
from trueup.notices.types import Channel, Draft, Kind, Rule
from trueup.runtime import database

BY = Actor(kind=ActorKind.COMMAND_LINE, id="ada")
Scenario = Callable[[Any], object]
SAVED = "notices.rule.saved"


def rule() -> Rule:
    draft = Draft(name="Owing", kinds=frozenset({Kind.PAST_DUE}), channel=Channel.EMAIL, target="team@acme.example")
    return notices.save(draft=draft, operator_id=None, by=BY).rule


def failed() -> int:
    """The number of a message that could not be delivered."""
    sql = (
        "insert into notices_delivery (rule_id, \"window\", status, due_at) values (%s, 'change 1', 'failed', now())"
        " returning id"
    )
    row = database.execute(sql, (rule().id,)).fetchone()
    assert row is not None
    return int(row[0])


CHANGES: dict[str, tuple[Scenario, list[str]]] = {
    "notices.save": (lambda _: rule(), [SAVED]),
    "notices.remove": (lambda _: notices.remove(rule_id=rule().id, by=BY), [SAVED, "notices.rule.removed"]),
    "notices.test": (lambda _: notices.test(rule_id=rule().id, by=BY), [SAVED, "notices.rule.tested"]),
    "notices.resend": (
        lambda _: notices.resend(delivery_id=failed(), by=BY),
        [SAVED, "notices.delivery.resent"],
    ),
}
"""What changes state, and the entries it has to leave, in order."""

READS: dict[str, Scenario] = {
    "notices.amount_error": lambda _: notices.amount_error(
        Draft(name="Owing", kinds=frozenset(), channel=Channel.SLACK)
    ),
    "notices.counts": lambda _: notices.counts(),
    "notices.deliveries": lambda _: notices.deliveries(everybody=True),
    "notices.everything": lambda _: notices.everything(),
    "notices.is_mail_ready": lambda _: notices.is_mail_ready(),
    "notices.rules": lambda stage: notices.rules(operator_id=stage.person.id),
    "notices.person_of": lambda _: notices.person_of(BY),
}
"""What only reads; it is run where writing is forbidden."""

COMMANDS: dict[str, tuple[list[str], list[str]]] = {
    "notices list": (["notices", "list"], []),
    "notices resend": (["notices", "resend", "{message}"], ["notices.delivery.resent"]),
    "notices test": (["notices", "test", "{rule}", "--json"], ["notices.rule.tested"]),
}
"""Commands as they are typed, and the entries each has to leave."""

UNRECORDED: dict[str, str] = {
    "notices.delivery": "It reads one message, and there is none in the small world.",
    "notices.examples": "It invents changes and asks nothing.",
    "notices.preview": "It reads what a rule's reader may see, and there is no rule in the small world.",
    "notices.rule": "It reads one rule, and there is none in the small world.",
    "notices.tidy": "Nobody decides it: what is ninety days old is dropped.",
}
"""What is in neither of the others, and why."""
