"""Commands on the SQL views of Stripe's objects."""

from __future__ import annotations

from typing import Annotated

import typer

from trueup.kernel.errors import Refused
from trueup.mirror.views import sql
from trueup.mirror.views.catalog import VIEWS, View
from trueup.ops import output

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
views_app = typer.Typer(no_args_is_help=True, help="The SQL views of Stripe's objects: stripe.customers and others.")


@views_app.command("list")
def list_views(as_json: AsJson = False) -> None:
    """List the views with Stripe's type and the number of columns."""
    views = sorted(VIEWS, key=lambda view: view.name)
    if as_json:
        output.emit([_described(view) for view in views])
        return
    rows = (
        (
            f"{sql.SCHEMA}.{view.name}",
            ".".join((view.object_type, *(view.child.path if view.child else ()))),
            len(sql.select_list(view)),
        )
        for view in views
    )
    output.table(["View", "Stripe", "Columns"], rows, empty="None.")


@views_app.command("sql")
def show_sql(
    names: Annotated[list[str] | None, typer.Argument(help="Views, such as customers; all when left out.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print the SQL that makes the views, with what they need."""
    wanted = set(names or ())
    made = [one for one in sql.everything() if not wanted or one.name in wanted]
    unknown = wanted - {one.name for one in made}
    if unknown:
        raise Refused(f"There is no view {min(unknown)}.", code="view_unknown", hint="See them all: trueup views list")
    if as_json:
        output.emit([{"name": one.name, "kind": one.kind, "sql": one.create.strip()} for one in made])
        return
    for one in made:
        output.say(f"{one.create.strip()};\n")


def _described(view: View) -> dict[str, object]:
    return {
        "name": view.name,
        "object_type": view.object_type,
        "path": list(view.child.path) if view.child else None,
        "columns": [{"name": name, "type": kind} for name, kind, _ in sql.select_list(view)],
    }


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(views_app, name="views")
