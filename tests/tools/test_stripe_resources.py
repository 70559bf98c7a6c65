"""The table of what can be read in Stripe's API is what the SDK and the recorded schema give."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tools import stripe_resources
from trueup.connectors.stripe.resources import RESOURCES


def test_the_table_in_the_repository_is_what_the_sdk_and_the_schema_give(shared: Path, repository: Path) -> None:
    assert (repository / stripe_resources.TABLE).read_text(encoding="utf-8") == stripe_resources.output(shared)


def test_what_is_said_by_hand_is_said_of_something_that_is_there(shared: Path) -> None:
    schema = json.loads((shared / "stripe" / "schema-16.1.0.json").read_bytes())
    types = {name.removesuffix("@v2") for name in schema}

    assert set(stripe_resources.NOT_OBJECTS) <= types - RESOURCES.keys()
    assert {*stripe_resources.LISTS, *stripe_resources.WHOLE, *stripe_resources.PERMISSIONS} <= types
    inner = {f"{name}.{one.field}" for name, found in RESOURCES.items() for one in found.lists}
    assert set(stripe_resources.INNER) <= inner


def test_no_line_is_longer_than_a_person_reads(repository: Path) -> None:
    lines = (repository / stripe_resources.TABLE).read_text(encoding="utf-8").splitlines()

    assert max(map(len, lines)) <= 120


def test_braces_hold_nothing_but_the_object_and_what_it_is_in() -> None:
    paths = {path for found in RESOURCES.values() for path in (found.retrieve, found.list) if path}
    paths |= {inner.path for found in RESOURCES.values() for inner in found.lists}

    assert {name for path in paths for name in re.findall(r"\{(\w+)\}", path)} == {"id", "parent"}
