"""What others may ask about notices, and have done."""

from __future__ import annotations

import secrets
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from trueup.audit import service as audit
from trueup.audit.types import Action
from trueup.connectors.webhook import signing
from trueup.kernel.actor import Actor, ActorKind
from trueup.kernel.errors import Conflict, Forbidden
from trueup.kernel.money import Money
from trueup.notices import sending, store
from trueup.notices.drain import TOPIC
from trueup.notices.errors import DeliveryUnknown, RuleInvalid, RuleUnknown
from trueup.notices.messages import Preview, event
from trueup.notices.types import Attempt, Change, Channel, Delivery, Draft, Kind, Pace, Rule, Saved, Status
from trueup.operators import service as operators
from trueup.operators.permissions import Permission
from trueup.runtime import clock, configuration, database, installation, outgoing
from trueup.runtime.outside import is_mailbox
from trueup.runtime.wake import wake

MOST_RULES: Final = 50
"""Of a person, and of the team."""
LONGEST_NAME: Final = 100
LONGEST_URL: Final = 2_000
HOURS: Final = range(24)
EXAMPLE_AMOUNT: Final = 4_900
PAGE: Final = 50


def person_of(by: Actor) -> int | None:
    """The person who acts, whose own rules they may see and change; None for everybody else."""
    return int(by.id) if by.kind is ActorKind.OPERATOR and by.id.isdecimal() else None


def _require(by: Actor, operator_id: int | None) -> None:
    """Go on only if whoever acts may change rules of that person, or of the team where it is None."""
    if operator_id is None:
        operators.require(by, Permission.SETTINGS_CHANGE)
        return
    operators.require(by, Permission.CUSTOMERS_READ)
    if by.kind in {ActorKind.SYSTEM, ActorKind.COMMAND_LINE}:
        return
    if person_of(by) != operator_id:
        raise Forbidden("Everybody chooses for themselves what they are told.", code="notice_rule_not_own")


def rules(*, operator_id: int | None = None) -> list[Rule]:
    """The rules of a person, or of the team where that is None, by name."""
    return store.rules(operator_id=operator_id)


def everything() -> list[Rule]:
    """All rules, of all people and of the team, by name."""
    return store.rules(everybody=True)


def rule(rule_id: int) -> Rule:
    """A rule by its number; ``RuleUnknown`` for none."""
    found = store.find(rule_id)
    if found is None:
        raise RuleUnknown(f"There is no notification rule {rule_id}.")
    return found


def save(*, draft: Draft, operator_id: int | None, rule_id: int | None = None, by: Actor) -> Saved:
    """Make a rule, or change one: of a person, who has to be whoever acts, or of the team where that is None.

    ``RuleInvalid`` says what cannot be. A new webhook's secret is in the answer and nowhere else; one whose address
    changes gets another. Nobody lets a team's messages show what they may not see themselves.
    """
    _require(by, operator_id)
    _check(draft, operator_id, by)
    with database.transaction() as connection:
        before = None if rule_id is None else store.find(rule_id, lock=True)
        if rule_id is not None and (before is None or before.operator_id != operator_id):
            raise RuleUnknown(f"There is no notification rule {rule_id}.")
        if before is None and len(store.rules(operator_id=operator_id)) >= MOST_RULES:
            raise Conflict(f"There are {MOST_RULES} rules already.", code="notice_rules_full", hint="Remove one first.")
        target, address, secret, told = _place(draft, operator_id, before)
        number = store.put(
            rule_id, draft, operator_id=operator_id, target=target, address=address, secret=secret, by=by
        )
        after = rule(number)
        audit.record(
            connection,
            by=by,
            action=Action.NOTICE_RULE_SAVED,
            object_type="notice_rule",
            object_id=str(number),
            before=None if before is None else _facts(before),
            after=_facts(after) | {"address_replaced": bool(draft.target) and draft.channel is not Channel.EMAIL},
        )
    return Saved(rule=after, secret=told)


def remove(*, rule_id: int, by: Actor) -> Rule:
    """End a rule: nothing is sent by it any more, and where it led is forgotten."""
    before = rule(rule_id)
    _require(by, before.operator_id)
    with database.transaction() as connection:
        store.remove(rule_id)
        sending.settle_alarm()
        audit.record(
            connection,
            by=by,
            action=Action.NOTICE_RULE_REMOVED,
            object_type="notice_rule",
            object_id=str(rule_id),
            before=_facts(before),
        )
    return before


def test(*, rule_id: int, by: Actor) -> Attempt:
    """Send an invented change to where a rule leads, now; tells what the receiver said in its own words."""
    found = rule(rule_id)
    _require(by, found.operator_id)
    attempt = sending.attempted(found, examples(found), id=f"ntc_test_{secrets.token_hex(12)}")
    with database.transaction() as connection:
        audit.record(
            connection,
            by=by,
            action=Action.NOTICE_TESTED,
            object_type="notice_rule",
            object_id=str(rule_id),
            after={"taken": attempt.taken, "channel": found.channel.value},
        )
    return attempt


def resend(*, delivery_id: int, by: Actor) -> Delivery:
    """Let a message that was set aside or dropped be sent anew. ``Conflict`` for one that was sent or waits."""
    found = delivery(delivery_id)
    _require(by, found.operator_id)
    with database.transaction() as connection:
        held = store.delivery(delivery_id, lock=True)
        if held is None or held.status not in {Status.FAILED, Status.DROPPED} or store.find(held.rule_id) is None:
            raise Conflict("Only what could not be delivered is sent again.", code="notice_not_failed")
        store.again(delivery_id)
        audit.record(
            connection,
            by=by,
            action=Action.NOTICE_RESENT,
            object_type="notice_delivery",
            object_id=str(delivery_id),
            after={"rule_id": held.rule_id},
        )
        wake(connection, TOPIC)
        sending.settle_alarm()
    return delivery(delivery_id)


def delivery(delivery_id: int) -> Delivery:
    """A message by its number; ``DeliveryUnknown`` for none."""
    found = store.delivery(delivery_id)
    if found is None:
        raise DeliveryUnknown(f"There is no delivery {delivery_id}.")
    return found


def deliveries(
    *,
    operator_id: int | None = None,
    everybody: bool = False,
    status: Status | None = None,
    limit: int = PAGE,
    before: int | None = None,
) -> list[Delivery]:
    """Messages with smaller numbers than ``before``, the newest first: of a person, of the team, or of all."""
    return store.deliveries(operator_id=operator_id, everybody=everybody, status=status, limit=limit, before=before)


def counts() -> dict[Status, int]:
    """How many messages stand how, of all rules."""
    return store.counts()


def preview(*, draft: Draft, operator_id: int | None, rule_id: int, by: Actor) -> Preview | None:
    """What a rule like this would send, as its reader sees it; None where it tells of nothing they may see.

    The rule need not be whole, and nothing is written or sent. ``rule_id`` is 0 for one that is not there yet.
    """
    found = Rule(
        id=rule_id,
        operator_id=operator_id,
        target=draft.target,
        made_by=by,
        created_at=clock.now(),
        **{name: getattr(draft, name) for name in Draft.__struct_fields__ if name != "target"},
    )
    try:
        message, told = sending.composed(found, examples(found), sending.Reader(found))
    except sending.Dropped:
        return None
    is_program = found.channel is Channel.WEBHOOK
    return Preview(message=message, event=event(told, rule_id=found.id, test=False) if is_program else None)


def examples(found: Rule) -> list[Change]:
    """Invented changes of the kinds that a rule tells of: one, or two for a digest."""
    kinds = [kind for kind in Kind if kind in found.kinds]
    wanted = kinds[:1] if found.pace is Pace.IMMEDIATE else kinds[:2]
    return [_example(number, kind) for number, kind in enumerate(wanted)]


def _example(number: int, kind: Kind) -> Change:
    ends = str(clock.unix() + 3 * 86_400)
    states = {
        Kind.RECOVERED: ("past_due", "active"),
        Kind.STARTED: ("trialing", "active"),
        Kind.TRIALING: ("", "trialing"),
    }
    after = {Kind.TRIAL_ENDING: ends, Kind.CANCEL_SCHEDULED: ends, Kind.PAYMENT_FAILED: "card_declined"}
    before, became = states.get(kind, ("active", after.get(kind, kind.value)))
    if kind is Kind.STAGE:
        before, became = "active", "past_due"
    return Change(
        id=number,
        customer_id=f"example-{number + 1}",
        account_id=sending.INVENTED,
        livemode=True,
        kind=kind,
        subject=f"cus_example{number + 1}",
        before=before,
        after=became,
        amount=Money(minor=EXAMPLE_AMOUNT, currency="usd"),
        at=clock.now(),
        fact="evt_example",
    )


def tidy() -> int:
    """Drop what changed and was sent longer than ``sending.KEPT`` ago; returns how many."""
    with database.transaction():
        return store.forget(clock.now() - sending.KEPT)


def is_mail_ready() -> bool:
    """Whether a mail server is named, so that mail can be sent at all."""
    return bool(configuration.current().smtp_url)


def amount_error(draft: Draft) -> RuleInvalid | None:
    """What is wrong with the amount of a rule; None where nothing is."""
    fine = draft.at_least is None or 0 <= draft.at_least < 10**15
    return None if fine else RuleInvalid("That is no amount.", hint="Write a number that is not negative, or nothing.")


def _check(draft: Draft, operator_id: int | None, by: Actor) -> None:
    if not draft.name.strip() or len(draft.name) > LONGEST_NAME:
        raise RuleInvalid(f"A rule has a name of at most {LONGEST_NAME} characters.")
    if not draft.kinds:
        raise RuleInvalid("Choose at least one thing to be told of.")
    if draft.hour not in HOURS or draft.zone not in available_timezones():
        raise RuleInvalid("That is no hour of the day, or no time zone.")
    quiet = draft.quiet_from, draft.quiet_until
    if (quiet[0] is None) != (quiet[1] is None) or (quiet[0] is not None and quiet[0] == quiet[1]):
        raise RuleInvalid("Quiet hours have a beginning and another end.")
    if any(one is not None and one not in HOURS for one in quiet):
        raise RuleInvalid("Quiet hours are hours of the day.")
    wrong = amount_error(draft)
    if wrong is not None:
        raise wrong
    if operator_id is None and draft.only_mine:
        raise RuleInvalid("A team looks after no customers; its people do.")
    if operator_id is not None and draft.channel is Channel.WEBHOOK:
        raise RuleInvalid("Webhooks are for the team.", hint="Ask somebody who may change settings.")
    may = operators.permissions_of(by)
    if operator_id is None and draft.with_names and Permission.PERSONAL_CONTACT not in may:
        raise Forbidden("Names are shown by whoever may see them.", code="notice_names_missing")
    if draft.kinds & sending.MONEY_KINDS and Permission.MONEY_READ not in may:
        raise Forbidden("Payments are told of to whoever may see them.", code="notice_money_missing")


def _place(draft: Draft, operator_id: int | None, before: Rule | None) -> tuple[str, bytes | None, bytes | None, str]:
    """What is shown of where a rule leads, its sealed address and secret, and a secret that was made for it."""
    if draft.channel is Channel.EMAIL:
        mailbox = draft.target.strip() or (
            before.target if before is not None and before.channel is draft.channel else ""
        )
        if operator_id is None and not is_mailbox(mailbox):
            raise RuleInvalid("That is not one mail address.", hint="Write it as team@example.com.")
        # A person's own address is the one of the moment at which it is sent.
        return ("" if operator_id is not None else mailbox), None, None, ""
    if not draft.target:
        if before is None or before.channel is not draft.channel:
            raise RuleInvalid("Say where the messages go.", hint="It is an address that begins with https://.")
        return before.target, *store.sealed(before.id), ""
    url = draft.target.strip()
    host = _host(url)
    sealer = installation.sealer()
    address = sealer.seal(url.encode(), purpose=sending.ADDRESS)
    if draft.channel is Channel.SLACK:
        return host, address, None, ""
    secret = signing.new_secret()
    return host, address, sealer.seal(secret.encode(), purpose=sending.SECRET), secret


def _host(url: str) -> str:
    """The host of an address that may be called; ``RuleInvalid`` for any other."""
    private = configuration.current().notices_private
    if len(url) > LONGEST_URL or not outgoing.is_address(url) or not (private or url.startswith("https://")):
        raise RuleInvalid(
            "That is not an address that begins with https://.",
            hint="It has no user and no fragment. Whoever runs Trueup may allow http with TRUEUP_NOTICES_PRIVATE=true.",
        )
    host = urlsplit(url).hostname or ""
    if not private:
        try:
            fine = outgoing.is_public(host)
        except OSError:
            raise RuleInvalid(f"Nobody knows the host {host}.") from None
        if not fine:
            raise RuleInvalid(
                f"{host} is an address of a private network, and these are not called.",
                hint="Whoever runs Trueup may allow them with TRUEUP_NOTICES_PRIVATE=true.",
            )
    return host


def _facts(found: Rule) -> dict[str, Any]:
    """What the audit log has of a rule: never the address or its secret."""
    return {
        "name": found.name,
        "operator_id": found.operator_id,
        "kinds": sorted(found.kinds),
        "channel": found.channel.value,
        "target": found.target,
        "pace": found.pace.value,
        "hour": found.hour,
        "zone": found.zone,
        "account_id": found.account_id,
        "only_mine": found.only_mine,
        "at_least": None if found.at_least is None else str(found.at_least),
        "quiet": None if found.quiet_from is None else f"{found.quiet_from}-{found.quiet_until}",
        "with_names": found.with_names,
        "paused": found.paused,
    }
