"""Commands on notifications: who is told of what, and what could not be delivered."""

from __future__ import annotations

from typing import Annotated

import typer

from trueup.kernel.errors import Refused
from trueup.notices import service as notices
from trueup.notices.types import Delivery, Rule, Status
from trueup.ops import output
from trueup.ops.actors import command_line

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
notices_app = typer.Typer(no_args_is_help=True, help="Notifications: rules, tests, and messages that did not arrive.")


@notices_app.command("list")
def list_notices(
    failed: Annotated[bool, typer.Option("--failed", help="Messages that could not be delivered.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the rules of all people and of the team, or the messages that could not be delivered."""
    if failed:
        found = notices.deliveries(everybody=True, status=Status.FAILED, limit=200)
        if as_json:
            output.emit([_delivery(one) for one in found])
            return
        rows = [(one.id, one.rule_name, one.channel.value, one.attempts, one.error) for one in found]
        output.table(["Message", "Rule", "Where", "Tries", "Why"], rows, empty="Everything was delivered.")
        return
    rules = notices.everything()
    if as_json:
        output.emit([_rule(one) for one in rules])
        return
    told = [
        (
            one.id,
            one.name,
            "the team" if one.operator_id is None else f"operator {one.operator_id}",
            one.channel.value,
            one.pace.value,
            "paused" if one.paused else "on",
            " ".join(sorted(one.kinds)),
        )
        for one in rules
    ]
    output.table(["Rule", "Name", "Whose", "Where", "When", "State", "What"], told, empty="Nobody is told of anything.")


@notices_app.command("test")
def send_test(
    rule: Annotated[int, typer.Argument(help="The number of a rule, as trueup notices list has it.")],
    as_json: AsJson = False,
) -> None:
    """Send an invented message to where a rule leads, and print what the receiver said; with --json also a refusal."""
    attempt = notices.test(rule_id=rule, by=command_line())
    if as_json:
        output.emit({"taken": attempt.taken, "words": attempt.words})
        return
    if not attempt.taken:
        raise Refused(f"It was not taken: {attempt.words}", code="notice_not_taken")
    output.say(f"It was taken: {attempt.words}")


@notices_app.command("resend")
def resend(
    message: Annotated[int, typer.Argument(help="Its number, as trueup notices list --failed has it.")],
    as_json: AsJson = False,
) -> None:
    """Send a message anew that could not be delivered."""
    found = notices.resend(delivery_id=message, by=command_line())
    if as_json:
        output.emit(_delivery(found))
        return
    output.say(f"Message {found.id} is sent again by the worker.")


def _rule(one: Rule) -> dict[str, object]:
    return {
        "id": one.id,
        "name": one.name,
        "operator_id": one.operator_id,
        "kinds": sorted(one.kinds),
        "channel": one.channel.value,
        "target": one.target,
        "pace": one.pace.value,
        "paused": one.paused,
    }


def _delivery(one: Delivery) -> dict[str, object]:
    return {
        "id": one.id,
        "rule_id": one.rule_id,
        "channel": one.channel.value,
        "status": one.status.value,
        "attempts": one.attempts,
        "error": one.error,
        "due_at": one.due_at.isoformat(),
    }


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(notices_app, name="notices")
