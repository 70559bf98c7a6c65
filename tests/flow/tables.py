"""Every table of an installation: what is made from the log, column by column, and what is not, with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from tests.flow.conftest import Ask
from tests.instance import TESTER, Json
from trueup.customer import service as customers
from trueup.customer.drain import DRAIN as CUSTOMER
from trueup.mirror.drain import DRAIN as MIRROR
from trueup.runtime import drains

DERIVED: Final = {
    "mirror_object": "true",
    "mirror_version": "true",
    "mirror_about": "true",
    "mirror_changed": "true",
    "customer_customer": "true",
    "customer_lookup": "true",
    "customer_turn": "true",
    "customer_trait": "source in ('stripe', 'metadata')",
}
"""Tables that are made from the log, and which of their rows are."""

ABSENT: Final = "absent"

WORK: Final = {"customer_customer": ["folded_at"], "mirror_about": ["since", "settled"]}
"""Columns that say when the work was done, not what came of it."""

KEPT: Final = {
    "customer_moved": "customers that others may have to be told about; a rebuild queues them again to no effect",
    "customer_merged": "people said which Stripe customers are one, and no event tells it",
    "customer_dismissal": "people said which customers are two, and no event tells it",
    "customer_trait": "rows whose source is operator or api: people and programs linked them, and no event tells it",
    "customer_owner": "people said who looks after a customer",
    "customer_note": "people wrote these",
    "customer_view": "lists that people keep under a name",
    "notices_rule": "people said who is told of what",
    "notices_seen": "what was seen of customers before, so that what is made again is no news",
    "notices_change": "what was found to have happened, when it did",
    "notices_delivery": "messages that were sent, or are to be",
    "notices_item": "what each message is about",
    "inbox_event": "the log itself",
    "inbox_pending": "the log's reader stands here; empty once all is read, but for events that were set aside",
    "inbox_awaitingfetch": "thin events of the log, whose objects nobody has fetched yet",
    "inbox_quarantined": "signed bodies that are no events: beside the log, and as raw as it",
    "inbox_discarded": "people gave these events up, and no event tells it",
    "inbox_alarm": "what stands wrong at the moment, said again by whoever looks",
    "inbox_pastalarm": "what stood wrong, and who was on it",
    "inbox_sweep": "how far Stripe's own list of events was read",
    "mirror_fetch": "what is still to be read from Stripe; a rebuild asks again for what is open",
    "mirror_backfillrun": "who had an account's lists read, and when",
    "mirror_backfillspan": "how far each list was read",
    "mirror_reconcilerun": "who had what compared with Stripe, and what came of it",
    "mirror_reconcileseen": "what a comparison under way has seen",
    "mirror_drift": "what differed from Stripe when it was compared last",
    "accounts_budget": "calls to Stripe that are left at this moment",
    "mirror_replay": "who had which events read again, and why",
    "mirror_replayevent": "events that such a reading has yet to come to",
    "accounts_account": "what the operator connected",
    "accounts_canary": "tells the right key of the installation from a wrong one",
    "accounts_revision": "counts changes of accounts, so that the intake reads them again",
    "accounts_webhooksecret": "what the operator gave",
    "audit_entry": "who did what before the log was a tree",
    "audit_pending": "what of it was not taken over yet",
    "audit_logentry": "who did what: append-only, and a log of its own",
    "audit_unsealed": "entries before they have their place in the tree",
    "audit_disclosure": "personal values of entries",
    "audit_subjectkey": "keys of the subjects that those speak of",
    "audit_signingkey": "the keys that sign the tree",
    "audit_leaf": "the tree over the entries",
    "audit_tile": "the tree over the entries",
    "audit_checkpoint": "the tree's signed roots",
    "audit_cosignature": "what witnesses signed",
    "audit_anchor": "what others outside gave back for a root",
    "audit_sink": "how those outside stand",
    "audit_minimum": "what retention keeps",
    "audit_erasure": "whose values were erased",
    "audit_hold": "what may not be erased or dropped",
    "audit_verification": "checks of the log against its tree",
    "audit_check": "checks that somebody asked for",
    "audit_look": "who looked at which customer",
}
"""Tables of ours that no event tells, and why."""

OTHERS: Final = ("account_email", "auth_", "django_", "mfa_", "operators_", "procrastinate_")
"""Tables about whoever uses the console, of the machinery, and of its jobs: nothing in them is about Stripe."""


def stored(ask: Ask) -> dict[str, list[Json]]:
    """All rows of the derived tables, with every column but those of ``WORK``."""
    columns = "(to_jsonb(t) - %s::text[])"
    return {
        name: [
            row
            for row, _text in ask(
                f"select {columns}, {columns}::text from {name} t where {which} order by 2",
                *[WORK.get(name, [])] * 2,
            )
        ]
        for name, which in DERIVED.items()
    }


def kept(ask: Ask) -> dict[str, list[str]]:
    """All rows that a rebuild has to leave as they are, whole; without those that it writes itself."""
    asked = {name: "true" for name in KEPT if not name.startswith("audit_")}
    asked["customer_moved"] = "false"
    asked["customer_trait"] = "source in ('operator', 'api')"
    return {
        name: [row for (row,) in ask(f"select to_jsonb(t)::text from {name} t where {which} order by 1")]
        for name, which in asked.items()
    }


def rebuild() -> None:
    """Drop what was made from the log, and make it again."""
    customers.rebuild(by=TESTER)
    drains.empty(MIRROR)
    drains.empty(CUSTOMER)


def differences(found: Any, expected: Any, path: str = "") -> Iterator[str]:
    """Where two values differ, one line each: rows and states are too large to be shown whole."""
    if isinstance(found, msgspec.Struct) and type(found) is type(expected):
        found, expected = msgspec.structs.asdict(found), msgspec.structs.asdict(expected)
    if isinstance(found, dict) and isinstance(expected, dict):
        for key in dict.fromkeys([*found, *expected]):
            yield from differences(found.get(key, ABSENT), expected.get(key, ABSENT), f"{path}/{key}")
    elif isinstance(found, (list, tuple)) and isinstance(expected, (list, tuple)) and len(found) == len(expected):
        for number, pair in enumerate(zip(found, expected, strict=True)):
            yield from differences(*pair, f"{path}/{number}")
    elif found != expected:
        yield f"{path}: {found} is not {expected}"
