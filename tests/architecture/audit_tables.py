"""The tables of the walk in ``test_audit_walk``: every function of a service and every command, each in one of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from tests.architecture import (
    audit_tables_alarms,
    audit_tables_audit,
    audit_tables_entrance,
    audit_tables_lists,
    audit_tables_money,
    audit_tables_notices,
    audit_tables_people,
    audit_tables_sso,
    audit_tables_team,
)
from tests.web.console import world
from trueup.accounts import registry
from trueup.accounts import service as accounts
from trueup.accounts.types import Account
from trueup.customer import merging
from trueup.customer import service as customers
from trueup.customer.identity import service as identity
from trueup.customer.types import Failure, LinkKind
from trueup.inbox import dead_letters
from trueup.inbox import service as inbox
from trueup.inbox.sweep import service as sweeps
from trueup.kernel.actor import Actor, ActorKind
from trueup.mirror import service as mirror
from trueup.mirror.backfill import service as backfill
from trueup.mirror.reconcile import service as reconcile
from trueup.mirror.replay import service as replay
from trueup.mirror.replay.types import Selection
from trueup.mirror.types import ObjectKey
from trueup.operators import service as operators
from trueup.operators.tokens import service as tokens
from trueup.operators.types import NewToken, Person, Scope
from trueup.runtime import database
from trueup.runtime.crypto import Sealer

BY = Actor(kind=ActorKind.COMMAND_LINE, id="ada")
FAILURE = Failure(
    amount=None, at=datetime(2026, 11, 1, tzinfo=UTC), object_type="charge", object_id="ch_1", code=None, reason=""
)
NO_CASES = b'{"format": "growth-metric-cases/1", "cases": []}'
PASSWORD = "correct horse battery"
SECRET = "whsec_" + "b" * 32
SEALER = Sealer(bytes(32))


class Stage:
    """What the scenarios act on: an account, customers, a person and a token."""

    def __init__(self) -> None:
        self.account: Account = world.connect()
        world.many(self.account, 2)
        self.person: Person = operators.create_operator(email="elena@acme.example", password=PASSWORD, by=BY)
        self.token: NewToken = tokens.create_token(name="ci", scopes=[Scope.READ], by=BY)
        self.customer = customers.get("cus_000")
        self.key = (self.account.id, False, "cus_000")
        identity.link(id="cus_001", kind=LinkKind.USER, value="u9", by=BY)
        database.execute(
            "insert into inbox_pending (account_id, livemode, event_id, created, attempts, last_error, set_aside_at)"
            " select account_id, livemode, event_id, created, 8, 'odd: It is odd.', now() from inbox_event limit 1"
        )
        self.second = accounts.add_webhook_secret(slug="acme", secret=SECRET, sealer=SEALER, by=BY)
        self.keyed = connect("keyed", api_key="sk_test_keyed")
        self.running = connect("running", api_key="sk_test_running")
        backfill.start(account=self.running, by=BY)
        self.comparison = reconcile.start(account=self.running, by=BY)
        self.replay = replay.start(Selection(everything=True), why="Because.", by=BY)


def connect(name: str = "other", **given: Any) -> Account:
    """Connect an account by its service."""
    unset = dict.fromkeys(("livemode", "access", "api_base", "stripe_account_id"))
    fields: dict[str, Any] = {"api_key": "", "webhook_secrets": []} | unset
    return accounts.connect(name=name, sealer=SEALER, by=BY, **(fields | given))


Scenario = Callable[[Stage], object]
CUSTOMER = ObjectKey(account_id=1, livemode=False, object_type="customer", object_id="cus_000")

CHANGES: dict[str, tuple[Scenario, list[str]]] = {
    "accounts.connect": (
        lambda _: [connect(webhook_secrets=[SECRET]), connect(stripe_account_id="acct_1")],
        ["accounts.account.connected", "accounts.webhook_secret.added", "accounts.account.changed"],
    ),
    "accounts.add_webhook_secret": (
        lambda _: accounts.add_webhook_secret(slug="acme", secret=SECRET + "c", sealer=SEALER, by=BY),
        ["accounts.webhook_secret.added"],
    ),
    "accounts.retire_webhook_secret": (
        lambda stage: accounts.retire_webhook_secret(slug="acme", secret_id=stage.second.id, by=BY),
        ["accounts.webhook_secret.retired"],
    ),
    "accounts.registry.appear": (
        lambda stage: registry.appear(
            database.connection(), parent_id=stage.account.id, livemode=False, stripe_account_id="acct_2"
        ),
        ["accounts.account.appeared"],
    ),
    "inbox.dead_letters.retry": (lambda _: dead_letters.retry(by=BY), ["inbox.dead_letters.retried"]),
    "inbox.dead_letters.discard": (
        lambda _: [
            dead_letters.discard(cause=dead_letters.groups()[0].cause, why="Not ours.", by=BY, dry_run=preview)
            for preview in (True, False)
        ],
        ["inbox.dead_letters.discarded"],
    ),
    "mirror.replay.start": (
        lambda _: replay.start(Selection(everything=True), why="Because.", by=BY),
        ["mirror.replay.started"],
    ),
    "mirror.replay.cancel": (
        lambda stage: replay.cancel(stage.replay.id, by=BY),
        ["mirror.replay.canceled"],
    ),
    "mirror.replay.proceed": (
        lambda _: [(database.execute("update mirror_replay set due_at = now()"), replay.proceed()) for _turn in "12"],
        ["mirror.replay.ended"],
    ),
    "mirror.backfill.start": (
        lambda stage: [backfill.start(account=stage.keyed, by=BY) for _ in range(2)],
        ["mirror.backfill.started"],
    ),
    "mirror.reconcile.start": (
        lambda stage: [reconcile.start(account=stage.keyed, by=BY) for _ in range(2)],
        ["mirror.reconcile.started"],
    ),
    "mirror.reconcile.cancel": (
        lambda stage: reconcile.cancel(stage.comparison.id, by=BY),
        ["mirror.reconcile.cancelled"],
    ),
    "mirror.backfill.cancel": (
        lambda stage: backfill.cancel(account=stage.running, by=BY),
        ["mirror.backfill.cancelled"],
    ),
    "mirror.backfill.resume": (
        lambda stage: [do(account=stage.running, by=BY) for do in (backfill.resume, backfill.cancel, backfill.resume)],
        ["mirror.backfill.cancelled", "mirror.backfill.resumed"],
    ),
    "customer.rebuild": (lambda _: customers.rebuild(by=BY), ["customer.states.rebuilt"]),
    "customer.refold": (lambda _: customers.refold(ids=["cus_000"], by=BY), ["customer.customers.refolded"]),
    "customer.merging.merge": (
        lambda _: [
            merging.merge(id="cus_000", others=["cus_001"], by=BY, preview=preview) for preview in (True, False)
        ],
        ["customer.customers.merged"],
    ),
    "customer.merging.split": (
        lambda _: [merging.merge(id="cus_000", others=["cus_001"], by=BY), merging.split(id="cus_000", by=BY)],
        ["customer.customers.merged", "customer.customers.split"],
    ),
    "customer.identity.link": (
        lambda _: identity.link(id="cus_000", kind=LinkKind.USER, value="u1", by=BY),
        ["customer.link.added"],
    ),
    "customer.identity.unlink": (
        lambda _: [do(id="cus_000", kind=LinkKind.USER, value="u1", by=BY) for do in (identity.link, identity.unlink)],
        ["customer.link.added", "customer.link.removed"],
    ),
    "customer.identity.dismiss_duplicate": (
        lambda _: identity.dismiss_duplicate(first="cus_000", second="cus_001", by=BY),
        ["customer.duplicate.dismissed"],
    ),
    "customer.identity.restore_duplicate": (
        lambda _: [
            do(first="cus_000", second="cus_001", by=BY)
            for do in (identity.dismiss_duplicate, identity.restore_duplicate)
        ],
        ["customer.duplicate.dismissed", "customer.duplicate.restored"],
    ),
    **audit_tables_alarms.CHANGES,
    **audit_tables_audit.CHANGES,
    **audit_tables_lists.CHANGES,
    **audit_tables_notices.CHANGES,
    **audit_tables_money.CHANGES,
    **audit_tables_entrance.CHANGES,
    **audit_tables_people.CHANGES,
    **audit_tables_sso.CHANGES,
    **audit_tables_team.CHANGES,
}
"""What changes state, and the entries it has to leave, in order."""

READS: dict[str, Scenario] = {
    "accounts.account": lambda stage: accounts.account(stage.account.id),
    "accounts.accounts": lambda _: accounts.accounts(),
    "accounts.readable": lambda _: accounts.readable(),
    "accounts.api_key_of": lambda stage: accounts.api_key_of(stage.account, sealer=SEALER),
    "accounts.check": lambda _: accounts.check(
        name="x", api_key="", webhook_secrets=[], livemode=None, access=None, api_base=None
    ),
    "accounts.webhook_secrets": lambda _: accounts.webhook_secrets("acme"),
    "inbox.sweep.gaps": lambda _: sweeps.gaps(),
    "inbox.sweep.named": lambda _: sweeps.named("acme"),
    "inbox.sweep.readable": lambda _: sweeps.readable(),
    "inbox.sweep.numbers": lambda _: sweeps.numbers(),
    "inbox.sweep.sweeps": lambda _: sweeps.sweeps(),
    "inbox.awaiting_depth": lambda _: inbox.awaiting_depth(database.connection()),
    "inbox.bodies": lambda stage: inbox.bodies([(*stage.key, datetime.now(UTC))]),  # noqa: TID251 - any moment does
    "inbox.dead_letters.depths": lambda _: dead_letters.depths(database.connection()),
    "inbox.dead_letters.groups": lambda _: dead_letters.groups(),
    "inbox.dead_letters.letters": lambda _: dead_letters.letters(dead_letters.groups()[0].cause),
    "inbox.dead_letters.unread": lambda _: dead_letters.unread([]),
    "mirror.replay.get": lambda stage: replay.get(stage.replay.id),
    "mirror.replay.replays": lambda _: replay.replays(),
    "mirror.replay.require_known": lambda _: replay.require_known(Selection(everything=True)),
    "inbox.depth": lambda _: inbox.depth(database.connection()),
    "inbox.event": lambda _: inbox.event(inbox.events().data[0].event_id),
    "inbox.events": lambda _: inbox.events(),
    "inbox.named_in": lambda _: inbox.named_in([]),
    "inbox.pending_events": lambda _: inbox.pending_events([]),
    "inbox.quarantined": lambda _: inbox.quarantined(),
    "inbox.quarantined_body": lambda _: [inbox.quarantined_body(row.id) for row in inbox.quarantined().data],
    "inbox.types_since": lambda _: inbox.types_since(datetime.now(UTC)),  # noqa: TID251 - any moment does
    "inbox.stats": lambda _: inbox.stats(),
    "mirror.reconcile.account_of": lambda _: reconcile.account_of("acme"),
    "mirror.reconcile.closed": lambda _: reconcile.closed(),
    "mirror.reconcile.counted": lambda _: reconcile.counted(),
    "mirror.reconcile.customers_differing": lambda _: reconcile.customers_differing(limit=5),
    "mirror.reconcile.differences": lambda _: reconcile.differences(),
    "mirror.reconcile.drift": lambda _: reconcile.drift(),
    "mirror.reconcile.expected": lambda stage: reconcile.expected(stage.comparison.id),
    "mirror.reconcile.of_run": lambda stage: reconcile.of_run(stage.comparison.id),
    "mirror.reconcile.repaired_by": lambda stage: reconcile.repaired_by(stage.comparison.id),
    "mirror.reconcile.run": lambda stage: reconcile.run(stage.comparison.id),
    "mirror.reconcile.runs": lambda _: reconcile.runs(),
    "mirror.reconcile.type_of": lambda _: reconcile.type_of("coupon"),
    "mirror.backfill.account_of": lambda _: backfill.account_of("acme"),
    "mirror.backfill.all_progress": lambda _: backfill.all_progress(),
    "mirror.backfill.latest": lambda stage: backfill.latest(stage.running),
    "mirror.backfill.last": lambda stage: backfill.last(stage.account),
    "mirror.backfill.progress": lambda stage: backfill.progress(stage.running),
    "mirror.backfill.reads": lambda stage: backfill.reads(backfill.progress(stage.running).run),
    "mirror.backfill.types": lambda _: backfill.types(),
    "mirror.completed": lambda _: mirror.completed([CUSTOMER]),
    "mirror.fetches": lambda _: mirror.fetches(),
    "mirror.depth": lambda _: mirror.depth(database.connection()),
    "mirror.compare": lambda _: [
        mirror.compare("cus_000", before=one.event_id, after=one.event_id) for one in mirror.versions("cus_000").data
    ],
    "mirror.get": lambda _: mirror.get("cus_000"),
    "mirror.history": lambda stage: mirror.history(stage.key, before=(2**62, ""), only=["customer.created"], limit=5),
    "mirror.event_types": lambda _: mirror.event_types([(CUSTOMER, 0, "evt_1")]),
    "mirror.last_event_then": lambda stage: mirror.last_event_then([stage.key], at=2**31, known_at=None),
    "mirror.last_events": lambda stage: mirror.last_events([stage.key]),
    "mirror.objects": lambda _: mirror.objects([]),
    "mirror.objects_at": lambda stage: mirror.objects_at(customers=[stage.key], types=["customer"], at=2**31),
    "mirror.owners_of": lambda _: mirror.owners_of("cus_000"),
    "mirror.search": lambda _: mirror.search(),
    "mirror.versions": lambda _: mirror.versions("cus_000"),
    "mirror.objects_of": lambda stage: mirror.objects_of([stage.key], ["customer"]),
    "customer.billed": lambda stage: customers.billed(stage.customer),
    "customer.reason_told": lambda _: customers.reason_told("card_declined"),
    "customer.charged_method": lambda _: customers.charged_method({}),
    "customer.contact": lambda _: customers.contact("cus_000"),
    "customer.contact_of": lambda stage: customers.contact_of(stage.customer.state),
    "customer.counts": lambda _: customers.counts(),
    "customer.failure_told": lambda _: customers.failure_told(FAILURE),
    "customer.folding": lambda _: customers.folding(),
    "customer.get": lambda _: customers.get("cus_000"),
    "customer.get_at": lambda _: customers.get_at("cus_000", at=datetime.now(UTC)),  # noqa: TID251 - any moment does
    "customer.identity.duplicates": lambda _: identity.duplicates(),
    "customer.identity.links": lambda _: identity.links("cus_000"),
    "customer.identity.people": lambda _: identity.people(),
    "customer.identity.person": lambda _: identity.person(identity.people().data[0].id),
    "customer.identity.violations": lambda _: identity.violations(),
    "customer.metric_cases": lambda _: customers.metric_cases(NO_CASES),
    "customer.names": lambda stage: customers.names([stage.key]),
    "customer.price_names": lambda _: customers.price_names(customers.get("cus_000")),
    "customer.revenue_then": lambda stage: customers.revenue_then(stage.customer, [datetime.now(UTC)]),  # noqa: TID251 - any moment does
    "customer.search": lambda _: customers.search(),
    "customer.why": lambda _: customers.why("cus_000", "stage"),
    **audit_tables_alarms.READS,
    **audit_tables_audit.READS,
    **audit_tables_lists.READS,
    **audit_tables_notices.READS,
    **audit_tables_money.READS,
    **audit_tables_entrance.READS,
    **audit_tables_people.READS,
    **audit_tables_sso.READS,
    **audit_tables_team.READS,
}
"""What only reads; it is run where writing is forbidden."""

UNRECORDED = {
    "accounts.check_key": "Plants the canary of a key that the operator set; nothing is decided here.",
    "customer.mark_outdated": "Queues derived state to be computed again; the rule that changed it is in the release.",
    "inbox.sweep.run": "Stores facts, as the intake does; accounts.registry.appear records what appears.",
    "inbox.sweep.sweep": "Stores facts; see inbox.sweep.run.",
    "inbox.sweep.endpoint": "Asks Stripe, and writes nothing.",
    "inbox.sweep.require_past": "Asks Stripe what time it is, and writes nothing.",
    "inbox.sweep.restored": "Part of a restore, which is on record as ops.backup.restored.",
    "inbox.sweep.close_gap": "Notes that a backfill made good what was lost; whoever started it is on record there.",
    "inbox.lease_awaiting": "Says who fetches what for a while; nothing is decided here.",
    "inbox.finish_awaiting": "Empties a queue of derived work.",
    "inbox.fail_awaiting": "Notes on a queue of derived work why it waits.",
    "inbox.ensure_partitions": "Makes room by the calendar.",
    "inbox.read_again": "Queues the log to be read once more; who asked for it is the caller's to record.",
    "inbox.dead_letters.put_aside": "Sets an event aside whose replay failed; the replay is recorded.",
    "inbox.dead_letters.settle": "Forgets that an event was set aside whose replay succeeded; the replay is recorded.",
    "inbox.dead_letters.watch": "Lets alarms stand for what is set aside at this moment; nothing is decided here.",
    "mirror.replay.preview": "Reads events again to see what changes, and takes it all back.",
    "mirror.note_folded": "Forgets rows that were set aside and whose work is done since; nothing is decided here.",
    "mirror.reconcile.tidy": "Deletes by the calendar what is over.",
    "mirror.backfill.read_here": "Reads for a run; who started that is recorded.",
    "mirror.rebuild": "Drops derived state, which the log makes again; who asked for it is the caller's to record.",
    "mirror.mark_changed": "Queues derived state; what the caller changed is the caller's to record.",
    **audit_tables_alarms.UNRECORDED,
    **audit_tables_audit.UNRECORDED,
    **audit_tables_entrance.UNRECORDED,
    **audit_tables_notices.UNRECORDED,
    **audit_tables_people.UNRECORDED,
    **audit_tables_sso.UNRECORDED,
    **audit_tables_team.UNRECORDED,
}
"""What writes and is not recorded, and why."""

COMMANDS: dict[str, tuple[list[str], list[str]]] = {
    "connect": (["connect", "--name", "other"], ["accounts.account.connected"]),
    "secrets add": (["secrets", "add", "acme", "--secret", SECRET + "c"], ["accounts.webhook_secret.added"]),
    "secrets retire": (["secrets", "retire", "acme", "{second}"], ["accounts.webhook_secret.retired"]),
    "backfill start": (["backfill", "keyed", "--no-follow"], ["mirror.backfill.started"]),
    "backfill cancel": (["backfill", "cancel", "running"], ["mirror.backfill.cancelled"]),
    "backfill resume": (["backfill", "resume", "running", "--no-follow"], []),
    "backfill status": (["backfill", "status"], []),
    "backfill types": (["backfill", "types"], []),
    "drift": (["drift"], []),
    "rebuild": (["rebuild", "all", "--yes"], ["customer.tables.rebuilt"]),
    "replay start": (["replay", "--all", "--reason", "Because.", "--yes"], ["mirror.replay.started"]),
    "replay list": (["replay", "list"], []),
    "replay status": (["replay", "status", "{replay}"], []),
    "replay cancel": (["replay", "cancel", "{replay}"], ["mirror.replay.canceled"]),
    "dead-letters show": (["dead-letters", "show", "{cause}"], []),
    "dead-letters retry": (["dead-letters", "retry", "{cause}"], ["inbox.dead_letters.retried"]),
    "dead-letters discard": (
        ["dead-letters", "discard", "{cause}", "--reason", "Not ours.", "--yes"],
        ["inbox.dead_letters.discarded"],
    ),
    "customer refold": (["customer", "refold", "cus_000"], ["customer.customers.refolded"]),
    "customer merge": (["customer", "merge", "cus_000", "cus_001", "--yes"], ["customer.customers.merged"]),
    "customer split": (["customer", "split", "cus_000", "--yes"], []),
    "customer link": (["customer", "link", "cus_000", "user", "u1"], ["customer.link.added"]),
    "customer unlink": (["customer", "unlink", "cus_001", "user", "u9"], ["customer.link.removed"]),
    "customer dismiss": (["customer", "dismiss", "cus_000", "cus_001"], ["customer.duplicate.dismissed"]),
    "customer links": (["customer", "links", "cus_000"], []),
    "customer people": (["customer", "people"], []),
    "customer duplicates": (["customer", "duplicates"], []),
    "customer violations": (["customer", "violations"], []),
    "accounts": (["accounts"], []),
    "customers": (["customers"], []),
    "links": (["links", "cus_000"], []),
    "people": (["people"], []),
    "person": (["person", "{person}"], []),
    "customer contact": (["customer", "contact", "cus_000"], []),
    "customer show": (["customer", "show", "cus_000"], []),
    "customer history": (["customer", "history", "cus_000"], []),
    "customer why": (["customer", "why", "cus_000", "stage"], []),
    "events": (["events"], []),
    "event show": (["event", "show", "{event}"], []),
    "object show": (["object", "show", "cus_000"], []),
    "object versions": (["object", "versions", "cus_000"], []),
    "objects": (["objects"], []),
    "status": (["status"], []),
    "secrets list": (["secrets", "list", "acme"], []),
    "migrate": (["migrate"], []),
    "metrics case": (["metrics", "case", "{cases}"], []),
    "views list": (["views", "list"], []),
    "views sql": (["views", "sql", "customers"], []),
    "limits": (["limits"], []),
    **audit_tables_audit.COMMANDS,
    **audit_tables_entrance.COMMANDS,
    **audit_tables_notices.COMMANDS,
    **audit_tables_people.COMMANDS,
    **audit_tables_team.COMMANDS,
}
"""Commands as they are typed, and the entries each has to leave; those that read leave none."""

SERVING = {
    "up": "Serves; what is changed through it is changed by services.",
    "check-access": "Asks Stripe, and writes nothing but what of its budget is left.",
    "web": "Serves; see up.",
    "intake": "Serves; stores what is signed, and accounts.registry.appear records what appears.",
    "worker": "Derives; see up.",
    "sweep": "Asks Stripe, and stores facts as the intake does; see inbox.sweep.run.",
    "reconcile": "Asks Stripe; started by mirror.reconcile.start, and what it repairs is recorded at its end.",
    "demo": "Makes its person, token and account by services; run in a test of its own below.",
    "backup": "Copies a database as it is committed; what it records is tested in tests/ops/backup.",
    "backups": "Reads files.",
    "restore": "Makes a database; what it records there is tested in tests/ops/backup.",
    **audit_tables_audit.SERVING,
}
"""Commands that do not end or need a database of their own, and where what they change is recorded."""
