"""Makes the compact tables behind the SQL views of Stripe's resources from the recorded schema.

``python -m tools.stripe_views`` reads ``stripe/schema-16.1.0.json`` below ``TRUEUP_SHARED`` and writes
``src/trueup/mirror/views/resources.py``, ``namespaced.py`` beside it, and the list of views in ``docs/sql.md``. What it
writes depends on the schema alone; a test writes again and compares.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

REPOSITORY: Final = Path(__file__).resolve().parents[1]
SCHEMA: Final = "stripe/schema-16.1.0.json"
VIEWS: Final = "src/trueup/mirror/views"
DOCS: Final = "docs/sql.md"
BEGIN: Final = "<!-- views: written by tools/stripe_views.py -->"
END: Final = "<!-- end of views -->"
WIDTH: Final = 120

Json = dict[str, Any]

LOG: Final = frozenset({"event", "v2.core.event"})
"""Types with an id that are the log itself: the inbox keeps them, and the mirror never does."""

MOMENT: Final = re.compile(
    r"(^|_)(at|on|by|from|until|after|time|timestamp|date|created|updated|expires|start|end|anchor)$"
)
MOMENTS: Final = frozenset({"next_payment_attempt", "next_pending_invoice_item_invoice"})
"""Moments whose names do not end as those of others do."""
MILLISECONDS: Final = re.compile(r"measured in milliseconds since", re.IGNORECASE)

SIMPLE: Final = {
    "str": "text",
    "enum": "text",
    "int": "bigint",
    "bool": "boolean",
    "float": "numeric",
    "Decimal": "numeric",
    "obj": "object",
    "map": "object",
    "listobj": "object",
    "list": "array",
}

PARTS: Final[Mapping[str, str]] = {
    # Lists of hashes inside an object that have no type of their own, and are worth a table: type and field.
    "subscription_schedule.phases": "subscription_schedule phases",
    "balance_transaction.fee_details": "balance_transaction fee_details",
    "price.tiers": "price tiers",
}
"""Name in the table of resources to where the fields of such a part stand in the schema."""


def kind(name: str, field: Json, classes: Mapping[str, bool]) -> str:
    """What a column holds, in the words of ``mirror.views.catalog.Kind``.

    ``classes`` tells of each of the SDK's classes whether its objects have an id.
    """
    told = field["t"]
    if name in {"deleted", "customer"}:
        return name
    if told == "int" and (MOMENT.search(name) or name in MOMENTS):
        return "milliseconds" if MILLISECONDS.search(field.get("doc", "")) else "moment"
    if told == "str" and MOMENT.search(name):
        return "moment"
    if field.get("expandable"):
        return "id"
    if told in {"ref", "union"}:
        named = [field["ref"]] if told == "ref" else [one["ref"] for one in field["of"]]
        return "embedded" if any(classes.get(one, False) for one in named) else "object"
    return SIMPLE[told]


def columns(fields: Mapping[str, Json], classes: Mapping[str, bool]) -> str:
    """The columns of one view: words ``kind:name,name``, sorted."""
    by_kind: dict[str, list[str]] = {}
    for told, field in fields.items():
        # The recorded schema follows the SDK, which cannot call an attribute ``from``.
        name = told.rstrip("_")
        if name == "id":
            continue
        found = kind(name, field, classes)
        if found == "embedded" and f"{name}_id" in fields:
            message = f"{name}_id is a field already"
            raise ValueError(message)
        by_kind.setdefault(found, []).append(name)
    return " ".join(f"{found}:{','.join(sorted(names))}" for found, names in sorted(by_kind.items()))


def resources(schema: Mapping[str, Json]) -> dict[str, str]:
    """Stripe's type name to its columns, for every type with an id and for the parts in ``PARTS``."""
    # Where several resources share a class's name, a reference to it might mean any of them.
    classes: dict[str, bool] = {}
    for resource in schema.values():
        classes[resource["class"]] = classes.get(resource["class"], True) and "id" in resource["fields"]
    found = {
        name.partition("@")[0]: columns(resource["fields"], classes)
        for name, resource in schema.items()
        if "id" in resource["fields"] and name.partition("@")[0] not in LOG
    }
    for part, place in PARTS.items():
        parent, field = place.split()
        found[part] = columns(schema[parent]["fields"][field]["of"]["fields"], classes)
    return dict(sorted(found.items()))


def module(words: str, table: Mapping[str, str]) -> str:
    """A Python module that holds a table; ``words`` says of what."""
    lines = [
        f'"""{words}: their columns, by what they hold.',
        "",
        "Written by ``tools/stripe_views.py``.",
        '"""',
        "",
        "from __future__ import annotations",
        "",
        "from collections.abc import Mapping",
        "from typing import Final",
        "",
        "RESOURCES: Final[Mapping[str, str]] = {",
    ]
    for name, text in table.items():
        whole = f'    "{name}": "{text}",'
        if len(whole) <= WIDTH:
            lines.append(whole)
            continue
        lines.append(f'    "{name}": (')
        lines += [f'        "{part}"' for part in broken(text, WIDTH - 10)]
        lines.append("    ),")
    return "\n".join([*lines, "}", ""])


def broken(text: str, width: int) -> list[str]:
    """A text cut behind commas and spaces into parts of at most ``width`` characters; joined they are the text."""
    parts = [""]
    for piece in re.findall(r"[^, ]+[, ]?", text):
        if len(parts[-1]) + len(piece) > width:
            parts.append("")
        parts[-1] += piece
    return parts


def listing(catalog: Mapping[str, int]) -> str:
    """The list of views for a reader: each name with the number of its columns."""
    lines: list[str] = []
    for piece in (f"`{name}` ({number})" for name, number in sorted(catalog.items())):
        if lines and len(lines[-1]) + len(piece) + 3 <= WIDTH:
            lines[-1] += f" · {piece}"
        else:
            lines.append(piece)
    return "\n".join([BEGIN, " ·\n".join(lines), END])


def documented(page: str, text: str) -> str:
    """The page with the list between its marks replaced."""
    before, _, rest = page.partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        message = f"{DOCS} has no place for the list"
        raise ValueError(message)
    return before + text + after


def outputs(schema: Mapping[str, Json]) -> dict[str, str]:
    """Path in the repository to what belongs into it."""
    table = resources(schema)
    plain = {name: text for name, text in table.items() if "." not in name or name in PARTS}
    rest = {name: text for name, text in table.items() if name not in plain}
    return {
        f"{VIEWS}/resources.py": module("Stripe's resources without a namespace, and parts of them", plain),
        f"{VIEWS}/namespaced.py": module("Stripe's resources of a namespace, such as ``issuing.card``", rest),
    }


def main() -> int:
    """Write all of it."""
    shared = Path(os.environ.get("TRUEUP_SHARED") or REPOSITORY.parent / "shared")
    for path, text in outputs(json.loads((shared / SCHEMA).read_bytes())).items():
        (REPOSITORY / path).write_text(text, encoding="utf-8")
        print(path)
    # Imported when the tables are new, because the list is of what they say.
    from trueup.mirror.views import catalog, sql  # noqa: PLC0415

    page = REPOSITORY / DOCS
    text = listing({view.name: len(sql.select_list(view)) for view in catalog.VIEWS})
    page.write_text(documented(page.read_text(encoding="utf-8"), text), encoding="utf-8")
    print(DOCS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
