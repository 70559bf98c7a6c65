"""Makes the table of what can be read in Stripe's API, and where, from the installed SDK and the recorded schema.

``python -m tools.stripe_resources`` reads the SDK's source and, below ``TRUEUP_SHARED``, ``stripe/schema-16.1.0.json``
and the lists of events, and writes ``src/trueup/connectors/stripe/resource_table.py``. What it writes depends on these
alone, and on what is said by hand below, each with its reason; a test writes again and compares.
"""

from __future__ import annotations

import ast
import csv
import json
import os
import re
import sys
import textwrap
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tools.sandbox_tables import events, sdk

REPOSITORY: Final = Path(__file__).resolve().parents[1]
TABLE: Final = "src/trueup/connectors/stripe/resource_table.py"
WIDTH: Final = 118
PAGING: Final = frozenset({"expand", "limit", "starting_after", "ending_before"})

NOT_OBJECTS: Final = {
    "event": "Events are the log itself; the inbox keeps them.",
    "v2.core.event": "The same, in the newer form.",
    "ephemeral_key": "A secret.",
    "apps.secret": "A secret.",
}
"""Types that are read and never kept as objects, and why."""

LISTS: Final = {
    "payment_method": (
        "/v1/payment_methods parent=customer:customer",
        "What it lists without a customer is not documented beyond `all`: whether detached ones are in it, for one.",
    ),
    "tax_id": ("/v1/customers/{parent}/tax_ids parent=customer", "The plain list is of the account's own."),
    "bank_account": ("-", "It is in lists of sources, together with cards and others."),
    "card": ("-", "The same."),
    "source": ("-", "The same."),
}
"""Lists that are not the shortest path that gives the type, and why."""

WHOLE: Final = {
    "price": (
        ("active=true", "active=false"),
        "Without it active ones only, as the SDK says. Inline prices are in neither.",
    ),
    "subscription": (("status=all",), "Without it those that were canceled are left out, as the SDK says."),
    "tax.registration": (("status=all",), "It may be asked for; what it lists without it is not documented."),
}
"""What lists have to be asked for to be whole, and why."""

INNER: Final = {
    "customer.sources": ("/v1/customers/{id}/sources", "Its elements are of several types, so none tells the list."),
}
"""Lists inside an object that no element's type leads to, and why."""

PERMISSIONS: Final = {
    "balance_transaction": "rak_balance_transaction_source_read",
    "charge": "rak_charge_read",
    "checkout.session": "rak_checkout_session_read",
    "coupon": "rak_coupon_read",
    "credit_note": "rak_credit_note_read",
    "customer": "rak_customer_read",
    "dispute": "rak_dispute_read",
    "invoice": "rak_invoice_read",
    "payment_intent": "rak_payment_intent_read",
    "payment_method": "rak_payment_method_read",
    "payout": "rak_payout_read",
    "plan": "rak_plan_read",
    "price": "rak_plan_read",
    "product": "rak_product_read",
    "refund": "rak_charge_read",
    "setup_intent": "rak_setup_intent_read",
    "subscription": "rak_subscription_read",
    "subscription_item": "rak_subscription_read",
    "subscription_schedule": "rak_subscription_schedule_read",
    "transfer": "rak_transfer_read",
    "webhook_endpoint": "rak_webhook_read",
}
"""What Stripe's dashboard calls the permissions of a restricted key, as far as its refusals and the links to its form
for new keys were seen to. Nothing publishes the whole list; a refusal names what is missing."""

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Read:
    """One GET: where, what comes back, and which parameters it takes, those that are required with an exclamation."""

    path: str
    kinds: tuple[str, ...]
    is_list: bool
    params: frozenset[str]

    @property
    def names(self) -> list[str]:
        """What stands in braces."""
        return re.findall(r"\{(\w+)\}", self.path)


class Reads:
    """Every GET of the SDK, by what it gives."""

    def __init__(self, root: Path, schema: Mapping[str, Json]) -> None:
        self._root = root
        self._kinds = {
            ("stripe." + told["file"].removesuffix(".py").replace("/", "."), told["class"]): name.removesuffix("@v2")
            for name, told in schema.items()
        }
        self.all = tuple(self._found())

    def _found(self) -> Iterator[Read]:
        for file in sorted(self._root.rglob(sdk.SERVICES)):
            if file.name in sdk.ABSTRACT:
                continue
            for service in sdk.classes(file).values():
                for node in service.body:
                    if isinstance(node, ast.FunctionDef) and node.name in {"retrieve", "list"}:
                        yield from self._read(file, node)

    def _read(self, file: Path, function: ast.FunctionDef) -> Iterator[Read]:
        route = sdk.route(file, function)
        if not route.operation.startswith("GET "):
            return
        told = ast.literal_eval(function.returns) if function.returns is not None else ""
        known = sdk.imported(file)
        words = [known[word] for word in re.findall(r"\w+", told) if word in known]
        kinds = tuple(self._kinds[word] for word in words if word in self._kinds)
        kinds = tuple(kind for kind in kinds if kind not in {"list", "search_result"})
        fields = sdk.typed_dict(sdk.source(self._root, route.module), route.params)
        params = frozenset(
            name if ast.unparse(annotation).startswith("NotRequired") else f"{name}!"
            for name, annotation in fields.items()
        )
        yield Read(route.operation.removeprefix("GET "), kinds, "ListObject[" in told, params)

    def one(self, kind: str) -> Read | None:
        """How one of a type is read: by the path with the fewest ids."""
        found = [read for read in self.all if read.kinds == (kind,) and not read.is_list and read.names]
        return min(found, key=lambda read: (len(read.names), read.path), default=None)

    def many(self, kind: str) -> Read | None:
        """How they are listed: by the path with the fewest ids, and the fewest parameters that are required."""
        found = [read for read in self.all if read.kinds == (kind,) and read.is_list]
        return min(found, key=lambda read: (len(read.names), len(_required(read)), read.path), default=None)

    def of(self, path: str) -> str | None:
        """The type that a plain list gives."""
        return next((read.kinds[0] for read in self.all if read.is_list and read.path == path and read.kinds), None)


def _required(read: Read) -> list[str]:
    return sorted(name.removesuffix("!") for name in read.params if name.endswith("!"))


def _path(read: Read) -> str:
    """The path with the object's own id called ``id``, and whose it is ``parent``."""
    *outer, last = read.names
    path = read.path.replace(f"{{{last}}}", "{id}")
    for name in outer:
        path = path.replace(f"{{{name}}}", "{parent}")
    return path


def _list(reads: Reads, kind: str, kinds: Collection[str]) -> list[str]:
    """The path of the list and its words; a lone hyphen where there is none."""
    read = reads.many(kind)
    if kind in LISTS:
        path, *words = LISTS[kind][0].split()
        return [path, *words, *(_filters(read) if read is not None and read.path == path else ())]
    if read is None or read.path.startswith("/v2/"):
        return ["-"]
    path, required = read.path, _required(read)
    if not read.names and not required:
        return [path, *_filters(read)]
    if len(read.names) + len(required) > 1:
        return ["-"]
    if read.names:
        owner, word = reads.of(path.partition("/{")[0]), ""
        path = path.replace(f"{{{read.names[0]}}}", "{parent}")
    else:
        [name] = required
        named = (f"{kind.rpartition('.')[0]}.{name}", name)
        owner, word = next((one for one in named if one in kinds), None), f":{name}"
    return ["-"] if owner is None else [path, f"parent={owner}{word}", *_filters(read)]


def _filters(read: Read) -> list[str]:
    named = {"created": "created", "test_clock": "clock", "customer": "customer"}
    return [word for name, word in named.items() if name in read.params]


def _inner(reads: Reads, kind: str, told: Json, one: Read | None) -> list[str]:
    """The lists inside an object, each with where the whole of it is."""
    words = []
    for field, ref in _list_fields(told["fields"]):
        by_hand = INNER.get(f"{kind}.{field}")
        if by_hand is not None:
            words.append(f"inner={field}:{by_hand[0]}")
        elif one is not None and ref is not None:
            words += [f"inner={field}:{where}" for where in _whole(reads, kind, field, ref, one)]
    return words


def _list_fields(fields: Mapping[str, Json], before: str = "") -> Iterator[tuple[str, str | None]]:
    for name, field in fields.items():
        if field["t"] == "listobj":
            yield before + name, field["of"].get("ref")
        elif field["t"] == "obj":
            yield from _list_fields(field.get("fields", {}), f"{before}{name}.")


def _whole(reads: Reads, kind: str, field: str, ref: str, one: Read) -> list[str]:
    """Where all of a list inside an object is: below the object's own path, or in a list that is asked for it."""
    below = {_path(read): read for read in reads.all if read.is_list and len(read.names) == 1}
    for last in (field.replace(".", "_"), field.rpartition(".")[2]):
        if f"{_path(one)}/{last}" in below:
            return [f"{_path(one)}/{last}"]
    param = kind.rpartition(".")[2]
    for read in reads.all:
        asked = {name.removesuffix("!") for name in read.params}
        plain = read.is_list and not read.names and read.path.startswith("/v1/")
        if plain and param in asked and set(_required(read)) <= {param} and read.kinds and _called(read.kinds[0], ref):
            return [f"{read.path}:{param}"]
    return []


def _called(kind: str, ref: str) -> bool:
    """Whether a type is what a class of the schema is called: ``refund`` and ``Refund``."""
    return kind.rpartition(".")[2].replace("_", "") == ref.lower()


def lines(root: Path, schema: Mapping[str, Json], told: Mapping[str, str]) -> Iterator[str]:
    """The table's lines; ``told`` is each type of event with the types of object that it tells of."""
    reads = Reads(root, schema)
    kinds = sorted({kind for read in reads.all for kind in read.kinds} - NOT_OBJECTS.keys())
    for kind in kinds:
        one = reads.one(kind)
        resource = schema.get(kind) or schema[f"{kind}@v2"]
        retrieve = _path(one) if one is not None and len(one.names) <= 2 else "-"
        listed = _list(reads, kind, kinds)
        if (retrieve, listed[0]) == ("-", "-") or "id" not in resource["fields"]:
            continue
        if one is None and listed[0].endswith(("lines", "line_items")):
            continue  # Lines are parts of what they stand in, and read with it.
        words = [kind, retrieve, *listed]
        words += [f"all={word}" for word in WHOLE.get(kind, ((), ""))[0]]
        words += _inner(reads, kind, resource, one)
        words += [f"permission={PERMISSIONS[kind]}"] if kind in PERMISSIONS else []
        of_events = sorted(name for name, about in told.items() if kind in about.split(","))
        words += [f"events={','.join(of_events)}"] if of_events else []
        # What is between commas may be broken too.
        spaced = " ".join(words).replace(",", ", ")
        wrapped = textwrap.wrap(spaced, WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
        yield "\n".join(wrapped).replace(", ", ",")


def module(text: Iterable[str]) -> str:
    """The module with the table."""
    body = "\n".join(text)
    return f'''"""What Stripe's API can retrieve and list, one resource a line; ``resources`` says what the words mean.

Written by ``tools/stripe_resources.py``, which also says what is told by hand, and why. A line that begins with spaces
goes on with the one before.
"""

from __future__ import annotations

from typing import Final

TABLE: Final = """
{body}
"""
'''


def output(shared: Path) -> str:
    """What belongs into the file; ``shared`` is the folder of the recorded material."""
    stripe = shared / "stripe"
    schema = json.loads((stripe / "schema-16.1.0.json").read_bytes())
    told = events.text(schema, _rows(stripe / "events_snapshot.csv"), _rows(stripe / "events_thin.csv"))
    return module(lines(sdk.folder(), schema, json.loads(told)["snapshot"]))


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def main() -> int:
    """Write the table."""
    shared = Path(os.environ.get("TRUEUP_SHARED") or REPOSITORY.parent / "shared")
    (REPOSITORY / TABLE).write_text(output(shared), encoding="utf-8")
    print(TABLE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
