"""Makes the sandbox's tables of Stripe's wire format from the installed SDK and the recorded schema.

``python -m tools.sandbox_tables`` writes ``routes.json``, ``parameters.json``, ``objects.json`` and ``events.json``
into ``src/trueup/sandbox/wire``. It reads the SDK's source and, below ``TRUEUP_SHARED``, ``stripe/schema-16.1.0.json``
and the lists of events. What it writes depends on these alone; a test writes again and compares.
"""

from __future__ import annotations

import csv
import json
import os
import sys
from pathlib import Path
from typing import Final

from tools.sandbox_tables import events, sdk
from tools.sandbox_tables.objects import Objects
from tools.sandbox_tables.parameters import Parameters

REPOSITORY: Final = Path(__file__).resolve().parents[2]
TABLES: Final = "src/trueup/sandbox/wire"


def tables(shared: Path) -> dict[str, str]:
    """The name of each table's file to what it holds; ``shared`` is the folder of the recorded material."""
    root = sdk.folder()
    stripe = shared / "stripe"
    schema = json.loads((stripe / "schema-16.1.0.json").read_bytes())
    routes, parameters = Parameters(root).texts()
    return {
        "routes.json": routes,
        "parameters.json": parameters,
        "objects.json": Objects(root, schema).text(),
        "events.json": events.text(schema, _rows(stripe / "events_snapshot.csv"), _rows(stripe / "events_thin.csv")),
    }


def main() -> int:
    """Write the tables."""
    named = os.environ.get("TRUEUP_SHARED", "")
    shared = Path(named).expanduser() if named else REPOSITORY.parent / "shared"
    for name, text in tables(shared).items():
        file = REPOSITORY / TABLES / name
        file.write_text(text, encoding="utf-8")
        print(f"{file.relative_to(REPOSITORY)}: {len(text)} characters, {text.count(chr(10))} lines")
    return 0


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


if __name__ == "__main__":
    sys.exit(main())
