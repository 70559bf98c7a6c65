"""A process that writes transactions, for ``bench.audit``: one line says what kind and how many, one line answers.

Every transaction does one insert as its work. Beside it stands nothing more (``work``), what a plain table of changes
takes (``plain``: an entry's columns, with what was before and after as JSON, the reason and the address), an entry that
holds no personal value (``entry``), or one with a reason and an address, which are kept apart encrypted (``personal``).
``change`` is a change as the product makes it, whole: a person makes an API token, through the service, which asks
whether they may, writes and records; ``change_plain`` is the same with a plain insert in the place of the entry. Each
answer is the milliseconds of each, its commit included, as JSON.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any, Final

import django
import msgspec
import psycopg

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trueup.config.settings")
django.setup()

from django.contrib.auth import get_user_model  # noqa: E402 - Django has to be set up before tables are imported

from trueup.audit import composing, service  # noqa: E402
from trueup.audit.types import Action, Phase  # noqa: E402
from trueup.kernel.actor import Actor, ActorKind  # noqa: E402
from trueup.operators.tokens import service as tokens  # noqa: E402
from trueup.operators.types import Role, Scope  # noqa: E402
from trueup.runtime import clock  # noqa: E402

BY: Final = Actor(kind=ActorKind.OPERATOR, id="7")
VALUES: Final[dict[str, Any]] = {
    "before": {"slug": "acme", "access": "watch", "has_api_key": False},
    "after": {"slug": "acme", "access": "act", "has_api_key": True},
}
WORK: Final = b"insert into bench_work (body) values (%(body)s)"
PLAIN: Final = b"""
insert into bench_plain (at, livemode, actor_kind, actor_id, behind_kind, behind_id, action, object_type, object_id,
                         request_id, body, why, origin)
values (%(at)s, %(livemode)s, %(actor_kind)s, %(actor_id)s, %(behind_kind)s, %(behind_id)s, %(action)s,
        %(object_type)s, %(object_id)s, %(request_id)s, %(body)b, %(why)s, %(origin)s) returning id
"""
WHY: Final = "Elena asked for it on the phone."
ORIGIN: Final = "203.0.113.7"


def columns() -> dict[str, Any]:
    """What a plain table is given of a change, but for its JSON."""
    draft = composing.compose(
        at=clock.now(),
        livemode=True,
        by=BY,
        action=Action.ACCOUNT_CHANGED,
        object_type="account",
        object_id="1",
        why="",
        origin="",
        facts=(),
        subject="",
        phase=Phase.DONE,
        intent=None,
        request_id="req_0123456789abcdef",
        **VALUES,
    )
    return dict(draft.columns) | {"why": WHY, "origin": ORIGIN}


def write(connection: psycopg.Connection[tuple[Any, ...]], kind: str, number: int, given: dict[str, Any]) -> None:
    """One transaction."""
    cursor = psycopg.Cursor(connection)
    with connection.transaction():
        cursor.execute(WORK, {"body": "x" * 200})
        if kind == "plain":
            now = {"at": clock.now(), "object_id": str(number % 100), "body": msgspec.json.encode(VALUES)}
            cursor.execute(PLAIN, given | now).fetchone()
        elif kind != "work":
            service.record(
                connection,
                by=BY,
                action=Action.ACCOUNT_CHANGED,
                object_type="account",
                object_id=str(number % 100),
                why=WHY if kind == "personal" else "",
                **VALUES,
            )


def change(record: Callable[..., int], by: Actor) -> None:
    """One change, recorded by ``record``."""
    service.record = record
    tokens.create_token(name="Elena's laptop", scopes=[Scope.READ], by=by)


def plain(connection: psycopg.Connection[tuple[Any, ...]], **told: Any) -> int:
    """What stands in the place of an entry: the change in a plain table, as most products keep it."""
    by, after = told["by"], told.get("after")
    values = {
        "at": clock.now(),
        "livemode": True,
        "actor_kind": by.kind.value,
        "actor_id": by.id,
        "behind_kind": "",
        "behind_id": "",
        "action": told["action"].value,
        "object_type": told["object_type"],
        "object_id": told["object_id"],
        "request_id": service.REQUEST_ID.get(),
        "body": msgspec.json.encode({"before": told.get("before"), "after": after}),
        "why": told.get("why", ""),
        "origin": service.ORIGIN.get(),
    }
    row = psycopg.Cursor(connection).execute(PLAIN, values).fetchone()
    return int(row[0]) if row else 0


def somebody() -> Actor:
    """A person who may make tokens."""
    email = f"bench-{os.getpid()}@acme.example"
    person = get_user_model().objects.create(email=email, roles=[Role.OWNER.value])
    return Actor(kind=ActorKind.OPERATOR, id=str(person.pk))


def main() -> None:
    """Write as told until there is nothing more to read."""
    given, by, record = columns(), somebody(), service.record
    service.REQUEST_ID.set("req_0123456789abcdef")
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        for line in sys.stdin:
            kind, count = line.split()
            service.ORIGIN.set("" if kind == "entry" else ORIGIN)
            taken = []
            for number in range(int(count)):
                started = time.perf_counter()
                if kind.startswith("change"):
                    change(record if kind == "change" else plain, by)
                else:
                    write(connection, kind, number, given)
                taken.append(round(1e3 * (time.perf_counter() - started), 4))
            print(json.dumps(taken), flush=True)


if __name__ == "__main__":
    main()
